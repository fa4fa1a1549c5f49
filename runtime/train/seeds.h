/* One run after the other, each with a seed of its own. */
#ifndef LATHE_SEEDS_H
#define LATHE_SEEDS_H

#include "runtime/train/train_options.h"

/* Whether the text is a list of seeds, "1,2,3", of which none is there twice, and goes
 * with the other options; else false and rt_fail. */
bool seeds_check(const TrainerOptions *options);

/* One run: train_run. */
typedef bool TrainRun(const Model *model, const Recipe *recipe,
                      const TrainerOptions *options, int *status);

/* Train with each of options->seeds, in FOLDER/seed-N; with --resume what was begun goes
 * on. In the end print the mean of their test accuracies, and the range. *status as of
 * train_run; a run that is stopped is the last. */
bool seeds_run(TrainRun *run, const Model *model, const Recipe *recipe,
               const TrainerOptions *options, int *status);

#endif
