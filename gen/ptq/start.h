/* From float weights to weights that a quantised config can start from. */
#ifndef LATHE_START_H
#define LATHE_START_H

#include "gen/ptq/ptq.h"
#include "runtime/checkpoint/checkpoint.h"

/* The first `images` of a seeded shuffle of the training images of `data`; as many as
 * there are when they are fewer, but not fewer than `least`. */
bool start_images(const Config *config, const char *data, int least, int images,
                  ImageSet *set);

/* The plain arrays of `weights` (called `path` in errors), quantised for the config on
 * the given images: all arrays of the config, into *start; checkpoint_free() it. */
bool start_make(const Config *config, const Checkpoint *weights, const char *path,
                const ImageSet *images, const PtqOptions *options, Checkpoint *start,
                PtqResult *result);

/* Read float weights, calibrate on `images` training images of `data`, or on all where
 * they are fewer, but not fewer than `least`; write `output`. */
bool start_quantise(const Config *config, const char *weights, const char *data,
                    int least, int images, const PtqOptions *options, const char *output,
                    PtqResult *result);

/* Whether the arrays have steps and ranges for the config's quantisers and bits. */
bool start_is_quantised(const Config *config, const Checkpoint *checkpoint);

/* Whether a checkpoint's file has none such and must be quantised before it is trained
 * on; false and rt_fail when it cannot be read. */
bool start_is_wanted(const Config *config, const char *weights, bool *wanted);

#endif
