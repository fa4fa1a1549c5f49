/* concat, insert, move, remove and sort of Lua 5.4: see tables.h. What they go over need
 * not be in memory: a range is what somebody says, a length what __len does. */
#include "gen/session/tables.h"

#include "gen/session/interrupt.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>

/* Not in a table's elements one by one: now and then. */
static void look(lua_State *lua, lua_Integer step)
{
    if (step % 4096 == 0)
        interrupt_check(lua);
}

/* Something with the metamethods it takes. */
static void check_table(lua_State *lua, int argument, const char *const *methods)
{
    if (lua_type(lua, argument) == LUA_TTABLE)
        return;
    for (; *methods; methods++) {
        if (luaL_getmetafield(lua, argument, *methods) == LUA_TNIL)
            luaL_checktype(lua, argument, LUA_TTABLE);
        lua_pop(lua, 1);
    }
}

static const char *const reads[] = {"__index", NULL};
static const char *const measured[] = {"__index", "__len", NULL};
static const char *const writes[] = {"__newindex", NULL};
static const char *const all[] = {"__index", "__newindex", "__len", NULL};

/* t[to] = t[from] */
static void copy(lua_State *lua, lua_Integer from, lua_Integer to)
{
    lua_geti(lua, 1, from);
    lua_seti(lua, 1, to);
}

static int insert(lua_State *lua)
{
    check_table(lua, 1, all);
    lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(lua, 1) + 1), at = end;
    int count = lua_gettop(lua);
    if (count != 2 && count != 3)
        return luaL_error(lua, "wrong number of arguments to 'insert'");
    if (count == 3) {
        at = luaL_checkinteger(lua, 2);
        luaL_argcheck(lua, (lua_Unsigned)at - 1u < (lua_Unsigned)end, 2,
                      "position out of bounds");
        for (lua_Integer i = end; i > at; i--) {
            copy(lua, i - 1, i);
            look(lua, i);
        }
    }
    lua_settop(lua, count);
    lua_seti(lua, 1, at);
    return 0;
}

static int remove_element(lua_State *lua)
{
    check_table(lua, 1, all);
    lua_Integer length = luaL_len(lua, 1), at = luaL_optinteger(lua, 2, length);
    if (at != length)
        luaL_argcheck(lua, (lua_Unsigned)at - 1u <= (lua_Unsigned)length, 2,
                      "position out of bounds");
    lua_geti(lua, 1, at);
    for (; at < length; at++) {
        copy(lua, at + 1, at);
        look(lua, at);
    }
    lua_pushnil(lua);
    lua_seti(lua, 1, at);
    return 1;
}

/* move(from, first, last, to, into) */
static int move(lua_State *lua)
{
    lua_Integer first = luaL_checkinteger(lua, 2), last = luaL_checkinteger(lua, 3);
    lua_Integer to = luaL_checkinteger(lua, 4);
    int into = lua_isnoneornil(lua, 5) ? 1 : 5;
    check_table(lua, 1, reads);
    check_table(lua, into, writes);
    if (last >= first) {
        luaL_argcheck(lua, first > 0 || last < LUA_MAXINTEGER + first, 3,
                      "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(lua, to <= LUA_MAXINTEGER - count + 1, 4,
                      "destination wrap around");
        bool up =
            to > last || to <= first || (into == 5 && !lua_compare(lua, 1, 5, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer step = up ? i : count - 1 - i;
            lua_geti(lua, 1, first + step);
            lua_seti(lua, into, to + step);
            look(lua, i);
        }
    }
    lua_pushvalue(lua, into);
    return 1;
}

static void add_element(lua_State *lua, luaL_Buffer *buffer, lua_Integer i)
{
    lua_geti(lua, 1, i);
    if (!lua_isstring(lua, -1))
        luaL_error(lua, "invalid value (%s) at index %I in table for 'concat'",
                   luaL_typename(lua, -1), i);
    luaL_addvalue(buffer);
    look(lua, i);
}

static int concat(lua_State *lua)
{
    check_table(lua, 1, measured);
    size_t length;
    lua_Integer last = luaL_len(lua, 1);
    const char *separator = luaL_optlstring(lua, 2, "", &length);
    lua_Integer i = luaL_optinteger(lua, 3, 1);
    last = luaL_optinteger(lua, 4, last);
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (; i < last; i++) {
        add_element(lua, &buffer, i);
        luaL_addlstring(&buffer, separator, length);
    }
    if (i == last)
        add_element(lua, &buffer, i);
    luaL_pushresult(&buffer);
    return 1;
}

/* What sort compares by, where Lua would not look: with < or, the first upvalue, a
 * function. */
static int compare(lua_State *lua)
{
    interrupt_check(lua);
    if (lua_isnil(lua, lua_upvalueindex(1))) {
        lua_pushboolean(lua, lua_compare(lua, 1, 2, LUA_OPLT));
        return 1;
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 2, 1);
    return 1;
}

/* Lua's own (the first upvalue); it takes long only where the table does. */
static int sort(lua_State *lua)
{
    enum { SHORT = 1 << 14 };
    check_table(lua, 1, all);
    lua_Integer length = luaL_len(lua, 1);
    luaL_argcheck(lua, length < INT_MAX, 1, "array too big");
    if (length > 1 && !lua_isnoneornil(lua, 2))
        luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_settop(lua, 2);
    if (lua_isnil(lua, 2) ? length > SHORT : lua_iscfunction(lua, 2))
        lua_pushcclosure(lua, compare, 1);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 2, 0);
    return 0;
}

void tables_install(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"concat", concat},         {"insert", insert}, {"move", move},
        {"remove", remove_element}, {NULL, NULL},
    };
    lua_getglobal(lua, LUA_TABLIBNAME);
    lua_getfield(lua, -1, "sort");
    lua_pushcclosure(lua, sort, 1);
    lua_setfield(lua, -2, "sort");
    luaL_setfuncs(lua, functions, 0);
    lua_pop(lua, 1);
}
