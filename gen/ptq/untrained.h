/* Weights of an untrained network, for what only asks how long it takes. */
#ifndef LATHE_UNTRAINED_H
#define LATHE_UNTRAINED_H

#include "gen/config/config.h"

/* Write the checkpoint training would begin with: the config's seed, and quantisers'
 * ranges found on a few random images. `beside` is a folder for what lies between. */
bool seeded_write(const Config *config, const char *beside, const char *output);

#endif
