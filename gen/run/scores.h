/* Scores as the trainer's evaluation gives them: what the shipped file must agree
 * with. */
#ifndef LATHE_SCORES_H
#define LATHE_SCORES_H

#include "gen/emit/emit.h"
#include "gen/passes/compile.h"
#include "runtime/checkpoint/checkpoint.h"

/* [count][classes]: of an integer network as they are, else `logits`. */
typedef struct {
    int count;
    int64_t *integers; /* or NULL */
    float *logits;     /* or NULL */
} Scores;

/* Build the config's trainer and let it evaluate the test images of `data` (the first
 * `images`; 0: all). scores_free() them. */
bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, long images,
                       Scores *scores);
void scores_free(Scores *scores);

/* A few seeded images, and the scores the trainer's evaluation gives them; the caller
 * frees them. */
bool selftest_make(const Config *config, const char *weights, Selftest *selftest);

#endif
