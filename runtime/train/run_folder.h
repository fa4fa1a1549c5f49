/* The folder of a run: for one process at a time, and for one run, unless its user says
 * that it may be replaced. */
#ifndef LATHE_RUN_FOLDER_H
#define LATHE_RUN_FOLDER_H

#include "runtime/train/train_options.h"

/* Make the folder and lock it until run_folder_leave or the process's end; a process that
 * holds it may take it again. Removes what killed runs left half-written. False and
 * rt_fail that names the process which is at work there. */
bool run_folder_take(const char *folder, int *lock);
void run_folder_leave(int lock); /* -1 is fine */

/* Whether a run of that network and config (lines) may write there: no checkpoint is
 * there, or options->force says that it may be replaced, or it is of the same run: the
 * same config, seed and epochs included. A run to be resumed there must be this
 * config's but for those. False and rt_fail that says what differs. */
bool run_folder_check(const char *folder, const char *arch, const char *config,
                      const TrainerOptions *options);

/* The config's lines with these epochs and seed; free() it. */
char *run_config(const char *config, int epochs, uint64_t seed);

#endif
