/* lathe's own files: see own_file.h. */
#include "gen/emit/own_file.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <stdlib.h>

void own_file_push(lua_State *lua, const char *path)
{
    size_t bytes;
    const char *full = lua_pushfstring(lua, "%s/%s", lathe_root(), path);
    char *text = rt_read_file(full, &bytes);
    if (text == NULL)
        luaL_error(lua, "%s", rt_error());
    lua_pushlstring(lua, text, bytes);
    free(text);
    lua_remove(lua, -2);
}

void own_file_load(lua_State *lua, const char *path)
{
    own_file_push(lua, path);
    size_t bytes;
    const char *text = lua_tolstring(lua, -1, &bytes);
    const char *name = lua_pushfstring(lua, "@%s", path);
    if (luaL_loadbufferx(lua, text, bytes, name, "t") != LUA_OK)
        lua_error(lua);
    lua_replace(lua, -3);
    lua_pop(lua, 1);
}
