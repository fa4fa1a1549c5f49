/* What layers are called, each name once. */
#ifndef LATHE_LAYER_NAMES_H
#define LATHE_LAYER_NAMES_H

#include <lua.h>
#include <stdbool.h>

/* Cut "_bn" or the like off the end of a name; whether it was there. */
bool cut_word(char *name, const char *word);
/* The same for the word of any activation. */
bool cut_activation(char *name);

/* The layer's name: the field of its word's table at stack index 1, else `otherwise`,
 * else that of the input's convolution with a suffix. A Lua error when it may not be
 * called so, or when another layer is. */
const char *name_field(lua_State *lua, const char *word, const char *input,
                       const char *otherwise);
/* Note the name as laid out in this line. */
void take_name(lua_State *lua, const char *name, int line);
/* The same for what passes call the ops of a layer's bias. */
void take_bias_name(lua_State *lua, const char *layer, int line);

#endif
