/* Errors in words: see explain.h. */
#include "gen/session/explain.h"

#include "gen/base/paths.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

/* Whether a level of the stack is in a file of the user's. */
static bool of_user(const lua_Debug *record)
{
    static const char own[] = "/gen/session/";
    size_t length = strlen(lathe_root());
    const char *source = record->source;
    bool ours = strncmp(source + 1, lathe_root(), length) == 0 &&
                strncmp(source + 1 + length, own, sizeof own - 1) == 0;
    return *source == '@' && !ours && record->currentline > 0;
}

/* Push what error() was given as text: Lua's own has a line of its own for each place it
 * looked for a module, and nothing to say of a table. */
static void push_message(lua_State *lua)
{
    static const char missing[] = " not found:\n\t";
    if (lua_isstring(lua, 1) || luaL_getmetafield(lua, 1, "__tostring") != LUA_TNIL) {
        const char *text = luaL_tolstring(lua, 1, NULL), *list = strstr(text, missing);
        if (list)
            lua_pushlstring(lua, text, (size_t)(list - text) + strlen(" not found"));
        return;
    }
    const char *type = luaL_typename(lua, 1);
    lua_Debug record;
    if (lua_getstack(lua, 2, &record) && lua_getinfo(lua, "Sl", &record) &&
        of_user(&record))
        lua_pushfstring(lua, "%s:%d: an error that is a %s", record.short_src,
                        record.currentline, type);
    else
        lua_pushfstring(lua, "an error that is a %s", type);
}

/* The message as text, with the lines of scripts that led there. Of a deep recursion the
 * innermost levels, and a line that calls itself once. */
int explain(lua_State *lua)
{
    enum { LEVELS = 32 };
    lua_Debug record, last = {0};
    push_message(lua);
    for (int level = 1; level < LEVELS && lua_getstack(lua, level, &record); level++) {
        lua_getinfo(lua, "Sl", &record);
        if (!of_user(&record) || (record.currentline == last.currentline &&
                                  strcmp(record.source, last.source) == 0))
            continue;
        if (last.source) {
            lua_pushfstring(lua, "\n    called from %s:%d", record.short_src,
                            record.currentline);
            lua_concat(lua, 2);
        }
        last = record;
    }
    return 1;
}
