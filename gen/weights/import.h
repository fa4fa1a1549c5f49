/* Weights from other programs, given to lathe's own arrays. */
#ifndef LATHE_IMPORT_H
#define LATHE_IMPORT_H

#include "runtime/checkpoint/checkpoint.h"

typedef struct {
    const Param *param; /* its name is lathe's: "s1b0_conv1.weight" */
    const char *torch;  /* PyTorch's, "layer1.0.conv1.weight", or several, any of which
                           will  do, "fc.weight|linear.weight"; or NULL */
} ImportName;

/* Read the file and find each array under lathe's name (in lathe's layout, the averaged
 * "ema/" one first) or under PyTorch's (in PyTorch's layout). Fails unless every array is
 * there with its shape and with values that can be used, and no other arrays are. Fills
 * out->arrays; arch, config and progress are left to the caller. */
bool import_weights(const char *path, const ImportName *names, int n_names,
                    Checkpoint *out);

#endif
