/* The words a config lays out layers with: image, conv, bn, relu, add, subsample,
 * maxpool, avgpool, dense. Each appends one op to the Net and returns its output. */
#ifndef LATHE_WORDS_H
#define LATHE_WORDS_H

#include "gen/ir/ir.h"

#include <lauxlib.h>

/* Set the words in the table on top. They lay out layers in the sandbox's context, which
 * must be a Net. */
void words_push(lua_State *lua);

/* The tensor that the Lua value at `index` stands for, or NONE. */
int words_tensor(lua_State *lua, int index);

#endif
