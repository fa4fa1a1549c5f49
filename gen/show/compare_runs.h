/* Training runs side by side. */
#ifndef LATHE_COMPARE_RUNS_H
#define LATHE_COMPARE_RUNS_H

#include <stdbool.h>
#include <stdio.h>

/* Read last.ckpt of each run's folder and print what the runs came to, a line for each,
 * then which lines of their configs differ. Accuracies are of held-out images or, marked,
 * of training images where there are none. `picture` (or NULL) is a PNG of their curves,
 * whole or not at all. */
bool compare_runs(const char *const *folders, int count, const char *picture, FILE *file);

#endif
