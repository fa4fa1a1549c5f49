/* Functions of Lua's table library that Ctrl-C can end. */
#ifndef LATHE_TABLES_H
#define LATHE_TABLES_H

#include <lua.h>

/* Put concat, insert, move, remove and sort in the place of Lua's. */
void tables_install(lua_State *lua);

#endif
