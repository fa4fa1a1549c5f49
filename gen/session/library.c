/* Functions that Ctrl-C can end, in the place of Lua's: see library.h. */
#include "gen/session/library.h"

#include "gen/base/paths.h"
#include "gen/session/finalisers.h"
#include "gen/session/interrupt.h"
#include "gen/session/strings.h"
#include "gen/session/tables.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* ---- Coroutines ---- */

/* coroutine.create and coroutine.wrap (the first upvalue): Ctrl-C sets a hook of the main
 * state only, so a coroutine looks for it itself; always looking makes Lua half as
 * fast. */
static int new_coroutine(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    lua_State *made = lua_tothread(lua, 1);
    if (made == NULL && lua_getupvalue(lua, 1, 1)) { /* wrap's function has it */
        made = lua_tothread(lua, 2);
        lua_settop(lua, 1);
    }
    if (made)
        interrupt_watch(made);
    return 1;
}

static void hook_coroutines(lua_State *lua)
{
    static const char *const makers[] = {"create", "wrap"};
    lua_getglobal(lua, LUA_COLIBNAME);
    for (int i = 0; i < 2; i++) {
        lua_getfield(lua, -1, makers[i]);
        lua_pushcclosure(lua, new_coroutine, 1);
        lua_setfield(lua, -2, makers[i]);
    }
    lua_pop(lua, 1);
}

/* ---- Waiting ---- */

/* A function's message says who called it and by what name: here, somebody else. */
static void blame_caller(lua_State *lua, const char *name)
{
    const char *text = lua_tostring(lua, -1);
    if (lua_type(lua, -1) != LUA_TSTRING || strncmp(text, "bad argument", 12) != 0)
        return;
    luaL_where(lua, 1);
    luaL_gsub(lua, text, "'?'", lua_pushfstring(lua, "'%s'", name));
    lua_remove(lua, -2);
    lua_concat(lua, 2);
}

/* A function (the first upvalue, its name the second) that waits for other programs or a
 * terminal: Ctrl-C ends the waiting. */
static int wait_less(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    interrupt_restarts(false);
    int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
    interrupt_restarts(true);
    interrupt_check(lua);
    if (status == LUA_OK)
        return lua_gettop(lua);
    blame_caller(lua, lua_tostring(lua, lua_upvalueindex(2)));
    return lua_error(lua);
}

/* waiting(name, function): the function, Ctrl-C ends its waiting. */
static int waiting(lua_State *lua)
{
    luaL_checkstring(lua, 1);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_settop(lua, 2);
    lua_insert(lua, 1);
    lua_pushcclosure(lua, wait_less, 2);
    return 1;
}

/* ---- What library.lua is given besides ---- */

/* What xpcall has for a message handler (the first upvalue): Lua has hooks off while it
 * handles an error of a hook. */
static int handle_less(lua_State *lua)
{
    if (interrupt_came())
        return 1;
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    return 1;
}

/* handling(function) */
static int handling(lua_State *lua)
{
    lua_settop(lua, 1);
    lua_pushcclosure(lua, handle_less, 1);
    return 1;
}

/* interrupted(): as after Ctrl-C, for what another program was interrupted by. */
static int interrupted_now(lua_State *lua)
{
    interrupt_raise(lua, SIGINT);
    return 0;
}

/* library.lua: the functions that are best written in Lua, where the hook is. */
static bool load_library(lua_State *lua)
{
    char *path = rt_format("%s/gen/session/library.lua", lathe_root());
    bool ok = luaL_loadfilex(lua, path, "t") == LUA_OK;
    free(path);
    lua_pushcfunction(lua, waiting);
    lua_pushcfunction(lua, handling);
    lua_pushcfunction(lua, interrupted_now);
    ok = ok && lua_pcall(lua, 3, 0, 0) == LUA_OK;
    return ok || rt_fail("%s", lua_tostring(lua, -1));
}

bool library_install(lua_State *lua)
{
    hook_coroutines(lua);
    strings_install(lua);
    tables_install(lua);
    finalisers_install(lua);
    return load_library(lua);
}
