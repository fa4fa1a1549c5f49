/* The Lua state that runs configs: what they see, what they may use up. */
#include "gen/config/sandbox.h"

#include "gen/base/lua_repeat.h"
#include "gen/base/paths.h"
#include "runtime/base/support.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_INSTRUCTIONS = 20000000, HOOK_PERIOD = 1000, MOST_SECONDS = 5 };
enum { MOST_BYTES = 64 << 20, MOST_FILE = 1 << 20, MOST_NAME = 64 };

static const char *const allowed[][2] = {
    {"assert", 0},         {"error", 0},      {"ipairs", 0},       {"select", 0},
    {"tonumber", 0},       {"tostring", 0},   {"type", 0},         {"math", "abs"},
    {"math", "ceil"},      {"math", "floor"}, {"math", "fmod"},    {"math", "huge"},
    {"math", "log"},       {"math", "exp"},   {"math", "max"},     {"math", "min"},
    {"math", "pi"},        {"math", "sqrt"},  {"math", "sin"},     {"math", "cos"},
    {"math", "tointeger"}, {"math", "type"},  {"string", "byte"},  {"string", "char"},
    {"string", "format"},  {"string", "len"}, {"string", "lower"}, {"string", "rep"},
    {"string", "reverse"}, {"string", "sub"}, {"string", "upper"}, {"table", "concat"},
    {"table", "unpack"},
};

static const char context_key = 0, loaded_key = 0, prelude_key = 0;

static void *allocate(void *userdata, void *old, size_t old_size, size_t size)
{
    Sandbox *sandbox = userdata;
    if (size == 0) {
        free(old);
        return NULL;
    }
    size_t more = old == NULL ? size : size > old_size ? size - old_size : 0;
    if (sandbox->limited && more > 0 && sandbox->allocated + size > MOST_BYTES)
        return NULL;
    sandbox->allocated += more > 0 ? size : 0; /* a realloc may copy all of it */
    return realloc(old, size);
}

static Sandbox *sandbox_of(lua_State *lua)
{
    void *userdata;
    lua_getallocf(lua, &userdata);
    return userdata;
}

static void count_instructions(lua_State *lua, lua_Debug *record)
{
    (void)record;
    Sandbox *sandbox = sandbox_of(lua);
    sandbox->instructions += HOOK_PERIOD;
    if (sandbox->instructions > MOST_INSTRUCTIONS)
        luaL_error(lua, "the config runs for more than %d instructions",
                   MOST_INSTRUCTIONS);
    if (sandbox->limited && clock() > sandbox->deadline)
        luaL_error(lua, "the config runs for more than %d seconds", MOST_SECONDS);
}

