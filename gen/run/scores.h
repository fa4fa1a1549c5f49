/* Scores as the trainer's evaluation gives them: what the shipped file must agree
 * with. */
#ifndef LATHE_SCORES_H
#define LATHE_SCORES_H

#include "gen/passes/compile.h"
#include "runtime/checkpoint/checkpoint.h"

/* Build the config's trainer and let it evaluate the test images of `data` (the first
 * `images`; 0: all). *scores is one array [images][classes], to be
 * freed with arrays_free(scores, 1). */
bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, long images,
                       Array **scores);

#endif
