/* lathe's own files, read while a template is printed. One that cannot be read (no
 * descriptor left, no permission) is no bug of a template: rt_fail says why, and printing
 * ends. */
#ifndef LATHE_OWN_FILE_H
#define LATHE_OWN_FILE_H

#include <lua.h>

/* Push the text of the file, by its path from the root; or raise a Lua error. */
void own_file_push(lua_State *lua, const char *path);
/* The same as a chunk to be called. */
void own_file_load(lua_State *lua, const char *path);

#endif
