/* Augmentation of one training image. */
#ifndef LATHE_AUGMENT_H
#define LATHE_AUGMENT_H

#include "runtime/data/image_set.h"
#include "runtime/rt.h"

/* Write an image of `set`, as it is kept, to `out`, augmented as the recipe says with
 * randomness from `key`: a part of at least recipe->area of it resized, its colours
 * changed (colour.h), then mirrored, shifted by up to recipe->crop pixels with
 * `pad_pixel` (per channel) or the image's mirror image coming in, changed at random
 * (recipe->trivial_augment, trivial.h), and blanked with pad_pixel: a recipe->cutout square centred anywhere, and in recipe->erase of the images
 * a box of random area and shape. */
void augment(const ImageSet *set, const Image *kept, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out);

#endif
