/* The typed fields of a config, from and to Lua: the rows of fields.def, and `data`. */
#ifndef LATHE_FIELDS_H
#define LATHE_FIELDS_H

#include "gen/config/config.h"

/* Read every field of the config's table, at stack index 1, and refuse unknown ones.
 * Needs the network, for its channels and classes. */
bool fields_read(lua_State *lua, Config *config);

/* Whether a pattern of quant.layers means the layer. */
bool fields_match_layer(const char *pattern, const char *layer);

/* Every field, with defaults filled in, as sorted "path=value" lines; free() it. */
char *fields_lines(lua_State *lua, const Config *config);
/* Config.record and Config.signature, from the lines and the network; free() them. */
char *fields_record(const Config *config);
char *fields_signature(const Config *config);

/* Push the Recipe as a list of C initialisers, ".lr = 0.1". */
void fields_push_recipe(lua_State *lua, const Config *config);

/* rt_fail: section.name is unknown; suggests the nearest string key of the table. */
bool fields_unknown(lua_State *lua, int table, const char *path, const char *section,
                    const char *name);

#endif
