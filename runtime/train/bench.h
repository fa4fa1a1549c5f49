/* Timing a network on random images, without training to any end. */
#ifndef LATHE_BENCH_H
#define LATHE_BENCH_H

#include "runtime/train/train_options.h"

/* Warm up, then time options->steps optimiser steps, and the evaluation of as many
 * images; 0: 20 of each, or as many as fit into ten seconds, of smaller batches where a
 * step takes longer. Writes to the folder options->output: tables.txt, the profiles of
 * both, headlines.txt, a line for each, and profiles.json, both behind each other with a
 * comma between. Says on stderr how it goes. Starts from options->weights or initial
 * ones. Fails for a model that is no profiled build. */
bool bench_run(const Model *model, const Recipe *recipe, const TrainerOptions *options);

#endif
