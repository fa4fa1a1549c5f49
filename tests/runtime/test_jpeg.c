/* Pictures of other programs: JPEG of every kind comes out as RGB and upright, what is
 * broken says so, and resizing is what the filter's definition says. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/draw/picture.h"
#include "runtime/draw/resize.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { W = 40, H = 24 };

static Picture read_jpeg(const JpegKind *kind, const uint8_t *pixels)
{
    Picture picture;
    jpeg_write(in_folder("a.jpg"), kind, pixels);
    ck_assert_msg(picture_read(in_folder("a.jpg"), &picture), "%s", rt_error());
    return picture;
}

static const uint8_t *pixel(const Picture *picture, int y, int x)
{
    return picture->pixels + ((size_t)y * (size_t)picture->width + (size_t)x) * 3;
}

static void check_near(const uint8_t *found, int r, int g, int b)
{
    ck_assert_int_le(abs(found[0] - r), 3);
    ck_assert_int_le(abs(found[1] - g), 3);
    ck_assert_int_le(abs(found[2] - b), 3);
}

START_TEST(every_kind_is_rgb)
{
    static uint8_t rgb[H * W * 3], grey[H * W], cmyk[H * W * 4];
    for (int i = 0; i < H * W; i++) {
        static const uint8_t colour[] = {200, 90, 30};
        memcpy(rgb + 3 * i, colour, 3);
        grey[i] = 77;
        static const uint8_t ink[] = {200, 100, 50, 128}; /* 255 - ink, as Adobe's do */
        memcpy(cmyk + 4 * i, ink, 4);
    }
    for (int progressive = 0; progressive < 2; progressive++) {
        Picture picture = read_jpeg(&(JpegKind){W, H, 3, 0, progressive}, rgb);
        ck_assert_int_eq(picture.width, W);
        ck_assert_int_eq(picture.height, H);
        check_near(pixel(&picture, 5, 7), 200, 90, 30);
        picture_free(&picture);
    }
    Picture picture = read_jpeg(&(JpegKind){W, H, 1, 0, 0}, grey);
    check_near(pixel(&picture, H - 1, W - 1), 77, 77, 77);
    picture_free(&picture);
    picture = read_jpeg(&(JpegKind){W, H, 4, 0, 0}, cmyk);
    check_near(pixel(&picture, 0, 0), 200 * 128 / 255, 100 * 128 / 255, 50 * 128 / 255);
    picture_free(&picture);
}
END_TEST

/* Corners of the picture as it is to be seen, from the top left clockwise, by the corners
 * of what is stored: EXIF's definition of the eight. */
START_TEST(exif_turns)
{
    static const char seen[9][5] = {"ABCD", "ABCD", "BADC", "CDAB", "DCBA",
                                    "ADCB", "DABC", "CBAD", "BCDA"};
    static uint8_t stored[H * W * 3];
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) { /* A B over D C */
            int corner = y < H / 2 ? x >= W / 2 : x >= W / 2 ? 2 : 3;
            memset(stored + (y * W + x) * 3, 40 + 60 * corner, 3);
        }
    for (int way = 0; way <= 8; way++) {
        Picture picture = read_jpeg(&(JpegKind){W, H, 3, way, 0}, stored);
        ck_assert_int_eq(picture.width, way < 5 ? W : H);
        ck_assert_int_eq(picture.height, way < 5 ? H : W);
        int right = picture.width - 2, below = picture.height - 2;
        const int at[4][2] = {{1, 1}, {1, right}, {below, right}, {below, 1}};
        for (int corner = 0; corner < 4; corner++) {
            int grey = 40 + 60 * (seen[way][corner] - 'A');
            check_near(pixel(&picture, at[corner][0], at[corner][1]), grey, grey, grey);
        }
        picture_free(&picture);
    }
}
END_TEST

static void check_broken(const void *data, size_t bytes, const char *reason)
{
    Picture picture;
    PictureError error;
    ck_assert(!picture_decode(data, bytes, &picture, &error));
    ck_assert_ptr_null(picture.pixels);
    ck_assert_msg(strstr(error.text, reason) != NULL, "%s", error.text);
    ck_assert_str_eq(rt_error(), "");
}

