/* Text from outside in templates: see outside.h. */
#include "gen/emit/outside.h"

#include "gen/emit/own_file.h"
#include "runtime/base/text.h"

#include <lauxlib.h>
#include <string.h>

#define KIND "text from outside"

static int refuse(lua_State *lua)
{
    return luaL_error(lua, KIND " needs the escape for where it stands");
}

void outside_push(lua_State *lua, const char *text)
{
    size_t bytes = strlen(text ? text : "") + 1;
    memcpy(lua_newuserdatauv(lua, bytes, 0), text ? text : "", bytes);
    if (luaL_newmetatable(lua, KIND)) {
        static const char *const uses[] = {"__tostring", "__concat", "__index", "__len",
                                           "__lt",       "__le",     "__call"};
        for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
            lua_pushcfunction(lua, refuse);
            lua_setfield(lua, -2, uses[i]);
        }
    }
    lua_setmetatable(lua, -2);
}

void outside_set(lua_State *lua, const char *name, const char *text)
{
    outside_push(lua, text);
    lua_setfield(lua, -2, name);
}

/* Its bytes; an error for any other value. */
static int raw(lua_State *lua)
{
    lua_pushstring(lua, luaL_checkudata(lua, 1, KIND));
    return 1;
}

static int shown(lua_State *lua)
{
    lua_pushstring(lua, rt_shown(luaL_checkstring(lua, 1)));
    return 1;
}

static int outside(lua_State *lua)
{
    outside_push(lua, luaL_checkstring(lua, 1));
    return 1;
}

void outside_push_escapes(lua_State *lua)
{
    own_file_load(lua, "gen/emit/escapes.lua");
    lua_pushcfunction(lua, raw);
    lua_pushcfunction(lua, shown);
    lua_pushcfunction(lua, outside);
    lua_call(lua, 3, 1);
}
