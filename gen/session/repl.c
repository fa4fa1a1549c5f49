/* What lathe repl does: see repl.h. The session itself is repl.lua. */
#include "gen/session/repl.h"

#include "gen/base/paths.h"
#include "gen/session/interrupt.h"
#include "gen/session/library.h"
#include "gen/session/lines.h"
#include "gen/session/repl_net.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* What the words turn out to be; NULL: none. */
typedef struct {
    const ReplRequest *request;
    const char *config, *script;
    const char *const *arguments; /* of the script */
    int argument_count;
} Work;

/* repl.lua's table at index 1: what all below calls. */
static bool load_session(lua_State *lua, const CompileOptions *options)
{
    char *path = rt_format("%s/gen/session/repl.lua", lathe_root());
    bool ok = luaL_loadfilex(lua, path, "t") == LUA_OK;
    free(path);
    if (ok) {
        repl_push_native(lua, options);
        lua_pushcfunction(lua, interrupt_guard);
        lua_setfield(lua, -2, "guard");
        lua_pushstring(lua, lathe_root());
        ok = lua_pcall(lua, 2, 1, 0) == LUA_OK;
    }
    return ok || rt_fail_lines(lua_tostring(lua, -1));
}

/* Call a function of repl.lua with the arguments above it; its first `results` stay. */
static bool call(lua_State *lua, const char *name, int arguments, int results)
{
    lua_getfield(lua, 1, name);
    lua_insert(lua, -1 - arguments);
    return lua_pcall(lua, arguments, results, 0) == LUA_OK ||
           rt_fail_lines(luaL_tolstring(lua, -1, NULL));
}

static bool begin(lua_State *lua, const Work *work)
{
    lua_newtable(lua);
    lua_pushstring(lua, work->request->weights);
    lua_setfield(lua, -2, "weights");
    lua_pushstring(lua, work->request->data);
    lua_setfield(lua, -2, "data");
    return call(lua, "begin", 1, 0);
}

/* net = open(CONFIG, {set = {...}}) */
static bool open_net(lua_State *lua, const Work *work)
{
    lua_getglobal(lua, "open");
    lua_pushstring(lua, work->config);
    lua_newtable(lua);
    lua_newtable(lua);
    for (int i = 0; i < work->request->set_count; i++) {
        lua_pushstring(lua, work->request->sets[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "set");
    if (lua_pcall(lua, 2, 1, 0) != LUA_OK)
        return rt_fail_lines(luaL_tolstring(lua, -1, NULL));
    lua_setglobal(lua, "net");
    return true;
}

static bool run_script(lua_State *lua, const Work *work, int *status)
{
    lua_settop(lua, 1);
    luaL_checkstack(lua, work->argument_count + 8, NULL);
    lua_pushstring(lua, work->script);
    for (int i = 0; i < work->argument_count; i++)
        lua_pushstring(lua, work->arguments[i]);
    if (!call(lua, "script", 1 + work->argument_count, 2))
        return false;
    if (lua_toboolean(lua, 2))
        return true;
    *status = *interrupt_flag() ? 128 + *interrupt_flag() : 1;
    return rt_fail_lines(lua_tostring(lua, 3));
}

/* Lines from the terminal, or from a pipe; *status is 1 after an error in a pipe's. */
static bool run_session(lua_State *lua, int *status)
{
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    lua_settop(lua, 1);
    lua_getfield(lua, 1, "complete");
    lines_open(lua, terminal);
    if (terminal) {
        interrupt_hold(); /* one between a line and its chunk must not end it all */
        puts("lathe: help() says what there is, Ctrl-D ends");
    }
    lua_pushboolean(lua, terminal);
    bool ok = call(lua, "session", 2, 1);
    if (ok && !terminal && !lua_toboolean(lua, -1))
        *status = 1;
    lines_close();
    if (terminal) {
        interrupt_release();
        putchar('\n'); /* behind Ctrl-D */
    }
    return ok;
}

static bool run_chunk(lua_State *lua, const char *chunk, int *status)
{
    lua_pushstring(lua, chunk);
    bool ok = call(lua, "run", 1, 1);
    *status = ok && lua_toboolean(lua, -1) ? 0 : 1;
    return ok;
}

static bool work_on(lua_State *lua, const Work *work, int *status)
{
    if (!begin(lua, work) || (work->config && !open_net(lua, work)))
        return false;
    if (work->script)
        return run_script(lua, work, status);
    return work->request->chunk ? run_chunk(lua, work->request->chunk, status)
                                : run_session(lua, status);
}

/* The words: CONFIG or SCRIPT, or both, and what is behind a script is for it. */
static bool sort_words(lua_State *lua, const ReplRequest *request, Work *work)
{
    const char *first = request->config;
    *work = (Work){.request = request,
                   .arguments = request->words,
                   .argument_count = request->word_count};
    if (first == NULL)
        return request->word_count == 0 ||
               rt_fail("repl: unexpected word %s; want a CONFIG or a SCRIPT.lua",
                       request->words[0]);
    lua_pushstring(lua, first);
    if (!call(lua, "is_script", 1, 2))
        return false;
    if (lua_isnil(lua, -2))
        return rt_fail("%s", lua_tostring(lua, -1));
    bool script = lua_toboolean(lua, -2);
    work->config = script ? NULL : first;
    work->script = script ? first : NULL;
    if (!script && work->argument_count > 0) {
        work->script = *work->arguments++;
        work->argument_count--;
    }
    return !(work->script && request->chunk) ||
           rt_fail("repl: %s and -e: want a script or a chunk, not both", work->script);
}

bool repl_run(const ReplRequest *request, int *status)
{
    Work work;
    *status = 0;
    /* What one evaluation frees serves the next: fresh pages take a tenth of a second. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    lua_State *lua = interrupt_open();
    if (lua == NULL)
        return false;
    bool ok = library_install(lua) && load_session(lua, request->options) &&
              sort_words(lua, request, &work);
    lua_settop(lua, 1);
    ok = ok && work_on(lua, &work, status);
    interrupt_close(lua);
    return ok;
}
