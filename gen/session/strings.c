/* find, match, gmatch, gsub and rep of Lua 5.4, on pattern.h: see strings.h. */
#include "gen/session/strings.h"

#include "gen/base/lua_repeat.h"
#include "gen/session/pattern.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

/* ---- Captures ---- */

/* Push a capture, or all that was matched, [at, end), for the first one of none. */
static void push_capture(Match *match, int i, const char *at, const char *end)
{
    if (i >= match->count) {
        if (i > 0)
            luaL_error(match->lua, "invalid capture index %%%d", i + 1);
        lua_pushlstring(match->lua, at, (size_t)(end - at));
    } else if (match->captures[i].length == PATTERN_POSITION) {
        lua_pushinteger(match->lua, match->captures[i].at - match->start + 1);
    } else if (match->captures[i].length == PATTERN_OPEN) {
        luaL_error(match->lua, "unfinished capture");
    } else {
        lua_pushlstring(match->lua, match->captures[i].at,
                        (size_t)match->captures[i].length);
    }
}

/* Push all captures, or all that was matched when `at` is given and there are none. */
static int push_captures(Match *match, const char *at, const char *end)
{
    int count = match->count == 0 && at ? 1 : match->count;
    luaL_checkstack(match->lua, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(match, i, at, end);
    return count;
}

/* ---- find and match ---- */

/* The argument where to begin, from 0; beyond the end: length + 1. */
static size_t start_at(lua_State *lua, int argument, size_t length)
{
    lua_Integer from = luaL_optinteger(lua, argument, 1);
    if (from < 0)
        from = from < -(lua_Integer)length ? 1 : (lua_Integer)length + from + 1;
    if (from == 0)
        from = 1;
    return from > (lua_Integer)length + 1 ? length + 1 : (size_t)from - 1;
}

static bool has_specials(const char *pattern, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i]))
            return true;
    return false;
}

static int find_plain(lua_State *lua, const char *text, size_t length, size_t from)
{
    size_t wanted;
    const char *what = lua_tolstring(lua, 2, &wanted);
    const char *found = memmem(text + from, length - from, what, wanted);
    if (found == NULL) {
        luaL_pushfail(lua);
        return 1;
    }
    lua_pushinteger(lua, found - text + 1);
    lua_pushinteger(lua, found - text + (lua_Integer)wanted);
    return 2;
}

static int search(lua_State *lua, bool find)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(lua, 1, &length);
    const char *pattern = luaL_checklstring(lua, 2, &pattern_length);
    size_t from = start_at(lua, 3, length);
    if (from > length) {
        luaL_pushfail(lua);
        return 1;
    }
    if (find && (lua_toboolean(lua, 4) || !has_specials(pattern, pattern_length)))
        return find_plain(lua, text, length, from);
    bool anchored = pattern_length > 0 && *pattern == '^';
    const Item *items = pattern_push(lua, pattern + anchored, pattern_length - anchored);
    Match match = {.lua = lua, .start = text, .end = text + length};
    const char *at = text + from, *end;
    do {
        end = pattern_match(&match, items, at);
        if (end && !find)
            return push_captures(&match, at, end);
        if (end) {
            lua_pushinteger(lua, at - text + 1);
            lua_pushinteger(lua, end - text);
            return push_captures(&match, NULL, NULL) + 2;
        }
    } while (at++ < match.end && !anchored);
    luaL_pushfail(lua);
    return 1;
}

static int string_find(lua_State *lua)
{
    return search(lua, true);
}

static int string_match(lua_State *lua)
{
    return search(lua, false);
}

/* ---- gmatch ---- */

enum {
    SUBJECT = 1,
    ITEMS,
    POSITION,
    LAST_END
}; /* upvalues; positions from 0, -1: none */

