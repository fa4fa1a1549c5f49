/* Writing the standalone inference file. */
#ifndef LATHE_SHIPPED_H
#define LATHE_SHIPPED_H

#include "config.h"

typedef struct {
    bool split;    /* the constants in a file of their own */
    bool selftest; /* -DLATHE_SELFTEST: seeded images and the trainer's scores of them, in a
                      quantised network's file */
} ShippedOptions;

/* Write `output` (a name ending in .c), the header beside it and, when split, the constants as
 * output_weights.c, from the checkpoint `weights`. C names begin with the config's name. */
bool shipped_write(const Config *config, const char *weights, const char *output,
                   ShippedOptions options);

#endif