void *sandbox_context(lua_State *lua)
{
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &context_key);
    void *context = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return context;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sandbox_sorted_keys(lua_State *lua, int table)
{
    luaL_checkstack(lua, 8, NULL);
    table = lua_absindex(lua, table);
    int strings = 0, numbers = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
        int type = lua_type(lua, -2);
        strings += type == LUA_TSTRING;
        numbers += type == LUA_TNUMBER;
    }
    const char **names = lua_newuserdatauv(lua, (strings + 1) * sizeof *names, 0);
    double *values = lua_newuserdatauv(lua, (numbers + 1) * sizeof *values, 0);
    strings = numbers = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
        if (lua_type(lua, -2) == LUA_TSTRING)
            names[strings++] = lua_tostring(lua, -2);
        else if (lua_type(lua, -2) == LUA_TNUMBER)
            values[numbers++] = lua_tonumber(lua, -2);
    }
    qsort(names, strings, sizeof *names, compare_strings);
    qsort(values, numbers, sizeof *values, compare_numbers);
    lua_createtable(lua, strings + numbers, 0);
    for (int i = 0; i < numbers; i++) {
        if (values[i] == (lua_Integer)values[i])
            lua_pushinteger(lua, (lua_Integer)values[i]);
        else
            lua_pushnumber(lua, values[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    for (int i = 0; i < strings; i++) {
        lua_pushstring(lua, names[i]);
        lua_rawseti(lua, -2, numbers + i + 1);
    }
    lua_replace(lua, -3);
    lua_pop(lua, 1);
}

static int word_sorted_keys(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    sandbox_sorted_keys(lua, 1);
    return 1;
}

/* __index of every file's globals: a name nothing defines is an error at once. */
static int unknown_name(lua_State *lua)
{
    enum { MOST_NAMES = 128 };
    const char *names[MOST_NAMES];
    int count = 0;
    const char *name = luaL_checkstring(lua, 2);
    for (lua_pushnil(lua); lua_next(lua, 1) && count < MOST_NAMES; lua_pop(lua, 1))
        if (lua_type(lua, -2) == LUA_TSTRING)
            names[count++] = lua_tostring(lua, -2);
    const char *nearest = rt_nearest(name, names, count);
    if (nearest)
        return luaL_error(lua, "unknown name '%s'; did you mean '%s'?", name, nearest);
    return luaL_error(lua, "unknown name '%s'", name);
}

/* Push a table of the allowed functions of the library, or of the global ones (NULL). */
static void push_allowed(lua_State *lua, const char *library)
{
    lua_newtable(lua);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        const char *owner = allowed[i][1] ? allowed[i][0] : NULL;
        const char *name = allowed[i][1] ? allowed[i][1] : allowed[i][0];
        if ((owner == NULL) != (library == NULL) ||
            (owner && strcmp(owner, library) != 0))
            continue;
        lua_getglobal(lua, owner ? owner : LUA_GNAME);
        lua_getfield(lua, -1, name);
        lua_setfield(lua, -3, name);
        lua_pop(lua, 1);
    }
}

static int word_require(lua_State *lua);

/* Push a table of globals for one file, without the words that words.lua defines. */
static void push_globals(lua_State *lua)
{
    push_allowed(lua, NULL);
    const char *const libraries[] = {"math", "string", "table"};
    for (int i = 0; i < 3; i++) {
        push_allowed(lua, libraries[i]);
        lua_setfield(lua, -2, libraries[i]);
    }
    sandbox_of(lua)->push_words(lua);
    const luaL_Reg own[] = {
        {"require", word_require}, {"sorted_keys", word_sorted_keys}, {NULL, NULL}};
    luaL_setfuncs(lua, own, 0);
}

/* Give the function on top the globals below it, and run it. */
static void run_with_globals(lua_State *lua, int globals, int results)
{
    lua_pushvalue(lua, globals);
    lua_setupvalue(lua, -2, 1); /* a chunk's only upvalue is its globals */
    lua_call(lua, 0, results);
}

/* Push the text of a file of at most MOST_FILE bytes; raises Lua errors. The buffer is
 * Lua's, so that an error on the way loses nothing. */
static void push_file(lua_State *lua, const char *path)
{
    char *buffer = lua_newuserdatauv(lua, MOST_FILE + 1, 0);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        luaL_error(lua, "%s: %s", short_path(path), strerror(errno));
    size_t bytes = fread(buffer, 1, MOST_FILE + 1, file);
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        luaL_error(lua, "%s: cannot be read as a file", short_path(path));
    if (bytes > MOST_FILE)
        luaL_error(lua, "%s: over %d bytes", short_path(path), MOST_FILE);
    lua_pushlstring(lua, buffer, bytes);
    lua_replace(lua, -2);
}

/* Run the text on top of the stack with fresh globals; leaves its one result instead. */
static void run_text(lua_State *lua, const char *chunk_name)
{
    luaL_checkstack(lua, 16, NULL);
    int text = lua_gettop(lua);
    push_globals(lua);
    int globals = text + 1;
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &prelude_key);
    size_t bytes;
    const char *source = lua_tolstring(lua, -1, &bytes);
    if (luaL_loadbufferx(lua, source, bytes, "@gen/words.lua", "t") != LUA_OK)
        lua_error(lua);
    run_with_globals(lua, globals, 0);
    lua_newtable(lua);
    lua_pushcfunction(lua, unknown_name);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, globals);
    source = lua_tolstring(lua, text, &bytes);
    if (luaL_loadbufferx(lua, source, bytes, chunk_name, "t") != LUA_OK)
        lua_error(lua);
    run_with_globals(lua, globals, 1);
    lua_replace(lua, text);
    lua_settop(lua, text);
}

static void run_file(lua_State *lua, const char *path)
{
    push_file(lua, path);
    lua_pushfstring(lua, "@%s", short_path(path));
    lua_insert(lua, -2);
    run_text(lua, lua_tostring(lua, -2));
    lua_replace(lua, -2);
}

static bool plain_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    return *name && strlen(name) <= MOST_NAME;
}

/* require "name": the value that name.lua beside the config returns; run once. */
static int word_require(lua_State *lua)
{
    size_t length;
    const char *name = luaL_checklstring(lua, 1, &length);
    if (!plain_name(name) || strlen(name) != length)
        return luaL_error(lua,
                          "require: want the plain name of a file beside the config");
    lua_settop(lua, 1);
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &loaded_key);
    int loaded = lua_getfield(lua, 2, name);
    if (loaded == LUA_TLIGHTUSERDATA)
        return luaL_error(lua, "require: %s requires itself", name);
    if (loaded != LUA_TNIL)
        return 1;
    lua_pushlightuserdata(lua, NULL);
    lua_setfield(lua, 2, name); /* until it is done */
    Sandbox *sandbox = sandbox_of(lua);
    const char *path = lua_pushfstring(lua, "%s/%s.lua", sandbox->folder, name);
    run_file(lua, path);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, 2, name);
    return 1;
}

