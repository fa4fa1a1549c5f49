/* From float weights to a checkpoint that a quantised config can start from. */
#ifndef LATHE_START_H
#define LATHE_START_H

#include "ptq.h"

/* Read float weights, calibrate on `images` training images of `data`, write `output`. */
bool start_quantise(const Config *config, const char *weights, const char *data, int images,
                    const PtqOptions *options, const char *output, PtqResult *result);

/* Whether the checkpoint has no quantisers where the config wants them; false and rt_fail
 * when it cannot be read. */
bool start_is_float(const Config *config, const char *weights, bool *is_float);

#endif
