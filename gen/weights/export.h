/* Weights for other programs. */
#ifndef LATHE_EXPORT_H
#define LATHE_EXPORT_H

#include "runtime/checkpoint/checkpoint.h"

/* Write the checkpoint's arrays as a .npz, names and layouts as they are; import_weights
 * reads it back. */
bool export_npz(const char *path, const Checkpoint *checkpoint);

#endif
