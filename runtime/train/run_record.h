/* What tells runs apart: "made.key=value" lines kept with weights, for whoever finds
 * them. */
#ifndef LATHE_RUN_RECORD_H
#define LATHE_RUN_RECORD_H

#include "runtime/train/train_state.h"

/* The command that trains the same weights, the state's last finished epoch and its
 * accuracies, and what its classes are called where the config does not say; free() it.
 * The same run gives the same text, wherever it is written and however often it was
 * stopped. */
char *record_lines(const Model *model, const TrainState *state);

/* The weights that those in the checkpoint at `path` stand for, as quantised training's
 * start stands for a float network's; or `path`. free() it. */
char *record_start(const char *path);

/* Put the lines, and the test accuracy, at the end of FOLDER/report.txt, in the place of
 * those of an earlier run. */
bool record_report(const char *path, const char *lines, double test_accuracy);
/* The test accuracy in such a file. */
bool record_final(const char *path, double *accuracy);

#endif