char *sandbox_required(Sandbox *sandbox)
{
    lua_State *lua = sandbox->lua;
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &loaded_key);
    sandbox_sorted_keys(lua, -1);
    char *text = rt_format("%s", "");
    for (int i = 1; i <= (int)lua_rawlen(lua, -1); i++) {
        lua_rawgeti(lua, -1, i);
        char *longer = rt_format("%s%s\n", text, lua_tostring(lua, -1));
        lua_pop(lua, 1);
        free(text);
        text = longer;
    }
    lua_pop(lua, 2);
    return text;
}

static int open_protected(lua_State *lua)
{
    const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                  {LUA_MATHLIBNAME, luaopen_math},
                                  {LUA_STRLIBNAME, luaopen_string},
                                  {LUA_TABLIBNAME, luaopen_table}};
    for (int i = 0; i < 4; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    lua_getglobal(lua, LUA_STRLIBNAME);
    lua_pushcfunction(lua, lua_repeat);
    lua_setfield(lua, -2, "rep");
    /* Methods of strings are found through their metatable: the same allow-list there. */
    lua_pushliteral(lua, "");
    lua_getmetatable(lua, -1);
    push_allowed(lua, LUA_STRLIBNAME);
    lua_setfield(lua, -2, "__index");
    lua_settop(lua, 0);
    lua_newtable(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &loaded_key);
    push_file(lua, lua_pushfstring(lua, "%s/gen/config/words.lua", lathe_root()));
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &prelude_key);
    return 0;
}

/* The message on top of the stack becomes rt_fail's. */
static bool lua_failed(Sandbox *sandbox)
{
    const char *text = lua_tostring(sandbox->lua, -1);
    sandbox->limited = false;
    if (text && strcmp(text, "not enough memory") == 0)
        rt_fail("the config asks for more than %d MB of memory", MOST_BYTES >> 20);
    else
        rt_fail("%s", text ? text : "the config raised an error that is no text");
    lua_settop(sandbox->lua, 0);
    return false;
}

static bool protected_call(Sandbox *sandbox, int arguments)
{
    sandbox->limited = true;
    sandbox->deadline = clock() + (clock_t)MOST_SECONDS * CLOCKS_PER_SEC;
    if (lua_pcall(sandbox->lua, arguments, 1, 0) != LUA_OK)
        return lua_failed(sandbox);
    sandbox->limited = false;
    return true;
}

bool sandbox_open(Sandbox *sandbox, const char *path, void (*push_words)(lua_State *lua),
                  void *context)
{
    *sandbox = (Sandbox){.push_words = push_words};
    char *copy = rt_format("%s", path);
    snprintf(sandbox->folder, sizeof sandbox->folder, "%s", dirname(copy));
    free(copy);
    sandbox->lua = lua_newstate(allocate, sandbox);
    if (sandbox->lua == NULL)
        return rt_fail("out of memory");
    lua_State *lua = sandbox->lua;
    lua_pushlightuserdata(lua, context);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &context_key);
    lua_pushcfunction(lua, open_protected);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK)
        return lua_failed(sandbox);
    lua_sethook(lua, count_instructions, LUA_MASKCOUNT, HOOK_PERIOD);
    return true;
}

void sandbox_close(Sandbox *sandbox)
{
    if (sandbox->lua)
        lua_close(sandbox->lua);
    sandbox->lua = NULL;
}

static int file_protected(lua_State *lua)
{
    run_file(lua, lua_touserdata(lua, 1));
    return 1;
}

bool sandbox_run_file(Sandbox *sandbox, const char *path)
{
    lua_pushcfunction(sandbox->lua, file_protected);
    lua_pushlightuserdata(sandbox->lua, (void *)path);
    return protected_call(sandbox, 1);
}

static int value_protected(lua_State *lua)
{
    lua_pushfstring(lua, "return %s", lua_touserdata(lua, 1));
    run_text(lua, lua_touserdata(lua, 2));
    return 1;
}

bool sandbox_run_value(Sandbox *sandbox, const char *text, const char *chunk_name)
{
    lua_pushcfunction(sandbox->lua, value_protected);
    lua_pushlightuserdata(sandbox->lua, (void *)text);
    lua_pushlightuserdata(sandbox->lua, (void *)chunk_name);
    return protected_call(sandbox, 2);
}

bool sandbox_call(Sandbox *sandbox, int arguments)
{
    return protected_call(sandbox, arguments);
}
