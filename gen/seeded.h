/* Weights of an untrained network, for what only asks how long it takes. */
#ifndef LATHE_SEEDED_H
#define LATHE_SEEDED_H

#include "config.h"

/* Write the checkpoint training would begin with: the config's seed, and quantisers' ranges
 * found on a few random images. `beside` is a folder for what lies between. */
bool seeded_write(const Config *config, const char *beside, const char *output);

#endif
