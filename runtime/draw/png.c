/* PNG in, through libpng's classic interface: the short one (png_image) applies gamma and
 * blends alpha, which would change the bytes a network sees. libpng leaves by longjmp, so
 * the function that calls setjmp owns nothing that its caller does not free. */
#include "runtime/draw/decode.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t bytes;
} Rest;

static void on_error(png_structp png, png_const_charp message)
{
    decode_fail(png_get_error_ptr(png), "a broken PNG picture: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void take_bytes(png_structp png, png_bytep to, size_t bytes)
{
    Rest *rest = png_get_io_ptr(png);
    if (bytes > rest->bytes)
        png_error(png, "it ends early");
    memcpy(to, rest->data, bytes);
    rest->data += bytes;
    rest->bytes -= bytes;
}

static bool read_rows(png_structp png, png_infop info, Picture *picture,
                      PictureError *error)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours is below */
    png_read_info(png, info);
    if (!decode_begin(picture, png_get_image_width(png, info),
                      png_get_image_height(png, info), error))
        return false;
    png_set_expand(png); /* palette and 1, 2, 4 bit to 8 bit */
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row = (size_t)picture->width * 3;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < (size_t)picture->height; y++)
            png_read_row(png, picture->pixels + y * row, NULL);
    png_read_end(png, info); /* notices a file cut off behind the pixels */
    return true;
}

bool decode_png(const uint8_t *data, size_t bytes, Picture *picture, PictureError *error)
{
    Rest rest = {data, bytes};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, error, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info != NULL || decode_fail(error, "libpng does not start");
    if (ok) {
        png_set_read_fn(png, &rest, take_bytes);
        ok = read_rows(png, info, picture, error);
    }
    png_uint_32 length;
    png_bytep exif;
    if (ok && png_get_eXIf_1(png, info, &length, &exif) != 0)
        decode_turn(picture, exif, length);
    png_destroy_read_struct(&png, &info, NULL);
    return ok;
}
