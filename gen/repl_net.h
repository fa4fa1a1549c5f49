/* The C side of repl.lua. */
#ifndef LATHE_REPL_NET_H
#define LATHE_REPL_NET_H

#include <lua.h>
#include <signal.h>

/* Push the table of functions repl.lua gets; sessions look at *stop. */
void repl_push_native(lua_State *lua, const volatile sig_atomic_t *stop);

#endif
