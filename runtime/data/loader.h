/* Images of a set in the order they are wanted: pictures are decoded ahead by threads of
 * the loader's own, which fill a bounded queue; images in memory are taken as they are.
 * Which thread did what leaves no trace in what comes out. */
#ifndef LATHE_LOADER_H
#define LATHE_LOADER_H

#include "runtime/data/image_set.h"
#include "runtime/rt.h"

/* What becomes of each image. */
typedef struct {
    const ImageSet *set;
    const Recipe *recipe;      /* to augment by; NULL: as it is */
    const uint8_t *zero_pixel; /* [channels] for it */
    int most;                  /* images that are taken at once */
    int decoders;              /* threads; 0: as many as rt_threads() */
} LoaderOptions;

typedef struct Loader Loader;

Loader *loader_open(const LoaderOptions *options);
void loader_close(Loader *loader);

/* Begin anew: images order[first], ... order[count - 1] of the set, `order` staying where
 * it is; NULL: 0, 1, ... Randomness of image i is from random_bits(key, i). */
void loader_start(Loader *loader, const int *order, int first, int count, uint64_t key);

/* Wait for images `first` .. first + count - 1 of the order, which are the next ones, and
 * copy them out: their pixels, labels, and, unless it is NULL, whether each stands in for
 * a broken one. False and rt_fail, which names the first of them that is broken. */
bool loader_take(Loader *loader, int first, int count, uint8_t *images, int32_t *labels,
                 bool *stand_ins);

#endif