static int next_match(lua_State *lua)
{
    size_t length;
    const char *text = lua_tolstring(lua, lua_upvalueindex(SUBJECT), &length);
    const Item *items = lua_touserdata(lua, lua_upvalueindex(ITEMS));
    lua_Integer from = lua_tointeger(lua, lua_upvalueindex(POSITION));
    lua_Integer last = lua_tointeger(lua, lua_upvalueindex(LAST_END));
    Match match = {.lua = lua, .start = text, .end = text + length};
    for (; from <= (lua_Integer)length; from++) {
        const char *end = pattern_match(&match, items, text + from);
        if (end == NULL || end - text == last)
            continue;
        lua_pushinteger(lua, end - text);
        lua_copy(lua, -1, lua_upvalueindex(POSITION));
        lua_replace(lua, lua_upvalueindex(LAST_END));
        return push_captures(&match, text + from, end);
    }
    return 0;
}

static int string_gmatch(lua_State *lua)
{
    size_t length, pattern_length;
    luaL_checklstring(lua, 1, &length);
    const char *pattern = luaL_checklstring(lua, 2, &pattern_length);
    size_t from = start_at(lua, 3, length);
    lua_pushvalue(lua, 1);
    pattern_push(lua, pattern, pattern_length);
    lua_pushinteger(lua, (lua_Integer)from);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, next_match, 4);
    return 1;
}

/* ---- gsub ---- */

/* The replacement's text with its %0 to %9 and %%. */
static void add_text(Match *match, luaL_Buffer *buffer, const char *at, const char *end)
{
    size_t length;
    const char *text = lua_tolstring(match->lua, 3, &length), *stop = text + length;
    for (; text < stop; text++) {
        if (*text != '%') {
            luaL_addchar(buffer, *text);
        } else if (++text < stop && *text == '%') {
            luaL_addchar(buffer, '%');
        } else if (text < stop && *text == '0') {
            luaL_addlstring(buffer, at, (size_t)(end - at));
        } else if (text < stop && *text >= '1' && *text <= '9') {
            push_capture(match, *text - '1', at, end);
            luaL_tolstring(match->lua, -1, NULL); /* a position is a number */
            lua_remove(match->lua, -2);
            luaL_addvalue(buffer);
        } else {
            luaL_error(match->lua, "invalid use of '%%' in replacement string");
        }
    }
}

/* What a table or function has for a match; itself where that is nothing. */
static void add_value(Match *match, luaL_Buffer *buffer, const char *at, const char *end)
{
    lua_State *lua = match->lua;
    if (lua_type(lua, 3) == LUA_TFUNCTION) {
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(match, at, end), 1);
    } else {
        push_capture(match, 0, at, end);
        lua_gettable(lua, 3);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        luaL_addlstring(buffer, at, (size_t)(end - at));
    } else if (lua_isstring(lua, -1)) {
        luaL_addvalue(buffer);
    } else {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    }
}

static int string_gsub(lua_State *lua)
{
    size_t length, pattern_length;
    const char *text = luaL_checklstring(lua, 1, &length), *last = NULL;
    const char *pattern = luaL_checklstring(lua, 2, &pattern_length);
    int type = lua_type(lua, 3);
    luaL_argexpected(lua,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE ||
                         type == LUA_TFUNCTION,
                     3, "string/function/table");
    lua_Integer most = luaL_optinteger(lua, 4, (lua_Integer)length + 1), count = 0;
    lua_settop(lua, 3);
    bool anchored = pattern_length > 0 && *pattern == '^';
    const Item *items = pattern_push(lua, pattern + anchored, pattern_length - anchored);
    Match match = {.lua = lua, .start = text, .end = text + length};
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    const char *at = text;
    while (count < most) {
        const char *end = pattern_match(&match, items, at);
        if (end && end != last) {
            count++;
            if (type == LUA_TTABLE || type == LUA_TFUNCTION)
                add_value(&match, &buffer, at, end);
            else
                add_text(&match, &buffer, at, end);
            at = last = end;
        } else if (at < match.end) {
            luaL_addchar(&buffer, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&buffer, at, (size_t)(match.end - at));
    luaL_pushresult(&buffer);
    lua_pushinteger(lua, count);
    return 2;
}

void strings_install(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
        {"gsub", string_gsub}, {"rep", lua_repeat},     {NULL, NULL},
    };
    lua_getglobal(lua, LUA_STRLIBNAME);
    luaL_setfuncs(lua, functions, 0);
    lua_pop(lua, 1);
}
