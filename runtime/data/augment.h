/* Augmentation of one training image. */
#ifndef LATHE_AUGMENT_H
#define LATHE_AUGMENT_H

#include "runtime/data/image_set.h"
#include "runtime/rt.h"

/* Write an image of `set`, as it is kept, to `out`, augmented as the recipe says with randomness
 * from `key`: a part of at least recipe->area of it resized, mirrored, shifted by up to
 * recipe->crop pixels with `pad_pixel` (per channel) coming in, and a recipe->cutout square of
 * pad_pixel centred anywhere in it. */
void augment(const ImageSet *set, const Image *kept, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out);

#endif
