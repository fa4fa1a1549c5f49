/* string.rep by doubling: see lua_repeat.h. */
#include "gen/base/lua_repeat.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

int lua_repeat(lua_State *lua)
{
    size_t length, between;
    const char *text = luaL_checklstring(lua, 1, &length);
    lua_Integer count = luaL_checkinteger(lua, 2);
    const char *separator = luaL_optlstring(lua, 3, "", &between);
    size_t unit = length + between;
    if (count <= 0 || unit == 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    if (unit > (size_t)PTRDIFF_MAX / (size_t)count)
        return luaL_error(lua, "resulting string too large");
    size_t bytes = unit * (size_t)count - between, done = unit < bytes ? unit : bytes;
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(lua, &buffer, bytes);
    memcpy(to, text, length);
    if (done > length)
        memcpy(to + length, separator, done - length);
    while (done < bytes) {
        size_t more = done < bytes - done ? done : bytes - done;
        memcpy(to + done, to, more);
        done += more;
    }
    luaL_pushresultsize(&buffer, bytes);
    return 1;
}
