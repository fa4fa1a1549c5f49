/* The lines of a session, from a terminal or a pipe. */
#ifndef LATHE_LINES_H
#define LATHE_LINES_H

#include <lua.h>
#include <stdbool.h>

/* Push read(prompt): a line, false after Ctrl-C, nil at the end. From the terminal Tab
 * completes by the function complete(line) on top of the stack, which is popped; see
 * repl.lua. */
void lines_open(lua_State *lua, bool terminal);
void lines_close(void);

#endif
