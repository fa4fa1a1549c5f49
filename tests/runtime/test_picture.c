/* Pictures: what is written comes back, every kind of PNG is read as RGB, bad files and
 * failed writes say so and leave nothing behind. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/draw/picture.h"
#include "tests/tools/folder.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(round_trip)
{
    static const int sizes[][2] = {{1, 1}, {7, 3}, {3, 7}, {64, 1}, {1, 64}, {129, 65}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Picture picture = {sizes[i][0], sizes[i][1], NULL}, back;
        size_t bytes = (size_t)picture.width * (size_t)picture.height * 3;
        picture.pixels = rt_alloc(bytes);
        for (size_t b = 0; b < bytes; b++)
            picture.pixels[b] = (uint8_t)(b * b * 31 + b / 7);
        ck_assert(picture_write(in_folder("a.png"), &picture));
        ck_assert(picture_read(in_folder("a.png"), &back));
        ck_assert_int_eq(back.width, picture.width);
        ck_assert_int_eq(back.height, picture.height);
        ck_assert_mem_eq(back.pixels, picture.pixels, bytes);
        picture_free(&back);
        picture_free(&picture);
        ck_assert_ptr_null(picture.pixels);
    }
}
END_TEST

/* What picture_write cannot: any kind of PNG; without data, its head only. libpng ends
 * the test should it fail. */
static void write_png(const char *path, int width, int height, int depth, int type,
                      int interlace, const uint8_t *data, size_t row_bytes)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, type,
                 interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[2] = {{1, 2, 3}, {250, 251, 252}};
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 2);
    png_set_gAMA(png, info, 1.0); /* to be ignored */
    png_write_info(png, info);
    if (data) {
        png_bytep rows[64];
        for (int y = 0; y < height; y++)
            rows[y] = (png_bytep)data + (size_t)y * row_bytes;
        png_write_image(png, rows);
        png_write_end(png, info);
    } else {
        png_write_chunk(png, (png_const_bytep) "IDAT", NULL, 0);
    }
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void check_pixels(const char *path, const uint8_t *wanted, size_t bytes)
{
    Picture picture;
    ck_assert_msg(picture_read(path, &picture), "%s", rt_error());
    ck_assert_uint_eq((size_t)picture.width * (size_t)picture.height * 3, bytes);
    ck_assert_mem_eq(picture.pixels, wanted, bytes);
    picture_free(&picture);
}

START_TEST(any_kind_is_rgb)
{
    const char *path = in_folder("kind.png");
    static const uint8_t grey[] = {9, 200}, grey_rgb[] = {9, 9, 9, 200, 200, 200};
    write_png(path, 2, 1, 8, PNG_COLOR_TYPE_GRAY, 0, grey, 2);
    check_pixels(path, grey_rgb, 6);

    static const uint8_t grey_alpha[] = {9, 0, 200, 255};
    write_png(path, 2, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, grey_alpha, 4);
    check_pixels(path, grey_rgb, 6);

    static const uint8_t bits[] = {0x40}, bits_rgb[] = {0, 0, 0, 255, 255, 255};
    write_png(path, 2, 1, 1, PNG_COLOR_TYPE_GRAY, 0, bits, 1);
    check_pixels(path, bits_rgb, 6);

    static const uint8_t palette_rgb[] = {1, 2, 3, 250, 251, 252};
    write_png(path, 2, 1, 1, PNG_COLOR_TYPE_PALETTE, 0, bits, 1);
    check_pixels(path, palette_rgb, 6);

    static const uint8_t rgba[] = {10, 20, 30, 0, 40, 50, 60, 128};
    static const uint8_t rgba_rgb[] = {10, 20, 30, 40, 50, 60};
    write_png(path, 2, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, 0, rgba, 8);
    check_pixels(path, rgba_rgb, 6);

    static const uint8_t deep[] = {0, 0, 128, 128, 255, 255}, deep_rgb[] = {0, 128, 255};
    write_png(path, 1, 1, 16, PNG_COLOR_TYPE_RGB, 0, deep, 6);
    check_pixels(path, deep_rgb, 3);
}
END_TEST

