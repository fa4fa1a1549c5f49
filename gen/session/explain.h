/* Errors of what somebody wrote, in words. */
#ifndef LATHE_EXPLAIN_H
#define LATHE_EXPLAIN_H

#include <lua.h>

/* A message handler: the message as text, with the lines of scripts that led there. */
int explain(lua_State *lua);

#endif
