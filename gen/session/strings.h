/* Functions of Lua's string library that Ctrl-C can end. */
#ifndef LATHE_STRINGS_H
#define LATHE_STRINGS_H

#include <lua.h>

/* Put find, match, gmatch, gsub and rep in the place of Lua's. */
void strings_install(lua_State *lua);

#endif
