/* Labelled 8-bit images in memory. */
#ifndef LATHE_IMAGE_SET_H
#define LATHE_IMAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int count, height, width, channels;
    uint8_t *pixels; /* [count][height][width][channels] */
    int32_t *labels; /* [count] */
    bool unlabelled; /* labels say nothing */
} ImageSet;

/* Of one image. */
size_t image_set_bytes(const ImageSet *set);
void data_free(ImageSet *set);

/* Split `set` in two by a seeded choice: `count` images move to `held_out`, in their
 * original order both. Fails when fewer than count + 1 images are there. */
bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out);

#endif
