/* PNG out, through libpng, which leaves by longjmp: the function that calls setjmp owns
 * nothing, its caller frees and closes. */
#include "runtime/draw/picture.h"

#include "runtime/base/support.h"

#include <png.h>
#include <stdlib.h>

static void on_error(png_structp png, png_const_charp message)
{
    rt_fail("%s: cannot write a PNG picture: %s", (const char *)png_get_error_ptr(png),
            message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
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