/* However short it is cut: a picture half grey is none. A byte too many harms nothing. */
START_TEST(cut_anywhere)
{
    jpeg_write_smooth(in_folder("a.jpg"), W, H, 1);
    size_t bytes;
    char *data = rt_read_file(in_folder("a.jpg"), &bytes);
    for (size_t length = 0; length + 2 < bytes; length++)
        check_broken(data, length,
                     length == 0  ? "an empty file"
                     : length < 3 ? "want a JPEG or PNG picture"
                                  : "a broken JPEG picture: ");
    check_broken(data, bytes / 2 + 200, "a broken JPEG picture: Premature end");
    Picture picture;
    PictureError error;
    ck_assert(picture_decode(data, bytes + 1, &picture, &error)); /* and a 0 */
    picture_free(&picture);
    for (size_t i = 0; i < bytes; i++) { /* whatever is wrong, it comes to an end */
        data[i] ^= 0x55;
        if (picture_decode(data, bytes, &picture, &error))
            picture_free(&picture);
        data[i] ^= 0x55;
    }
    free(data);
}
END_TEST

/* A header alone says how large: nothing is decoded, or allocated, for this. */
START_TEST(too_large)
{
    jpeg_write_smooth(in_folder("a.jpg"), W, H, 1);
    size_t bytes;
    char *data = rt_read_file(in_folder("a.jpg"), &bytes);
    for (size_t i = 0; i + 9 < bytes; i++)
        if ((uint8_t)data[i] == 0xff && (uint8_t)data[i + 1] == 0xc0)
            memcpy(data + i + 5, "\x75\x30\x75\x30", 4);
    check_broken(data, bytes, "30000 x 30000 pixels, want at most 64 million");
    free(data);
}
END_TEST

/* ---- Resizing ---- */

/* The filter by its definition, in doubles. */
static double triangle_sum(const uint8_t *from, int size, int step, int outputs,
                           int output)
{
    double scale = (double)size / outputs, reach = scale > 1 ? scale : 1;
    double centre = (output + 0.5) * scale, sum = 0, weights = 0;
    for (int i = 0; i < size; i++) {
        double weight = fmax(0, 1 - fabs((i + 0.5 - centre) / reach));
        sum += weight * from[i * step];
        weights += weight;
    }
    return sum / weights;
}

START_TEST(resizes_by_definition)
{
    static const int sizes[][4] = {{227, 131, 97, 224}, {9, 7, 9, 7}, {5, 4, 33, 2},
                                   {64, 64, 8, 8},      {1, 1, 3, 3}, {300, 2, 7, 2}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int w = sizes[s][0], h = sizes[s][1], to_w = sizes[s][2], to_h = sizes[s][3];
        uint8_t *from = rt_alloc((size_t)(w * h)), *to = rt_alloc((size_t)(to_w * to_h));
        uint8_t *narrow = rt_alloc((size_t)(h * to_w));
        for (int i = 0; i < w * h; i++)
            from[i] = (uint8_t)random_bits(s, (uint64_t)i);
        resize(&(Cut){from, w, 1, 0, 0, w, h}, to_w, to_h, to);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < to_w; x++)
                narrow[y * to_w + x] =
                    (uint8_t)(triangle_sum(from + y * w, w, 1, to_w, x) + 0.5);
        for (int y = 0; y < to_h; y++)
            for (int x = 0; x < to_w; x++) {
                double want = triangle_sum(narrow + x, h, to_w, to_h, y);
                ck_assert_double_le(fabs(to[y * to_w + x] - want), 0.51 + 1);
            }
        free(from);
        free(narrow);
        free(to);
    }
}
END_TEST

/* Of a part, only the part; the same size again is the same bytes. */
START_TEST(resizes_a_part)
{
    uint8_t from[6 * 8 * 3], to[4 * 5 * 3];
    memset(from, 255, sizeof from);
    for (int y = 1; y < 5; y++)
        for (int x = 2; x < 7; x++)
            for (int c = 0; c < 3; c++)
                from[(y * 8 + x) * 3 + c] = (uint8_t)(y * 40 + x * 5 + c);
    resize(&(Cut){from, 8, 3, 2, 1, 7, 5}, 5, 4, to);
    for (int y = 0; y < 4; y++)
        ck_assert_mem_eq(to + y * 15, from + ((y + 1) * 8 + 2) * 3, 15);
    resize(&(Cut){from, 8, 3, 2, 1, 7, 5}, 1, 1, to);
    ck_assert_int_lt(to[0], 230);
}
END_TEST

Suite *jpeg_suite(void)
{
    TCase *tests = tcase_create("jpeg");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_kind_is_rgb);
    tcase_add_test(tests, exif_turns);
    tcase_add_test(tests, cut_anywhere);
    tcase_add_test(tests, too_large);
    tcase_add_test(tests, resizes_by_definition);
    tcase_add_test(tests, resizes_a_part);
    Suite *suite = suite_create("jpeg");
    suite_add_tcase(suite, tests);
    return suite;
}
