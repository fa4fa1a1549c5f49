/* Images in a NumPy file, for trying a network on pictures without labels. */
#ifndef LATHE_DATA_NPY_H
#define LATHE_DATA_NPY_H

#include "runtime/data/image_set.h"

/* Read a .npy of uint8 [count][height][width][channels], sizes as set says; labels are 0
 * and set->unlabelled is true. */
bool data_load_npy(const char *path, ImageSet *set);

#endif
