/* Random numbers, weights and checkpoints that are the same on every run. */
#ifndef LATHE_RANDOM_WEIGHTS_H
#define LATHE_RANDOM_WEIGHTS_H

#include "gen/config/config.h"

void random_seed(uint64_t seed);
double random_unit(void); /* uniform in [-1, 1] */
void random_bytes(uint8_t *bytes, size_t count);

/* Values for every parameter and statistic of the network, at their offsets: kernels that
 * keep the size of activations, scales about 1, variances that are positive. */
void random_weights(const Net *net, float *params, float *stats);

/* A checkpoint of the config with these weights. */
void random_checkpoint(const Config *config, const float *params, const float *stats,
                       const char *path);

double *to_doubles(const float *values, size_t count); /* free() them */

#endif
