/* What layers are called: see layer_names.h. */
#include "gen/config/layer_names.h"

#include "gen/config/word_fields.h"
#include "gen/ir/ir.h"

#include <lauxlib.h>
#include <string.h>

static const char layer_lines[] = "lathe.layers"; /* in the registry: line by name */

bool cut_word(char *name, const char *word)
{
    size_t length = strlen(name), tail = strlen(word);
    bool there = length > tail && strcmp(name + length - tail, word) == 0;
    if (there)
        name[length - tail] = 0;
    return there;
}

bool cut_activation(char *name)
{
    return cut_word(name, "_leaky_relu") || cut_word(name, "_relu6") ||
           cut_word(name, "_relu");
}

static void check_free(lua_State *lua, const char *name)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, layer_lines);
    if (lua_getfield(lua, -1, name) != LUA_TNIL)
        luaL_error(lua, "%s: a layer of that name was laid out in line %d already", name,
                   (int)lua_tointeger(lua, -1));
    lua_settop(lua, 1);
}

const char *name_field(lua_State *lua, const char *word, const char *input,
                       const char *otherwise)
{
    const char *name = text_field(lua, word, "name", otherwise);
    if (name == NULL && input == NULL)
        luaL_error(lua, "%s: field 'name' is missing, want a string", word);
    if (name == NULL) {
        char base[NAME_SIZE];
        snprintf(base, sizeof base, "%s", input);
        cut_word(base, "_bn");
        cut_word(base, "_add");
        cut_activation(base);
        name = lua_pushfstring(lua, "%s_%s", base, word);
        lua_setfield(lua, 1, "name"); /* keeps it alive */
    }
    if (!layer_name_ok(name, NAME_LETTERS))
        luaL_error(
            lua, "name '%s': want at most %d of a-z, 0-9 and _, beginning with a letter",
            name, NAME_LETTERS);
    check_free(lua, name);
    return name;
}

void take_name(lua_State *lua, const char *name, int line)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, layer_lines);
    lua_pushinteger(lua, line);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 1);
}

void take_bias_name(lua_State *lua, const char *layer, int line)
{
    const char *name = lua_pushfstring(lua, "%s_bias", layer);
    lua_setfield(lua, 1, "bias"); /* keeps it alive */
    check_free(lua, name);
    take_name(lua, name, line);
}
