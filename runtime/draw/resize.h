/* Pictures of another size. */
#ifndef LATHE_RESIZE_H
#define LATHE_RESIZE_H

#include <stdint.h>

/* A part of an image of channels last. */
typedef struct {
    const uint8_t *pixels;        /* the whole image */
    int width, channels;          /* of the image */
    int left, top, right, bottom; /* the part: columns left .. right - 1 */
} Cut;

/* Write the part to `to`, [height][width][channels], resampled bilinearly; where it gets
 * smaller, the filter widens with the ratio, so that every pixel counts (antialiasing).
 * Columns first, then rows, each rounded to 8 bits. */
void resize(const Cut *from, int width, int height, uint8_t *to);

#endif
