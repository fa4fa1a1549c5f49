/* PNG in and out, through libpng. */
#ifndef LATHE_PICTURE_H
#define LATHE_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* 8-bit RGB, [height][width][3], top row first. */
typedef struct {
    int width, height;
    uint8_t *pixels;
} Picture;

/* Any PNG (palette, grey, alpha, 16 bit) as RGB; alpha is dropped. A broken file or one
 * over 64 million pixels is an error that names it. */
bool picture_read(const char *path, Picture *picture);
/* Whole or not at all. */
bool picture_write(const char *path, const Picture *picture);
/* The same for drawings, whose flat colours neither need nor gain from a long search. */
bool picture_write_drawing(const char *path, const Picture *picture);
void picture_free(Picture *picture);

#endif
