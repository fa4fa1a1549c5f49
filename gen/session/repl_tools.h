/* What the Lua of a session is given besides nets: fields, files, the terminal, plots.
 * And what functions of C that it calls have in common. */
#ifndef LATHE_REPL_TOOLS_H
#define LATHE_REPL_TOOLS_H

#include <lua.h>
#include <stdbool.h>

/* Push the table of them. */
void repl_push_tools(lua_State *lua);

/* Push nil and why it failed: what such a function returns then. */
int repl_failed(lua_State *lua);
/* Push true, or the same. */
int repl_done(lua_State *lua, bool ok);

/* The strings of the list at `index`, as one of Lua's blocks; *count of them. */
const char **repl_strings(lua_State *lua, int index, int *count);

#endif
