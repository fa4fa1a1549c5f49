/* A checkpoint: one file with a readable text header (format, hashes, architecture and
 * config line by line, progress, then one line per array: name, shape, offset, CRC-32)
 * and the arrays behind it as little-endian float32. Written whole or not at all. */
#ifndef LATHE_CHECKPOINT_H
#define LATHE_CHECKPOINT_H

#include "runtime/rt.h"

/* A named float array; conv weights are [kh][kw][c][k], dense [c][k]. */
typedef struct {
    char *name;
    int rank, shape[4];
    size_t count;
    float *values;
} Array;

typedef struct {
    char *arch;     /* Model.arch of the network it belongs to */
    char *config;   /* Model.config it was trained with; "" for imported weights */
    char *progress; /* "key=value" lines of the trainer; "" for plain weights */
    Array
        *arrays; /* "stem.weight"; momentum under "momentum/stem.weight", averaged weights
                       under "ema/..." */
    int count;
} Checkpoint;

bool checkpoint_write(const char *path, const Checkpoint *checkpoint);
/* Checks format, sizes, names and every CRC, and that all values are finite; false and
 * rt_fail with the path otherwise. */
bool checkpoint_read(const char *path, Checkpoint *checkpoint);
void checkpoint_free(Checkpoint *checkpoint);

/* Append a copy of `values` (shape of `param`) as prefix + param->name. */
void checkpoint_add(Checkpoint *checkpoint, const char *prefix, const Param *param,
                    const float *values);
const Array *checkpoint_find(const Checkpoint *checkpoint, const char *prefix,
                             const char *name);

/* The architecture must match line by line; the error names the first line that differs
 * and both values: "last.ckpt: s1b0_conv1: checkpoint has ..., the config says ...". */
bool checkpoint_match_arch(const Checkpoint *checkpoint, const char *path,
                           const char *arch);
/* What pixels mean, data.mean and data.std, must be what `config` (lines) says: weights
 * give wrong answers under another normalisation. */
bool checkpoint_match_pixels(const Checkpoint *checkpoint, const char *path,
                             const char *config);
/* Where `config` (lines) says layer by layer what quantised weights are made for,
 * "quantised.b0_a=...", the checkpoint's must be made for the same. */
bool checkpoint_is_quantised(const Checkpoint *checkpoint);
bool checkpoint_match_quantisers(const Checkpoint *checkpoint, const char *path,
                                 const char *config);
/* The whole config must match, but for train.test_every, which changes no weights, and
 * train.epochs; and with the epochs. */
bool checkpoint_match_config(const Checkpoint *checkpoint, const char *path,
                             const char *config);
bool checkpoint_match_run(const Checkpoint *checkpoint, const char *path,
                          const char *config);

/* Copy the arrays named prefix + name of all `params` to destination + offset; every one
 * must be there with its shape. */
bool checkpoint_take(const Checkpoint *checkpoint, const char *path, const char *prefix,
                     const Param *params, int count, float *destination);
/* The same for weights to be used rather than trained on: the averaged ones where the
 * checkpoint has them. */
bool checkpoint_take_for_use(const Checkpoint *checkpoint, const char *path,
                             const Param *params, int count, float *destination);

/* A network that weights are to be used in. */
typedef struct {
    const char *arch, *config; /* as a Checkpoint has them */
    const Param *params, *stats;
    int param_count, stat_count;
} CheckpointNet;

/* The one way to weights for use: architecture, pixels and quantisers must be the
 * network's, then all its arrays are copied to `params` and `stats`, at their offsets. */
bool checkpoint_use(const Checkpoint *checkpoint, const char *path,
                    const CheckpointNet *net, float *params, float *stats);

#endif
