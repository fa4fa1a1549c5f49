/* repl: a Lua session with a net. The session itself is repl.lua; here are the command
 * line, the terminal, and Ctrl-C. */
#include "gen/base/paths.h"
#include "gen/session/prompt.h"
#include "gen/session/repl_net.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <lualib.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static lua_State *running; /* the one Ctrl-C interrupts */
static bool guarded;       /* it runs what the user wrote */
static Prompt *prompt;

/* ---- Running chunks ---- */

static void poll_interrupt(lua_State *lua, lua_Debug *record)
{
    (void)record;
    if (!guarded || !interrupted)
        return;
    if (lua == running)
        lua_sethook(lua, NULL, 0, 0);
    lua_pushliteral(lua, "interrupted");
    lua_error(lua);
}

/* coroutine.create and coroutine.wrap (the first upvalue): Ctrl-C sets a hook of the main
 * state only, so a coroutine looks for it itself; always looking makes Lua half as
 * fast. */
static int new_coroutine(lua_State *lua)
{
    enum { INSTRUCTIONS = 100000 };
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    lua_State *made = lua_tothread(lua, 1);
    if (made == NULL && lua_getupvalue(lua, 1, 1)) { /* wrap's function has it */
        made = lua_tothread(lua, 2);
        lua_settop(lua, 1);
    }
    if (made)
        lua_sethook(made, poll_interrupt, LUA_MASKCOUNT, INSTRUCTIONS);
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

static void on_interrupt(int number)
{
    interrupted = number;
    int everything = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
    lua_sethook(running, poll_interrupt, everything, 1);
}

/* Unless they are ignored; *before is what was done so far. */
static void catch_interrupts(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigaction(SIGINT, NULL, before);
    if (before->sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

/* Whether a level of the stack is in a file of the user's. */
static bool of_user(const lua_Debug *record)
{
    static const char own[] = "/gen/session/repl";
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
static int explain(lua_State *lua)
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

/* guard(function, ...): true and its results, or false and the message. Ctrl-C is an
 * error of it. */
static int guard(lua_State *lua)
{
    struct sigaction before;
    lua_pushcfunction(lua, explain);
    lua_insert(lua, 1);
    interrupted = 0;
    lua_sethook(lua, NULL, 0, 0);
    catch_interrupts(&before);
    guarded = true;
    int status = lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 1);
    guarded = false;
    sigaction(SIGINT, &before, NULL);
    lua_sethook(lua, NULL, 0, 0);
    lua_pushboolean(lua, status == LUA_OK);
    lua_replace(lua, 1);
    return lua_gettop(lua);
}

/* ---- Lines ---- */

/* What complete(line) of repl.lua finds. */
static char **completions(void *context, const char *line, size_t *start)
{
    lua_State *lua = context;
    int top = lua_gettop(lua);
    char **words = NULL;
    lua_getfield(lua, LUA_REGISTRYINDEX, "lathe.complete");
    lua_pushstring(lua, line);
    if (lua_pcall(lua, 1, 2, 0) == LUA_OK && lua_istable(lua, -2)) {
        int count = (int)lua_rawlen(lua, -2);
        *start = (size_t)lua_tointeger(lua, -1);
        words = rt_alloc((count + 1) * sizeof *words);
        for (int i = 0; i < count; i++) {
            lua_rawgeti(lua, top + 1, i + 1);
            words[i] = rt_format("%s", lua_tostring(lua, -1));
            lua_pop(lua, 1);
        }
    }
    lua_settop(lua, top);
    return words;
}

/* read(prompt): a line, false after Ctrl-C, nil at the end. */
static int read_prompt(lua_State *lua)
{
    bool cancelled;
    char *line = prompt_read(prompt, luaL_checkstring(lua, 1), &cancelled);
    if (line == NULL)
        lua_pushnil(lua);
    else if (cancelled)
        lua_pushboolean(lua, 0);
    else
        lua_pushstring(lua, line);
    free(line);
    return 1;
}

/* The same from a pipe. */
static int read_pipe(lua_State *lua)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, stdin);
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length < 0)
        lua_pushnil(lua);
    else
        lua_pushlstring(lua, line, (size_t)length);
    free(line);
    return 1;
}

/* $XDG_STATE_HOME/lathe_history or ~/.lathe_history; free() it. NULL without a home. */
static char *history_file(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state && rt_make_directories(state))
        return rt_format("%s/lathe_history", state);
    rt_error_clear();
    return home && *home ? rt_format("%s/.lathe_history", home) : NULL;
}

/* ---- The command ---- */