START_TEST(interlaced)
{
    uint8_t data[19 * 13 * 3];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37);
    write_png(in_folder("i.png"), 19, 13, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7,
              data, 19 * 3);
    check_pixels(in_folder("i.png"), data, sizeof data);
}
END_TEST

static void check_unreadable(const char *path, const char *message)
{
    Picture picture;
    ck_assert(!picture_read(path, &picture));
    ck_assert_ptr_null(picture.pixels);
    check_error(message, path);
}

START_TEST(bad_files)
{
    check_unreadable(in_folder("none.png"), "%s: No such file or directory");
    write_text(in_folder("text.png"), "this is not a picture");
    check_unreadable(in_folder("text.png"), "%s: want a PNG picture: Not a PNG file");
    write_text(in_folder("empty.png"), "");
    check_unreadable(in_folder("empty.png"), "%s: want a PNG picture: Read Error");
}
END_TEST

START_TEST(huge_header)
{
    const char *path = in_folder("huge.png");
    write_png(path, 1000000000, 2000000000, 8, PNG_COLOR_TYPE_RGB, 0, NULL, 0);
    check_unreadable(path, "%s: 1000000000 x 2000000000 pixels, want at most 64 million");
    write_png(path, 64001, 1000, 8, PNG_COLOR_TYPE_GRAY, 0, NULL, 0);
    check_unreadable(path, "%s: 64001 x 1000 pixels, want at most 64 million");
}
END_TEST

/* However short a file is cut, and whichever byte is wrong, nothing but an error or the
 * right size comes out. */
START_TEST(broken_everywhere)
{
    uint8_t data[16 * 16 * 3];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i);
    ck_assert(picture_write(in_folder("whole.png"), &(Picture){16, 16, data}));
    size_t bytes = 0;
    char *file = rt_read_file(in_folder("whole.png"), &bytes);
    ck_assert_ptr_nonnull(file);
    const char *cut = in_folder("cut.png");
    Picture picture;
    for (size_t length = 0; length < bytes; length++) {
        write_bytes(cut, file, length);
        ck_assert_msg(!picture_read(cut, &picture), "%zu bytes of %zu", length, bytes);
        ck_assert_ptr_nonnull(strstr(rt_error(), cut));
        rt_error_clear();
    }
    for (size_t i = 0; i < bytes; i++) {
        file[i] ^= 0x55;
        write_bytes(cut, file, bytes);
        if (picture_read(cut, &picture)) { /* of an optional chunk */
            ck_assert_mem_eq(picture.pixels, data, sizeof data);
            picture_free(&picture);
        }
        rt_error_clear();
        file[i] ^= 0x55;
    }
    free(file);
}
END_TEST

START_TEST(failed_write_keeps_the_old)
{
    uint8_t pixel[3] = {1, 2, 3};
    const char *path = in_folder("old.png");
    ck_assert(picture_write(path, &(Picture){1, 1, pixel}));
    ck_assert(!picture_write(path, &(Picture){0, 1, pixel}));
    check_error("%s: want a PNG picture: Invalid IHDR data", path);
    check_pixels(path, pixel, 3);

    path = in_folder("none/a.png");
    ck_assert(!picture_write(path, &(Picture){1, 1, pixel}));
    check_error("%s: No such file or directory", path);
}
END_TEST

Suite *picture_suite(void)
{
    Suite *suite = suite_create("picture");
    TCase *tests = tcase_create("png");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, any_kind_is_rgb);
    tcase_add_test(tests, interlaced);
    tcase_add_test(tests, bad_files);
    tcase_add_test(tests, huge_header);
    tcase_add_test(tests, broken_everywhere);
    tcase_add_test(tests, failed_write_keeps_the_old);
    suite_add_tcase(suite, tests);
    return suite;
}
