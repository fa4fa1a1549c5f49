/* Lua's libraries for a session: those of their functions that Ctrl-C could not end,
 * since they wait or are one long loop in C, are replaced by others that do the same. */
#ifndef LATHE_LIBRARY_H
#define LATHE_LIBRARY_H

#include <lua.h>
#include <stdbool.h>

/* In a state of interrupt_open's. False and rt_fail when library.lua cannot be read. */
bool library_install(lua_State *lua);

#endif
