/* From a Config to programs: the passes, in order. */
#ifndef LATHE_COMPILE_H
#define LATHE_COMPILE_H

#include "gen/config/config.h"
#include "gen/passes/passes.h"

/* train: forward with batch statistics, loss, backward. evaluate: forward with running
 * statistics. infer: one image, for a standalone file. */
typedef enum { PROGRAM_TRAIN, PROGRAM_EVALUATE, PROGRAM_INFER, PROGRAM_COUNT } Program;
extern const char *const program_names[PROGRAM_COUNT];

/* The steps from a config's layers to a program, in order; X(name, PROGRAMS). */
#define COMPILE_COMPUTE(X)                                                               \
    X(config, ALL)                                                                       \
    X(fuse, ALL)                                                                         \
    X(integer, NOT_TRAIN)                                                                \
    X(quantise, NOT_INFER)                                                               \
    X(grad, TRAIN)                                                                       \
    X(again, TRAIN)                                                                      \
    X(fold, INFER)
#define COMPILE_LOWER(X)                                                                 \
    X(winograd, INFER)                                                                   \
    X(blocks, INFER)                                                                     \
    X(fetch, INFER)                                                                      \
    X(select, ALL)
#define COMPILE_LAY_OUT(X)                                                               \
    X(schedule, NOT_INFER)                                                               \
    X(ahead, NOT_INFER)                                                                  \
    X(sequence, INFER)                                                                   \
    X(tighten, INFER)                                                                    \
    X(prepare, INFER)                                                                    \
    X(names, ALL)                                                                        \
    X(plan, ALL)
#define COMPILE_STEPS(X) COMPILE_COMPUTE(X) COMPILE_LOWER(X) COMPILE_LAY_OUT(X)

/* Which programs have a step. */
enum {
    PROGRAMS_TRAIN = 1 << PROGRAM_TRAIN,
    PROGRAMS_INFER = 1 << PROGRAM_INFER,
    PROGRAMS_NOT_INFER = PROGRAMS_TRAIN | 1 << PROGRAM_EVALUATE,
    PROGRAMS_NOT_TRAIN = PROGRAMS_INFER | 1 << PROGRAM_EVALUATE,
    PROGRAMS_ALL = PROGRAMS_TRAIN | PROGRAMS_NOT_TRAIN
};

/* Where a standalone file has its weights: as constants; outside the address space; as
 * constants from which it prepares, once, what kernels read. */
typedef enum { WEIGHTS_CONSTANT, WEIGHTS_FETCHED, WEIGHTS_PREPARED } ShippedWeights;

/* How to compile; zero is the default everywhere. */
typedef struct {
    const Target *target;
    const Lowering *lowering; /* of what has it; NULL: as the config says */
    const char *dump;       /* print the IR after this step, "program/step", to stdout */
    bool profile;           /* the trainer keeps the time of each op */
    ShippedWeights weights; /* of the standalone file */
    bool mpi;               /* several processes train, which mpirun starts */
} CompileOptions;

/* The programs. What has float layers evaluates as it is trained, but has no infer
 * program: false and rt_fail naming the layer. */
void compile_train(const Config *config, const CompileOptions *options, Net *net);
void compile_evaluate(const Config *config, const CompileOptions *options, Net *net);
bool compile_infer(const Config *config, const CompileOptions *options, Net *net);
/* Whether the config has an infer program; false and rt_fail as compile_infer. */
bool compile_ships(const Config *config);

/* Whether CompileOptions.dump may be called so; false and rt_fail with the
 * nearest name. */
bool compile_knows(const char *dump);

/* What `dump` takes, for --help. */
#define STEP_HELP(name, programs) " " #name ","
#define COMPILE_HELP                                                                     \
    "train/, evaluate/ or infer/ and\n"                                                  \
    "                      " COMPILE_COMPUTE(                                            \
        STEP_HELP) "\n"                                                                  \
                   "                      " COMPILE_LOWER(                               \
                       STEP_HELP) "\n"                                                   \
                                  "                      " COMPILE_LAY_OUT(              \
                                      STEP_HELP) " as far as it has that"

#endif
