/* Weights of a config's network, out of a checkpoint. */
#ifndef LATHE_CONFIG_WEIGHTS_H
#define LATHE_CONFIG_WEIGHTS_H

#include "gen/config/config.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/evaluate.h"

/* See checkpoint_use; `path` is for errors. weights_free() them; false leaves none. */
bool config_weights(const Config *config, const Checkpoint *checkpoint, const char *path,
                    Weights *weights);

/* What the quantisers of a config start from: the arrays that a float network has, too,
 * of weights that may be quantised for anything. */
bool config_float_weights(const Config *config, const Checkpoint *checkpoint,
                          const char *path, Weights *weights);

/* A checkpoint for use with these weights, and what its classes are called. */
Checkpoint config_checkpoint(const Config *config, const Weights *weights);

#endif
