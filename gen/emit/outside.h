/* Text from outside in templates: a value that no template can print, join or look into
 * before one of the escapes in escapes.lua made it fit for where it stands. */
#ifndef LATHE_OUTSIDE_H
#define LATHE_OUTSIDE_H

#include <lua.h>

/* Push the text as such a value; "" for NULL. */
void outside_push(lua_State *lua, const char *text);

/* As the field `name` of the table on top of the stack. */
void outside_set(lua_State *lua, const char *name, const char *text);

/* Push the table of escapes, by name. Raises a Lua error when they cannot be read. */
void outside_push_escapes(lua_State *lua);

#endif
