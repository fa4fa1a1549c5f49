/* Pictures as images: see pictures.h. */
#include "runtime/data/pictures.h"

#include "runtime/base/support.h"
#include "runtime/draw/resize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 64 * 1000 * 1000 };

bool picture_suits(const DataWant *want, PictureError *error)
{
    if (want->channels == 1 || want->channels == 3)
        return true;
    snprintf(error->text, sizeof error->text,
             "pictures have 1 or 3 channels, the network reads %d", want->channels);
    return false;
}

static void take_pixels(const uint8_t *from, size_t count, int channels, uint8_t *to)
{
    if (channels == 3) {
        memcpy(to, from, count * 3);
        return;
    }
    for (size_t i = 0; i < count; i++, from += 3)
        to[i] = (uint8_t)((77 * from[0] + 150 * from[1] + 29 * from[2] + 128) >> 8);
}

void picture_take_channels(const Picture *picture, int channels, uint8_t *to)
{
    take_pixels(picture->pixels, (size_t)picture->width * (size_t)picture->height,
                channels, to);
}

void picture_size_by_side(int64_t *height, int64_t *width, int side)
{
    bool by_width = *width <= *height;
    int64_t shorter = by_width ? *width : *height;
    *height = by_width ? *height * side / shorter : side;
    *width = by_width ? side : *width * side / shorter;
}

/* By data.resize, or as small as covers the network's image. */
static void choose_size(const Picture *picture, const DataWant *want, int64_t *height,
                        int64_t *width)
{
    int64_t w = picture->width, h = picture->height;
    *width = w;
    *height = h;
    if (want->resize > 0) {
        picture_size_by_side(height, width, want->resize);
    } else if (w * want->height <= h * want->width) {
        *width = want->width;
        *height = h * want->width / w;
    } else {
        *height = want->height;
        *width = w * want->height / h;
    }
}

/* The part in the middle of RGB pixels. */
static void take_centre(const Picture *from, const DataWant *want, uint8_t *image)
{
    int top = (from->height - want->height) / 2, left = (from->width - want->width) / 2;
    size_t row = (size_t)want->width * (size_t)want->channels;
    for (int y = 0; y < want->height; y++, image += row) {
        size_t place = (size_t)(top + y) * (size_t)from->width + (size_t)left;
        take_pixels(from->pixels + place * 3, (size_t)want->width, want->channels, image);
    }
}

bool picture_to_image(const Picture *picture, const DataWant *want, uint8_t *image,
                      PictureError *error)
{
    int64_t high, wide;
    if (!picture_suits(want, error))
        return false;
    choose_size(picture, want, &high, &wide);
    if (wide < want->width || high < want->height || wide * high > MOST_PIXELS) {
        snprintf(
            error->text, sizeof error->text,
            "%lld x %lld pixels by data.resize=%d, want at least %d x %d and at most 64 "
            "million",
            (long long)wide, (long long)high, want->resize, want->width, want->height);
        return false;
    }
    if (wide == picture->width && high == picture->height) {
        take_centre(picture, want, image);
        return true;
    }
    Picture resized = {(int)wide, (int)high, rt_alloc((size_t)(wide * high) * 3)};
    resize(
        &(Cut){picture->pixels, picture->width, 3, 0, 0, picture->width, picture->height},
        resized.width, resized.height, resized.pixels);
    take_centre(&resized, want, image);
    picture_free(&resized);
    return true;
}

bool picture_read_image(const char *path, const DataWant *want, uint8_t *image)
{
    Picture picture;
    PictureError error;
    if (!picture_read(path, &picture))
        return false;
    bool ok = picture_to_image(&picture, want, image, &error) ||
              rt_fail("%s: %s", path, error.text);
    picture_free(&picture);
    return ok;
}
