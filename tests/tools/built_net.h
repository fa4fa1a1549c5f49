/* A config's training and evaluation programs, generated, compiled and loaded into the
 * test: as a Model, and op by op. */
#ifndef LATHE_BUILT_NET_H
#define LATHE_BUILT_NET_H

#include "gen/passes/compile.h"

typedef void Function(void); /* of an op: ImageOp, or TaskOp where its scope is TASKS */

typedef struct {
    Config config;
    Net train, evaluate; /* after the last pass */
    const Model *model;
    Function *const *train_ops, *const *evaluate_ops; /* by op */
    void *library;
} BuiltNet;

/* How to make one; zero is the default everywhere. */
typedef struct {
    const char *target;
    Lowering lowering;       /* of heavy ops; `tcc` has its own */
    const char *const *sets; /* overrides, ended by NULL */
} BuildHow;

/* Whether this machine can run the target's code. */
bool machine_runs(const char *target);

/* tests/nets/NAME.lua; free() it. */
char *net_path(const char *name);
/* Load the config at a path, or that of tests/nets, write and compile its trainer in the
 * test's folder, without a warning. */
void built_make_from(BuiltNet *built, const char *path, const BuildHow *how);
void built_make(BuiltNet *built, const char *name, const BuildHow *how);
void built_free(BuiltNet *built);

#endif
