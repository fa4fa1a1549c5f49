/* What a trainer does, apart from reading its command line: so that a program with a
 * network at hand (a JIT, a test) can do the same without one. */
#ifndef LATHE_TRAINER_H
#define LATHE_TRAINER_H

#include "runtime/train/train_options.h"

/* What a process exits with whose run ended, its files written, beyond its budgets. */
enum { OVER_BUDGET = 3 };

/* Train until the end or until stopped, by options->steps or a signal; *status is
 * what the process is to exit with: 0, OVER_BUDGET, or 128 + the signal. */
bool train_run(const Model *model, const Recipe *recipe, const TrainerOptions *options,
               int *status);

/* Print the accuracy on the test images, in all and by class. */
bool eval_run(const Model *model, const TrainerOptions *options);

/* Print the likeliest classes of PNG pictures. */
bool classify_run(const Model *model, const TrainerOptions *options);

/* The flags of a trainer's verbs, into TrainerOptions: for its command line, and for a
 * program that hands them on. */
extern const Flag trainer_flags[];
extern const int trainer_flag_count;

/* What is wrong with flags beyond each by itself; false and rt_fail. */
bool trainer_check(const char *verb, const TrainerOptions *options);

/* Do what the verb (train, eval, classify or bench) means; errors go to stderr. The
 * process's exit status. */
int trainer_run(const char *verb, const Model *model, const Recipe *recipe,
                const TrainerOptions *options);

/* The command line of rt_trainer_main, in a process that is prepared already. */
int trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe);

#endif
