/* From float weights to weights that a quantised config can start from. */
#ifndef LATHE_START_H
#define LATHE_START_H

#include "checkpoint.h"
#include "ptq.h"

/* The first `images` of a seeded shuffle of the training images of `data`; as many as there are
 * when they are fewer, but not fewer than `least`. */
bool start_images(const Config *config, const char *data, int least, int images, ImageSet *set);

/* The plain arrays of `weights` (called `path` in errors), quantised for the config on the given
 * images: all arrays of the config, into *start; checkpoint_free() it. */
bool start_make(const Config *config, const Checkpoint *weights, const char *path,
                const ImageSet *images, const PtqOptions *options, Checkpoint *start,
                PtqResult *result);

/* Read float weights, calibrate on `images` training images of `data`, write `output`. */
bool start_quantise(const Config *config, const char *weights, const char *data, int images,
                    const PtqOptions *options, const char *output, PtqResult *result);

/* Whether the arrays lack quantisers that the config wants. */
bool start_lacks_quantisers(const Config *config, const Checkpoint *checkpoint);

/* The same of a checkpoint's file; false and rt_fail when it cannot be read. */
bool start_is_float(const Config *config, const char *weights, bool *is_float);

#endif
