/* Fields of one layer's word: see word_fields.h. */
#include "gen/config/word_fields.h"

#include "runtime/base/text.h"

#include <lauxlib.h>
#include <string.h>

static const char net_fields[] = "lathe.net"; /* in the registry: the net's own fields */

void words_set_net(lua_State *lua, int net)
{
    lua_pushvalue(lua, net);
    lua_setfield(lua, LUA_REGISTRYINDEX, net_fields);
}

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

void pad_field(lua_State *lua, const char *layer, Op *op, const Tensor *x)
{
    int type = lua_getfield(lua, 1, "pad"), pixels[2];
    bool same = type == LUA_TSTRING && strcmp(lua_tostring(lua, -1), "same") == 0;
    bool torch = type == LUA_TNIL ||
                 (type == LUA_TSTRING && strcmp(lua_tostring(lua, -1), "torch") == 0);
    if (type == LUA_TNUMBER || type == LUA_TTABLE)
        pair_field(lua, layer, "pad", 0,
                   (const int[]){op->kernel_h - 1, op->kernel_w - 1}, pixels);
    else if (!torch && !same)
        luaL_error(lua, "%s: pad: want 'torch', 'same' or a number of pixels", layer);
    if (same) {
        int rows = ((x->h - 1) / op->stride) * op->stride + op->kernel_h - x->h;
        int columns = ((x->w - 1) / op->stride) * op->stride + op->kernel_w - x->w;
        rows = rows > 0 ? rows : 0;
        columns = columns > 0 ? columns : 0;
        op->pad_top = rows / 2;
        op->pad_bottom = rows - op->pad_top;
        op->pad_left = columns / 2;
        op->pad_right = columns - op->pad_left;
    } else {
        op->pad_top = op->pad_bottom = torch ? (op->kernel_h - 1) / 2 : pixels[0];
        op->pad_left = op->pad_right = torch ? (op->kernel_w - 1) / 2 : pixels[1];
    }
    lua_settop(lua, 1);
}

void count_field(lua_State *lua, const char *layer, Op *op)
{
    int same = lua_getfield(lua, 1, "pad") == LUA_TSTRING &&
               strcmp(lua_tostring(lua, -1), "same") == 0;
    lua_settop(lua, 1);
    bool counted = flag_field(lua, layer, "count_include_pad", !same);
    bool zeros = op->pad_top + op->pad_left + op->pad_bottom + op->pad_right > 0;
    op->count_pad = zeros && counted;
}

double real_field(lua_State *lua, const char *word, const char *layer,
                  const RealRange *field)
{
    const char *what = lua_pushfstring(lua, "%s: %s", layer, field->name);
    int type = lua_getfield(lua, 1, field->name);
    if (type == LUA_TNIL) {
        what = lua_pushfstring(lua, "net.%s_%s", word, field->name);
        luaL_getsubtable(lua, LUA_REGISTRYINDEX, net_fields);
        type = lua_getfield(lua, -1, what + strlen("net."));
    }
    double value = type == LUA_TNIL ? field->otherwise : lua_tonumber(lua, -1);
    if (type != LUA_TNIL && type != LUA_TNUMBER)
        luaL_error(lua, "%s: want a number, got %s", what, luaL_typename(lua, -1));
    char range[64];
    snprintf(range, sizeof range, "%g..%g", field->low, field->high);
    if (!(value >= field->low && value <= field->high))
        luaL_error(lua, "%s %s, want %s", what, luaL_tolstring(lua, -1, NULL), range);
    lua_settop(lua, 1);
    return value;
}
