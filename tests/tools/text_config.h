/* Configs that a test has as text, loaded from its folder. */
#ifndef LATHE_TEXT_CONFIG_H
#define LATHE_TEXT_CONFIG_H

#include "gen/config/config.h"

/* A small net of parameters that overrides can set. */
extern const char family_config[];

/* As config_load, in plain.lua. */
bool load_text(const char *text, const char *const *overrides, int count, Config *config);
/* A config with nothing wrong, and `rest` as the end of its table. */
bool load_plain(const char *rest, Config *config);

#endif
