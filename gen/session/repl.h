/* lathe repl: a Lua session with a net, from a terminal, a pipe, a script or a chunk. */
#ifndef LATHE_REPL_H
#define LATHE_REPL_H

#include "gen/passes/compile.h"

typedef struct {
    const char *weights, *data; /* of the net; NULL: none */
    const char *chunk;          /* Lua to run instead of a prompt, or NULL */
    const char *config;         /* a config or a script; NULL: neither */
    const char *const *words; /* behind it: a config's script, and a script's arguments */
    int word_count;
    const char *const *sets; /* "path=value" */
    int set_count;
    const CompileOptions *options;
} ReplRequest;

/* False and rt_fail when it cannot be run, or its script failed; *status is what the
 * process is to exit with, 0 where only false says so. */
bool repl_run(const ReplRequest *request, int *status);

#endif
