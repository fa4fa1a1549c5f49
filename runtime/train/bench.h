/* Timing a network on random images, without training to any end. */
#ifndef LATHE_BENCH_H
#define LATHE_BENCH_H

#include "runtime/train/train_options.h"

/* Warm up, take options->steps optimiser steps (0: 20), evaluate as many images, and
 * write to the folder options->output: tables.txt, the profiles of both, and
 * headlines.txt, a line for each. Starts from options->weights or initial ones. Fails for
 * a model that is no profiled build. */
bool bench_run(const Model *model, const Recipe *recipe, const TrainerOptions *options);

#endif
