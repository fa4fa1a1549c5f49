/* The arrays of an HDF5 file, and one text beside them: as Keras keeps a model. */
#ifndef LATHE_HDF5_FILE_H
#define LATHE_HDF5_FILE_H

#include "runtime/checkpoint/checkpoint.h"

typedef struct {
    Array *arrays; /* by their paths below the folder, "conv2d/conv2d/kernel:0", sorted */
    int count;
    char *text; /* the attribute, or NULL: the file has none of that name */
} Hdf5;

/* Whether the file begins as one. */
bool hdf5_is(const char *path);

/* All numbers below `folder` ("" or "model_weights"; "" where the file has no such
 * folder) as float32 in C order, and the root's attribute `attribute`, a text. The
 * library runs in a process of its own: what it does not survive is an error like any
 * other. Links that lead out of the file, and arrays kept elsewhere, are refused.
 * hdf5_free() it; nothing is left on failure. */
bool hdf5_read(const char *path, const char *folder, const char *attribute, Hdf5 *file);
void hdf5_free(Hdf5 *file);

#endif
