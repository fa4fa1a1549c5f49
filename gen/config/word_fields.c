/* Fields of one layer's word: see word_fields.h. */
#include "gen/config/word_fields.h"

#include "runtime/base/text.h"

#include <lauxlib.h>
#include <string.h>

int int_field(lua_State *lua, const char *layer, const char *field, int low, int high,
              int otherwise)
{
    int type = lua_getfield(lua, 1, field);
    int exact = 0;
    lua_Integer value = lua_tointegerx(lua, -1, &exact);
    if (type == LUA_TNIL && otherwise >= 0) {
        value = otherwise;
    } else if (type == LUA_TNIL) {
        luaL_error(lua, "%s: field '%s' is missing, want %d..%d", layer, field, low,
                   high);
    } else if (type != LUA_TNUMBER || !exact || value < low || value > high) {
        if (type != LUA_TNUMBER) /* a string may look like a number */
            lua_pushstring(lua, luaL_typename(lua, -1));
        luaL_error(lua, "%s: %s %s, want %d..%d", layer, field,
                   luaL_tolstring(lua, -1, NULL), low, high);
    }
    lua_settop(lua, 1);
    return (int)value;
}

bool flag_field(lua_State *lua, const char *layer, const char *field, bool otherwise)
{
    int type = lua_getfield(lua, 1, field);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(lua, "%s: %s: want true or false, got %s", layer, field,
                   luaL_typename(lua, -1));
    bool value = type == LUA_TNIL ? otherwise : lua_toboolean(lua, -1);
    lua_settop(lua, 1);
    return value;
}

const char *text_field(lua_State *lua, const char *layer, const char *field,
                       const char *otherwise)
{
    int type = lua_getfield(lua, 1, field);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(lua, "%s: %s: want a string, got %s", layer, field,
                   luaL_typename(lua, -1));
    const char *text = type == LUA_TNIL ? otherwise : lua_tostring(lua, -1);
    if (type == LUA_TSTRING && strlen(text) != lua_rawlen(lua, -1))
        luaL_error(lua, "%s: %s: has a zero byte in it", layer, field);
    if (text && !rt_is_shown(text))
        luaL_error(lua, "%s: %s: want text without control characters", layer, field);
    lua_settop(lua, 1);
    return text;
}

void pair_field(lua_State *lua, const char *layer, const char *field, int low,
                const int high[2], int pair[2])
{
    int most = high[0] < high[1] ? high[0] : high[1];
    if (lua_getfield(lua, 1, field) != LUA_TTABLE) {
        lua_settop(lua, 1);
        pair[0] = pair[1] = int_field(lua, layer, field, low, most, -1);
        return;
    }
    for (int i = 0; i < 2; i++) {
        int exact;
        lua_rawgeti(lua, 2, i + 1);
        lua_Integer value = lua_tointegerx(lua, -1, &exact);
        if (lua_type(lua, -1) != LUA_TNUMBER || !exact || value < low ||
            value > high[i] || lua_rawlen(lua, 2) != 2)
            luaL_error(lua,
                       "%s: %s: want a number, or { rows, columns } of %d..%d, %d..%d",
                       layer, field, low, high[0], low, high[1]);
        pair[i] = (int)value;
    }
    lua_settop(lua, 1);
}
