/* Weights for other programs. */
#ifndef LATHE_EXPORT_H
#define LATHE_EXPORT_H

#include "runtime/checkpoint/checkpoint.h"

/* Whether the path ends as a format that is written: .npz or .safetensors; rt_fail. */
bool export_knows(const char *path);
/* Write the checkpoint's arrays in the format that the path's ending says, names and
 * layouts as they are; import_weights reads it back. */
bool export_weights(const char *path, const Checkpoint *checkpoint);

#endif
