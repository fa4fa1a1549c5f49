/* Teachers for a run: configs and checkpoints whose networks are brought into this
 * process. */
#ifndef LATHE_SCHOOL_H
#define LATHE_SCHOOL_H

#include "gen/passes/compile.h"
#include "runtime/train/train_options.h"

typedef struct School School;

/* Compile the networks that the words name, "CONFIG.lua=FILE.ckpt" each. NULL and
 * rt_fail: a word of another form, a config that cannot be used, a network that does not
 * compile. */
School *school_open(const char *const *words, int count, const CompileOptions *options);
void school_close(School *school); /* it may be NULL */

/* Tell a run of them, as long as the school is open. */
void school_teach(const School *school, TrainerOptions *options);

#endif
