/* __gc functions that Ctrl-C can end. */
#ifndef LATHE_FINALISERS_H
#define LATHE_FINALISERS_H

#include <lua.h>

/* Put setmetatable and debug.setmetatable in the place of Lua's. */
void finalisers_install(lua_State *lua);

#endif