typedef struct {
    const char *weights, *data, *chunk;
    const char *config, *script; /* NULL: none */
    const char **arguments;      /* of the script */
    int argument_count;
    const char *const *sets;
    int set_count;
} Work;

/* repl.lua's table at index 1: what all below calls. */
static bool load_session(lua_State *lua, const CompileOptions *options)
{
    char *path = rt_format("%s/gen/session/repl.lua", lathe_root());
    bool ok = luaL_loadfilex(lua, path, "t") == LUA_OK;
    free(path);
    if (ok) {
        repl_push_native(lua, options, &interrupted);
        lua_pushcfunction(lua, guard);
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
    lua_pushstring(lua, work->weights);
    lua_setfield(lua, -2, "weights");
    lua_pushstring(lua, work->data);
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
    for (int i = 0; i < work->set_count; i++) {
        lua_pushstring(lua, work->sets[i]);
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
    *status = interrupted ? 128 + interrupted : 1;
    return rt_fail_lines(lua_tostring(lua, 3));
}

/* Lines from the terminal, or from a pipe; *status is 1 after an error in a pipe's. */
static bool run_session(lua_State *lua, int *status)
{
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    lua_settop(lua, 1);
    if (terminal) {
        char *file = history_file();
        lua_getfield(lua, 1, "complete");
        lua_setfield(lua, LUA_REGISTRYINDEX, "lathe.complete");
        prompt = prompt_open(file, completions, lua);
        struct sigaction
            before; /* one between a line and its chunk must not end it all */
        catch_interrupts(&before);
        free(file);
        puts("lathe: help() says what there is, Ctrl-D ends");
    }
    lua_pushcfunction(lua, terminal ? read_prompt : read_pipe);
    lua_pushboolean(lua, terminal);
    bool ok = call(lua, "session", 2, 1);
    if (ok && !terminal && !lua_toboolean(lua, -1))
        *status = 1;
    if (terminal)
        putchar('\n'); /* behind Ctrl-D */
    prompt_close(prompt);
    prompt = NULL;
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
    return work->chunk ? run_chunk(lua, work->chunk, status) : run_session(lua, status);
}

/* The words: CONFIG or SCRIPT, or both, and what is behind a script is for it. */
static bool sort_words(lua_State *lua, Options *options, Work *work)
{
    const char *first = options->config_path;
    work->arguments = options->words.items;
    work->argument_count = options->words.count;
    if (first == NULL)
        return options->words.count == 0 ||
               rt_fail("repl: unexpected word %s; want a CONFIG or a SCRIPT.lua",
                       options->words.items[0]);
    lua_pushstring(lua, first);
    if (!call(lua, "is_script", 1, 2))
        return false;
    if (lua_isnil(lua, -2))
        return rt_fail_lines(lua_tostring(lua, -1));
    bool script = lua_toboolean(lua, -2);
    work->config = script ? NULL : first;
    work->script = script ? first : NULL;
    if (!script && work->argument_count > 0) {
        work->script = *work->arguments++;
        work->argument_count--;
    }
    return !(work->script && work->chunk) ||
           rt_fail("repl: %s and -e: want a script or a chunk, not both", work->script);
}

int cmd_repl(int argc, char **argv)
{
    const Verb verb = {
        "repl",
        "[CONFIG] [SCRIPT.lua [ARGUMENT...]] [FLAG...]",
        "A Lua prompt to load nets, change bitwidths, evaluate, quantise and train\n"
        "them; help() in it says how. With a CONFIG (a .lua file that ends in a\n"
        "`return`) it is the global `net`. A SCRIPT.lua is run without a prompt.",
        CONFIG_OPTIONAL,
        -1,
        false};
    Options options;
    int status = 0;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        /* What one evaluation frees serves the next: fresh pages take a tenth of a
         * second. */
        mallopt(M_MMAP_THRESHOLD, 1 << 30);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
        lua_State *lua = running = luaL_newstate();
        luaL_openlibs(lua);
        hook_coroutines(lua);
        Work work = {.weights = options.weights,
                     .data = options.data,
                     .chunk = options.chunk,
                     .sets = options.sets.items,
                     .set_count = options.sets.count};
        options.compile.target = target_find(options.target);
        ok = options.compile.target && load_session(lua, &options.compile) &&
             sort_words(lua, &options, &work);
        lua_settop(lua, 1);
        ok = ok && work_on(lua, &work, &status);
        lua_close(lua);
    }
    options_free(&options);
    if (!ok)
        command_failed();
    return ok || status ? status : 1;
}
