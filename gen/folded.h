/* The constants of an inference file, computed from a checkpoint. */
#ifndef LATHE_FOLDED_H
#define LATHE_FOLDED_H

#include "checkpoint.h"
#include "config.h"

typedef struct {
    Array *arrays; /* named as the infer program's parameters */
    int count;
} Folded;

/* Fold batch normalisation into weights and biases, in double: w' = w scale / sqrt(var + eps),
 * b' = shift - mean scale / sqrt(var + eps) (Jacob et al. 2018, section 3.2). The checkpoint
 * must be of the config's network. */
bool folded_make(const Config *config, const Checkpoint *checkpoint, const char *path,
                 Folded *folded);
void folded_free(Folded *folded);
const float *folded_find(const Folded *folded, const char *name, size_t *count);

#endif
