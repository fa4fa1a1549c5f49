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
#include <unistd.h>

enum { MOST_INSTRUCTIONS = 20000000, HOOK_PERIOD = 100, MOST_SECONDS = 5 };
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

/* Processor seconds of this thread. */
static double seconds_used(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

/* Raises an error that names the line that runs. */
static void check_time(lua_State *lua)
{
    if (seconds_used() < sandbox_of(lua)->deadline)
        return;
    luaL_where(lua, 0);
    luaL_error(lua, "%sthe config runs for more than %d seconds", lua_tostring(lua, -1),
               MOST_SECONDS);
}

bool sandbox_in_time(lua_State *lua)
{
    const Sandbox *sandbox = sandbox_of(lua);
    return seconds_used() < sandbox->deadline ||
           rt_fail("%s: the config takes more than %d seconds", sandbox->path,
                   MOST_SECONDS);
}

/* Functions of the library work through up to all bytes in one instruction, so time is
 * looked at often. */
static void count_instructions(lua_State *lua, lua_Debug *record)
{
    (void)record;
    Sandbox *sandbox = sandbox_of(lua);
    sandbox->instructions += HOOK_PERIOD;
    if (sandbox->instructions > MOST_INSTRUCTIONS) {
        luaL_where(lua, 0);
        luaL_error(lua, "%sthe config runs for more than %d instructions",
                   lua_tostring(lua, -1), MOST_INSTRUCTIONS);
    }
    check_time(lua);
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

const char *sandbox_nearest(lua_State *lua, int table, const char *name)
{
    table = lua_absindex(lua, table);
    int count = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1))
        count += lua_type(lua, -2) == LUA_TSTRING;
    const char **names = lua_newuserdatauv(lua, (count + 1) * sizeof *names, 0);
    count = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1))
        if (lua_type(lua, -2) == LUA_TSTRING)
            names[count++] = lua_tostring(lua, -2);
    qsort(names, count, sizeof *names, compare_strings); /* Lua's order is by chance */
    const char *nearest = rt_nearest(name, names, count);
    lua_pop(lua, 1);
    return nearest;
}

/* __index of every file's globals: a name nothing defines is an error at once. */
static int unknown_name(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 2);
    const char *nearest = sandbox_nearest(lua, 1, name);
    if (nearest)
        return luaL_error(lua, "unknown name '%s'; did you mean '%s'?", name, nearest);
    lua_newtable(lua);
    sandbox_of(lua)->push_words(lua);
    sandbox_sorted_keys(lua, -1);
    luaL_Buffer list;
    luaL_buffinit(lua, &list);
    int count = (int)lua_rawlen(lua, 4);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, 4, i);
        luaL_addvalue(&list);
        luaL_addstring(&list, i == count ? "" : i == count - 1 ? " and " : ", ");
    }
    luaL_pushresult(&list);
    return luaL_error(lua, "unknown name '%s'; layers are %s", name,
                      lua_tostring(lua, -1));
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

/* Push the text of a file of at most MOST_FILE bytes, without a byte order mark; raises
 * Lua errors. The buffer is Lua's, so that an error on the way loses nothing. */
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
    size_t mark = bytes >= 3 && memcmp(buffer, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    lua_pushlstring(lua, buffer + mark, bytes - mark);
    lua_replace(lua, -2);
}

/* A text that is handed to Lua's parser in pieces, so that its time is bounded, too: it
 * searches lists of labels and of jumps from the start. */
typedef struct {
    const char *text;
    size_t left;
} Pieces;

static const char *next_piece(lua_State *lua, void *context, size_t *bytes)
{
    enum { PIECE = 1024 };
    Pieces *pieces = context;
    check_time(lua);
    const char *piece = pieces->text;
    *bytes = pieces->left < PIECE ? pieces->left : PIECE;
    pieces->text += *bytes;
    pieces->left -= *bytes;
    return piece;
}

/* Push the string at `text` as a function; raises Lua errors. */
static void load_text(lua_State *lua, int text, const char *chunk_name)
{
    Pieces pieces;
    pieces.text = lua_tolstring(lua, text, &pieces.left);
    if (lua_load(lua, next_piece, &pieces, chunk_name, "t") != LUA_OK)
        lua_error(lua);
}

/* Run the text on top of the stack with fresh globals; leaves its one result instead. */
static void run_text(lua_State *lua, const char *chunk_name)
{
    luaL_checkstack(lua, 16, NULL);
    int text = lua_gettop(lua);
    push_globals(lua);
    int globals = text + 1;
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &prelude_key);
    load_text(lua, -1, "@gen/words.lua");
    run_with_globals(lua, globals, 0);
    lua_newtable(lua);
    lua_pushcfunction(lua, unknown_name);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, globals);
    load_text(lua, text, chunk_name);
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

/* Push the path of the file that `require` of this name means: the one beside the config,
 * or else the one that lathe ships. */
static const char *push_required_path(lua_State *lua, const char *name)
{
    const Sandbox *sandbox = sandbox_of(lua);
    const char *beside = lua_pushfstring(lua, "%s/%s.lua", sandbox->folder, name);
    if (access(beside, F_OK) == 0)
        return beside;
    const char *shipped = lua_pushfstring(lua, "%s/configs/%s.lua", lathe_root(), name);
    return access(shipped, F_OK) == 0 ? shipped : beside;
}

/* require "name": the value that its file returns; run once. */
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
    run_file(lua, push_required_path(lua, name));
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

/* The message on top of the stack becomes rt_fail's, with the config's path where it
 * names no place. */
static bool lua_failed(Sandbox *sandbox)
{
    const char *text = lua_tostring(sandbox->lua, -1), *path = sandbox->path;
    sandbox->limited = false;
    if (text == NULL)
        rt_fail("%s: the config raised an error that is no text", path);
    else if (strcmp(text, "not enough memory") == 0)
        rt_fail("%s: the config asks for more than %d MB of memory", path,
                MOST_BYTES >> 20);
    else if (strstr(text, ".lua:") == NULL && strncmp(text, "--set", 5) != 0)
        rt_fail("%s: %s", path, text);
    else
        rt_fail("%s", text);
    lua_settop(sandbox->lua, 0);
    return false;
}

static bool protected_call(Sandbox *sandbox, int arguments)
{
    sandbox->limited = true;
    if (lua_pcall(sandbox->lua, arguments, 1, 0) != LUA_OK)
        return lua_failed(sandbox);
    sandbox->limited = false;
    return true;
}

bool sandbox_open(Sandbox *sandbox, const char *path, void (*push_words)(lua_State *lua),
                  void *context)
{
    *sandbox =
        (Sandbox){.push_words = push_words, .path = rt_format("%s", short_path(path))};
    char *copy = rt_format("%s", path);
    sandbox->folder = rt_format("%s", dirname(copy));
    free(copy);
    sandbox->deadline = seconds_used() + MOST_SECONDS;
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
    free(sandbox->path);
    free(sandbox->folder);
    sandbox->path = sandbox->folder = NULL;
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
