/* A Lua state for untrusted configs: an allow-list of pure functions, text chunks only,
 * `require` of files beside the config or shipped with lathe, a bound on instructions,
 * bytes and seconds. */
#ifndef LATHE_SANDBOX_H
#define LATHE_SANDBOX_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    lua_State *lua;
    size_t allocated; /* bytes asked for since the start: freed ones count, too */
    long instructions;
    void (*push_words)(lua_State *lua);
    bool limited;    /* bytes are, while a config runs */
    double deadline; /* of this thread's processor time, in seconds */
    char *path, *folder;
} Sandbox;

/* A state for the config at `path`, whose folder `require` looks in; words.lua's names
 * and those that `push_words` sets in the table on top are among those they see.
 * `context` is what words find through sandbox_context. */
bool sandbox_open(Sandbox *sandbox, const char *path, void (*push_words)(lua_State *lua),
                  void *context);
void sandbox_close(Sandbox *sandbox);

/* Run the file and push the value it returns; false and rt_fail with file and line on any
 * error or when a limit is reached. */
bool sandbox_run_file(Sandbox *sandbox, const char *path);
/* Evaluate an expression; `chunk_name` begins with '=' and names it in errors. */
bool sandbox_run_value(Sandbox *sandbox, const char *text, const char *chunk_name);
/* Call the function below its `arguments` arguments; leaves one result. */
bool sandbox_call(Sandbox *sandbox, int arguments);

/* A line for each file that was required, sorted by name; free() it. */
char *sandbox_required(Sandbox *sandbox);

void *sandbox_context(lua_State *lua);

/* Whether the config has seconds left; false and rt_fail. For what is done for
 * it in C. */
bool sandbox_in_time(lua_State *lua);

/* The string key of the table that is nearest to the name, as a misspelling; or NULL. */
const char *sandbox_nearest(lua_State *lua, int table, const char *name);

/* Push an array of the table's string and number keys, numbers first, each kind in
 * order. */
void sandbox_sorted_keys(lua_State *lua, int table);

#endif
