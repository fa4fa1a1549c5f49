/* Calls of the trainer's command line within the test, with the network by hand, and
 * comparisons of what they left. */
#ifndef LATHE_TRAINER_RUN_H
#define LATHE_TRAINER_RUN_H

#include "tests/tools/tiny_model.h"

/* 105 images less 13 held out: 9 steps of 10 in an epoch, 3 calls of train in a step. */
#define DATA "--data", "random:105"
enum { STEPS = 9, CALLS = 3, EPOCHS = 3 };

/* What the next call runs: copies of the tiny ones, to be changed at will. */
extern Model model;
extern Recipe recipe;
extern char *printed, *complained; /* by the last call: stdout and stderr */

void trainer_prepare(void); /* fixtures, with folder_make and folder_remove in them */
void trainer_clean_up(void);

/* Returns the exit status. */
int run_trainer(const char *const *arguments);
#define RUN(...) run_trainer((const char *const[]){__VA_ARGS__, NULL})

/* The call failed with just this message; the second form says it about a path. */
void check_complaint(int status, const char *message);
void check_complaint_about(int status, const char *path, const char *message);

bool exists(const char *path);

/* Two output folders hold the same, but for times. */
void check_same_run(const char *a, const char *b);
/* Parameters and statistics of two checkpoints, under these prefixes. */
void check_same_values(const char *a, const char *a_prefix, const char *b,
                       const char *b_prefix);
/* log.csv without the columns of times, free() it; and how many epochs it has. */
char *timeless_log(const char *run);
void check_log_rows(const char *run, int rows);

#endif
