/* The C side of repl.lua. */
#ifndef LATHE_REPL_NET_H
#define LATHE_REPL_NET_H

#include "gen/passes/compile.h"

#include <signal.h>

/* Push the table of functions repl.lua gets; sessions compile as *options say and look at
 * *stop. */
void repl_push_native(lua_State *lua, const CompileOptions *options,
                      const volatile sig_atomic_t *stop);

#endif
