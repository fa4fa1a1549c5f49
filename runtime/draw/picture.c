/* PNG in and out with libpng's classic interface: the short one (png_image) applies gamma
 * and blends alpha, which would change the bytes a network sees. libpng leaves by
 * longjmp, so the functions that call setjmp own nothing: their callers free and close.
 */
#include "runtime/draw/picture.h"

#include "runtime/base/support.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PIXELS (64 * 1000 * 1000)

static void on_error(png_structp png, png_const_charp message)
{
    rt_fail("%s: want a PNG picture: %s", (const char *)png_get_error_ptr(png), message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static bool read_rows(png_structp png, png_infop info, const char *path, Picture *picture)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours is below */
    png_read_info(png, info);
    uint64_t width = png_get_image_width(png, info);
    uint64_t height = png_get_image_height(png, info);
    if (width * height > MOST_PIXELS)
        return rt_fail("%s: %d x %d pixels, want at most %d million", path, (int)width,
                       (int)height, MOST_PIXELS / 1000000);
    png_set_expand(png); /* palette and 1, 2, 4 bit to 8 bit */
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    picture->width = (int)width;
    picture->height = (int)height;
    picture->pixels = rt_alloc(width * height * 3);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            png_read_row(png, picture->pixels + y * width * 3, NULL);
    png_read_end(png, NULL); /* notices a file cut off behind the pixels */
    return true;
}

bool picture_read(const char *path, Picture *picture)
{
    *picture = (Picture){0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return rt_fail("%s: %s", path, strerror(errno));
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, (void *)path, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info != NULL;
    if (ok) {
        png_init_io(png, file);
        ok = read_rows(png, info, path, picture);
    } else {
        rt_fail("%s: libpng does not start", path);
    }
    png_destroy_read_struct(&png, &info, NULL);
    fclose(file);
    if (!ok)
        picture_free(picture);
    return ok;
}

static bool write_rows(png_structp png, png_infop info, const Picture *picture,
                       bool search)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, search ? 9 : 6);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, search ? PNG_ALL_FILTERS : PNG_FILTER_NONE);
    png_write_info(png, info);
    for (int y = 0; y < picture->height; y++)
        png_write_row(png, picture->pixels + (size_t)y * (size_t)picture->width * 3);
    png_write_end(png, info);
    return true;
}

static bool write_picture(const char *path, const Picture *picture, bool search)
{
    Replacement out;
    if (!rt_replace_begin(&out, path))
        return false;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, (void *)path,
                                              on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info != NULL;
    if (ok) {
        png_init_io(png, out.file);
        ok = write_rows(png, info, picture, search);
    } else {
        rt_fail("%s: libpng does not start", path);
    }
    png_destroy_write_struct(&png, &info);
    if (ok)
        return rt_replace_commit(&out);
    rt_replace_abandon(&out);
    return false;
}

bool picture_write(const char *path, const Picture *picture)
{
    return write_picture(path, picture, true);
}

bool picture_write_drawing(const char *path, const Picture *picture)
{
    return write_picture(path, picture, false);
}

void picture_free(Picture *picture)
{
    free(picture->pixels);
    *picture = (Picture){0};
}
