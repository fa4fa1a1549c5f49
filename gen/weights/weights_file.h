/* Weights as other programs store them: PyTorch checkpoints (legacy and zip), safetensors
 * and NumPy's .npy and .npz. Files are untrusted: nothing in them is executed, and every
 * size, name and offset is checked before it is used. */
#ifndef LATHE_WEIGHTS_FILE_H
#define LATHE_WEIGHTS_FILE_H

#include "runtime/checkpoint/checkpoint.h"

/* All arrays of a file, converted to float32 in C order, with the file's names and
 * shapes; the format is told by content. The array of a .npy is named after the file. Of
 * a checkpoint, those of its only dictionary of tensors. On failure nothing is left to
 * free. */
bool weights_read(const char *path, Array **arrays, int *count);
/* The same with values NULL: what is in the file, in memory that grows with its names
 * only. `key` chooses a checkpoint's dictionary, or is NULL. *beside, unless NULL, is
 * what else the checkpoint holds, in words, or NULL; free() it. */
bool weights_outline(const char *path, const char *key, Array **arrays, int *count,
                     char **beside);
/* The same as weights_read of the arrays that are wanted: nothing else is unpacked. */
bool weights_read_some(const char *path, const char *key,
                       bool (*wanted)(const void *context, const char *name),
                       const void *context, Array **arrays, int *count);
void arrays_free(Array *arrays, int count);

/* The same arrays give the same bytes. Whole or not at all. */
bool npz_write(const char *path, const Array *arrays, int count);
bool safetensors_write(const char *path, const Array *arrays, int count);

#endif
