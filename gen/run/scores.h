/* Scores as the trainer's evaluation gives them: what the shipped file must agree
 * with. */
#ifndef LATHE_SCORES_H
#define LATHE_SCORES_H

#include "gen/emit/emit.h"
#include "gen/passes/compile.h"
#include "runtime/checkpoint/checkpoint.h"

/* Build the config's trainer and let it evaluate the test images of `data` (the first
 * `images`; 0: all). *scores is one array [images][classes], to be
 * freed with arrays_free(scores, 1). */
bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, long images,
                       Array **scores);

/* A few seeded images, and the scores the trainer's evaluation gives them; the caller
 * frees them. */
bool selftest_make(const Config *config, const char *weights, Selftest *selftest);

#endif
