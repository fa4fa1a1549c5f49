/* Lua's string.rep in as many steps as its result has bits: Lua's own counts to n in one
 * call that no limit and no Ctrl-C ends, for an empty string, too. */
#ifndef LATHE_LUA_REPEAT_H
#define LATHE_LUA_REPEAT_H

#include <lua.h>

int lua_repeat(lua_State *lua); /* (text, n, separator or nil) */

#endif
