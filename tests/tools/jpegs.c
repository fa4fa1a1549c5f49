/* JPEG files for tests: see jpegs.h. */
#include "tests/tools/jpegs.h"

#include "runtime/base/support.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* A TIFF header and one directory with one entry, low byte first. */
static void write_exif(struct jpeg_compress_struct *jpeg, int orientation)
{
    uint8_t block[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
                       0x12, 1,   3,   0,   1, 0, 0,   0,   0,  0, 0, 0, 0, 0, 0, 0};
    block[24] = (uint8_t)orientation;
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, block, sizeof block);
}

void jpeg_write(const char *path, const JpegKind *kind, const uint8_t *pixels)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr manager;
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)kind->width;
    jpeg.image_height = (JDIMENSION)kind->height;
    jpeg.input_components = kind->channels;
    jpeg.in_color_space = kind->channels == 1   ? JCS_GRAYSCALE
                          : kind->channels == 3 ? JCS_RGB
                                                : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    if (kind->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    if (kind->orientation)
        write_exif(&jpeg, kind->orientation);
    for (int y = 0; y < kind->height; y++) {
        JSAMPROW row =
            (JSAMPROW)pixels + (size_t)y * (size_t)(kind->width * kind->channels);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ck_assert_int_eq(fclose(file), 0);
}

uint8_t smooth_pixel(int width, int height, int seed, int y, int x, int channel)
{
    int across = (x * 2 + 1) * 100 / (2 * width), down = (y * 2 + 1) * 100 / (2 * height);
    return (uint8_t)(20 + seed * 37 % 30 +
                     (channel == 0   ? across
                      : channel == 1 ? down
                                     : (across + down) / 2));
}

void jpeg_write_smooth(const char *path, int width, int height, int seed)
{
    uint8_t *pixels = rt_alloc((size_t)width * (size_t)height * 3), *to = pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                *to++ = smooth_pixel(width, height, seed, y, x, c);
    jpeg_write(path, &(JpegKind){.width = width, .height = height, .channels = 3},
               pixels);
    free(pixels);
}
