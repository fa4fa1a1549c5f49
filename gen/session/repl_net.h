/* The C side of repl.lua. */
#ifndef LATHE_REPL_NET_H
#define LATHE_REPL_NET_H

#include "gen/passes/compile.h"

#include <lua.h>

/* Push the table of functions repl.lua gets; sessions compile as *options say. */
void repl_push_native(lua_State *lua, const CompileOptions *options);

#endif
