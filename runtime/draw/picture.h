/* Pictures: JPEG and PNG in, PNG out. */
#ifndef LATHE_PICTURE_H
#define LATHE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 8-bit RGB, [height][width][3], top row first. */
typedef struct {
    int width, height;
    uint8_t *pixels;
} Picture;

/* Why a picture cannot be read; behind the file's name it makes the error. Threads that
 * decode at the same time have one each. */
typedef struct {
    char text[200];
} PictureError;

/* A file's bytes, JPEG or PNG by what they begin with, as RGB: any PNG (palette, grey, 16
 * bit; alpha is dropped) and any JPEG (grey, CMYK), turned as its EXIF orientation says.
 * One over 64 million pixels is refused before it is decoded. */
bool picture_decode(const void *data, size_t bytes, Picture *picture,
                    PictureError *error);
/* The same of a file; rt_fail names it. */
bool picture_read(const char *path, Picture *picture);
/* A PNG, whole or not at all. */
bool picture_write(const char *path, const Picture *picture);
/* The same for drawings, whose flat colours neither need nor gain from a long search. */
bool picture_write_drawing(const char *path, const Picture *picture);
void picture_free(Picture *picture);

#endif
