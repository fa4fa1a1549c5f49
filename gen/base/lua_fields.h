/* Fields of the Lua table on top of the stack. */
#ifndef LATHE_LUA_FIELDS_H
#define LATHE_LUA_FIELDS_H

#include <lua.h>

static inline void set_text(lua_State *lua, const char *name, const char *value)
{
    lua_pushstring(lua, value);
    lua_setfield(lua, -2, name);
}

static inline void set_integer(lua_State *lua, const char *name, long value)
{
    lua_pushinteger(lua, value);
    lua_setfield(lua, -2, name);
}

static inline void set_number(lua_State *lua, const char *name, double value)
{
    lua_pushnumber(lua, value);
    lua_setfield(lua, -2, name);
}

#endif
