/* __gc: see finalisers.h. Lua runs a finaliser with all hooks off, so it gets to see
 * none: an object that has one is kept by a sentinel of ours, whose finaliser runs the
 * object's in a coroutine, which has hooks of its own. */
#include "gen/session/finalisers.h"

#include "gen/session/interrupt.h"

#include <lauxlib.h>
#include <lualib.h>

static const char sentinels_key = 0; /* object -> sentinel, by weak keys */
#define SENTINEL "lathe.sentinel"

/* The sentinel's __gc: nobody has the object any more but it. */
static int finalise(lua_State *lua)
{
    lua_settop(lua, 1);
    lua_getiuservalue(lua, 1, 1);
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &sentinels_key);
    lua_pushvalue(lua, 2);
    lua_pushnil(lua);
    lua_rawset(lua, 3); /* a finaliser may give the object another one */
    if (luaL_getmetafield(lua, 2, "__gc") != LUA_TFUNCTION)
        return 0;
    lua_State *own = lua_newthread(lua);
    int results;
    interrupt_watch(own);
    lua_pushvalue(lua, -2);
    lua_pushvalue(lua, 2);
    lua_xmove(lua, own, 2);
    if (lua_resume(own, lua, 1, &results) <= LUA_YIELD)
        return 0;
    lua_xmove(own, lua, 1);
    return lua_error(lua); /* Lua makes a warning of it */
}

/* Set the table at 2 as metatable of the object at 1, without its __gc, and keep that. */
static void set_with_finaliser(lua_State *lua)
{
    lua_pushliteral(lua, "__gc");
    lua_pushnil(lua);
    lua_rawset(lua, 2);
    lua_pushvalue(lua, 2);
    lua_setmetatable(lua, 1);
    lua_pushliteral(lua, "__gc");
    lua_pushvalue(lua, 3);
    lua_rawset(lua, 2);
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &sentinels_key);
    lua_pushvalue(lua, 1);
    if (lua_rawget(lua, -2) == LUA_TNIL) {
        lua_pushvalue(lua, 1);
        lua_newuserdatauv(lua, 0, 1);
        lua_pushvalue(lua, 1);
        lua_setiuservalue(lua, -2, 1);
        luaL_setmetatable(lua, SENTINEL);
        lua_rawset(lua, -4);
    }
}

/* With the object at 1 and a table or nil at 2. */
static int set(lua_State *lua)
{
    lua_settop(lua, 2);
    int gc = LUA_TNIL;
    if (lua_istable(lua, 2)) {
        lua_pushliteral(lua, "__gc");
        gc = lua_rawget(lua, 2);
    }
    if (gc != LUA_TNIL && (lua_istable(lua, 1) || lua_isuserdata(lua, 1))) {
        set_with_finaliser(lua);
    } else {
        lua_settop(lua, 2);
        lua_setmetatable(lua, 1);
    }
    lua_settop(lua, 1);
    return 1;
}

static void check_metatable(lua_State *lua)
{
    int type = lua_type(lua, 2);
    luaL_argexpected(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
}

static int set_metatable(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    check_metatable(lua);
    if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL)
        return luaL_error(lua, "cannot change a protected metatable");
    return set(lua);
}

static int debug_set_metatable(lua_State *lua)
{
    check_metatable(lua);
    return set(lua);
}

void finalisers_install(lua_State *lua)
{
    luaL_newmetatable(lua, SENTINEL);
    lua_pushcfunction(lua, finalise);
    lua_setfield(lua, -2, "__gc");
    lua_newtable(lua);
    lua_newtable(lua);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &sentinels_key);
    lua_pushcfunction(lua, set_metatable);
    lua_setglobal(lua, "setmetatable");
    lua_getglobal(lua, LUA_DBLIBNAME);
    lua_pushcfunction(lua, debug_set_metatable);
    lua_setfield(lua, -2, "setmetatable");
    lua_settop(lua, 0);
}
