/* JPEG files for tests, written with libjpeg. */
#ifndef LATHE_TESTS_JPEGS_H
#define LATHE_TESTS_JPEGS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int width, height;
    int channels;    /* 1 grey, 3 RGB, 4 CMYK as Adobe's programs write it */
    int orientation; /* of EXIF; 0: no EXIF */
    int progressive;
} JpegKind;

/* `pixels` [height][width][channels], at the highest quality, colours not subsampled. */
void jpeg_write(const char *path, const JpegKind *kind, const uint8_t *pixels);
/* A smooth RGB picture of that size, which differs with `seed`; through the same. */
void jpeg_write_smooth(const char *path, int width, int height, int seed);
/* The pixel of it. */
uint8_t smooth_pixel(int width, int height, int seed, int y, int x, int channel);

#endif
