/* From a Config to programs: the passes, in order. */
#ifndef LATHE_COMPILE_H
#define LATHE_COMPILE_H

#include "gen/config/config.h"
#include "gen/passes/passes.h"

/* How to compile; zero is the default everywhere. */
typedef struct {
    const Target *target;
    const Lowering *lowering; /* of every convolution; NULL: as select likes */
    const char *dump;         /* print the IR after this pass to stdout */
    bool profile;             /* the trainer keeps the time of each op */
} CompileOptions;

/* The training program: forward with batch statistics, loss, backward. */
void compile_train(const Config *config, const CompileOptions *options, Net *net);
/* The evaluation program: forward with running statistics. */
void compile_evaluate(const Config *config, const CompileOptions *options, Net *net);
/* The shipped program: one image, batch normalisation folded into the convolutions; of a
 * quantised network integers only. False and rt_fail when it has no such form. */
bool compile_infer(const Config *config, const CompileOptions *options, Net *net);

/* The names --dump takes, "program/pass"; ended by NULL. */
#define COMPILE_PASSES_HELP                                                              \
    "train/, evaluate/ or infer/ and\n"                                                  \
    "                       config, fuse, quantise, grad (train), fold (infer), "        \
    "select,\n"                                                                          \
    "                       schedule (infer: sequence), plan"
extern const char *const compile_passes[];

#endif
