/* Pictures: what is written comes back, every kind of PNG is read as RGB, bad files and
 * failed writes say so and leave nothing behind; plots have round ticks, the same bytes
 * each time, and readable text whatever they are asked to write. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/draw/bars.h"
#include "runtime/draw/picture.h"
#include "runtime/draw/plot.h"
#include "runtime/draw/scale.h"
#include "runtime/kernels/quant.h"
#include "runtime/train/bits_picture.h"
#include "runtime/train/curve.h"
#include "tests/tools/folder.h"

#include <math.h>
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
    check_unreadable(in_folder("text.png"), "%s: want a JPEG or PNG picture");
    write_text(in_folder("empty.png"), "");
    check_unreadable(in_folder("empty.png"),
                     "%s: an empty file, want a JPEG or PNG picture");
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
    check_error("%s: cannot write a PNG picture: Invalid IHDR data", path);
    check_pixels(path, pixel, 3);

    path = in_folder("none/a.png");
    ck_assert(!picture_write(path, &(Picture){1, 1, pixel}));
    check_error("%s: No such file or directory", path);
}
END_TEST

/* ---- Plots ---- */

static const struct {
    double low, high;
    bool logarithmic, whole;
    const char *ticks;
} axes[] = {
    {0, 1, false, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
    {-3, 3, false, false, "-3 -2 -1 0 1 2 3"},
    {0.9, 0.91, false, false, "0.900 0.902 0.904 0.906 0.908 0.910"},
    {1, 5, false, true, "1 2 3 4 5"},
    {1, 2, false, true, "1 2"},
    {7, 7, false, true, "7"},
    {1, 300, false, true, "0 50 100 150 200 250 300"},
    {2e6, 8e6, false, false, "2e+06 3e+06 4e+06 5e+06 6e+06 7e+06 8e+06"},
    {0.02, 2.3, true, false, "0.02 0.05 0.1 0.2 0.5 1 2"},
    {1e-6, 1e6, true, false, "1e-06 0.0001 0.01 1 100 10000 1e+06"},
    {60, 260, true, false, "100 150 200 250"},
    {0, 1e6, true, false, "0 200000 400000 600000 800000 1e+06"},
};

START_TEST(ticks_are_round)
{
    Scale scale = {.start = 0, .end = 100};
    Tick ticks[MOST_TICKS];
    scale_set_range(&scale, axes[_i].low, axes[_i].high, axes[_i].logarithmic);
    int count = scale_ticks(&scale, 7, axes[_i].whole, ticks);
    char *text = rt_format("%s", "");
    for (int i = 0; i < count; i++) {
        char *longer = rt_format("%s%s%s", text, i ? " " : "", ticks[i].text);
        free(text);
        text = longer;
        ck_assert_double_eq_tol(atof(ticks[i].text), ticks[i].value,
                                1e-4 * fabs(ticks[i].value) + 1e-12);
        double at = scale_place(&scale, ticks[i].value);
        ck_assert(at >= 0 && at <= 100);
    }
    ck_assert_str_eq(text, axes[_i].ticks);
    free(text);
    ck_assert_double_gt(scale_place(&scale, axes[_i].low), 0); /* the margin */
    ck_assert_double_lt(scale_place(&scale, axes[_i].high), 100);
}
END_TEST

START_TEST(logarithms_are_evenly_spaced)
{
    Scale scale = {.start = 300, .end = 20};
    scale_set_range(&scale, 1, 10000, true);
    double step = scale_place(&scale, 10) - scale_place(&scale, 1);
    ck_assert_double_lt(step, 0);
    for (double value = 10; value < 10000; value *= 10)
        ck_assert_double_eq_tol(
            scale_place(&scale, 10 * value) - scale_place(&scale, value), step, 1e-9);
}
END_TEST

static bool is_color(const uint8_t *pixel, unsigned color)
{
    return pixel[0] == (color >> 16 & 255) && pixel[1] == (color >> 8 & 255) &&
           pixel[2] == (color & 255);
}

/* Pixels of exactly this colour in rows from `top` to before `bottom`. */
static int count_color(const char *path, unsigned color, int top, int bottom)
{
    Picture picture;
    ck_assert_msg(picture_read(path, &picture), "%s", rt_error());
    ck_assert_int_eq(picture.width, 1280);
    int count = 0;
    for (int y = top; y < bottom && y < picture.height; y++)
        for (int x = 0; x < picture.width; x++)
            count += is_color(
                picture.pixels + 3 * ((size_t)y * picture.width + (size_t)x), color);
    picture_free(&picture);
    return count;
}

static const unsigned ink = 0x1f2937, blue = 0x2563eb, orange = 0xea580c;

static void write_plot(const char *path, const char *title, const char *name,
                       const double *y, int count)
{
    static const double x[] = {1, 2, 3, 4};
    const PlotSeries series[] = {{.name = name, .x = x, .y = y, .count = count},
                                 {.x = x, .y = x, .count = 2, .color = 1}};
    const PlotReference reference = {"float", 2.5};
    const PlotPanel panel = {.x = {name, PLOT_FITTING},
                             .y = {name, PLOT_FITTING},
                             .series = series,
                             .series_count = 2,
                             .references = &reference,
                             .reference_count = 1};
    ck_assert_msg(plot_write(path, title, &panel, 1), "%s", rt_error());
}

static void check_other_bytes(const char *a, const char *b)
{
    size_t bytes[2];
    char *texts[] = {rt_read_file(a, &bytes[0]), rt_read_file(b, &bytes[1])};
    ck_assert(bytes[0] != bytes[1] || memcmp(texts[0], texts[1], bytes[0]) != 0);
    free(texts[0]);
    free(texts[1]);
}

START_TEST(a_plot_shows_its_series)
{
    static const double y[] = {3, 1, 2, 4};
    write_plot(in_folder("a.png"), "title", "values", y, 4);
    write_plot(in_folder("b.png"), "title", "values", y, 4);
    check_same_bytes(in_folder("a.png"), in_folder("b.png"));
    ck_assert_int_gt(count_color(in_folder("a.png"), blue, 0, 10000), 1000);
    ck_assert_int_gt(count_color(in_folder("a.png"), orange, 0, 10000), 200);
    ck_assert_int_gt(count_color(in_folder("a.png"), ink, 0, 60), 100); /* the title */
    write_plot(in_folder("b.png"), "title", "other", y, 4);
    check_other_bytes(in_folder("a.png"), in_folder("b.png"));
}
END_TEST

/* What text cannot be drawn is question marks, and ends no picture. */
START_TEST(any_text_is_drawn)
{
    static const char *const texts[][2] = {
        {"bad \xff\xfe bytes", "bad ?? bytes"},
        {"cut \xe6\x97", "cut ??"},
        {"tab\tline\nescape\x1b[31m", "tab?line?escape?[31m"},
        {"no such letter \xe6\x97\xa5", "no such letter ???"},
    };
    static const double y[] = {3, 1, 2, 4};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_plot(in_folder("a.png"), texts[i][0], texts[i][0], y, 4);
        write_plot(in_folder("b.png"), texts[i][1], texts[i][1], y, 4);
        check_same_bytes(in_folder("a.png"), in_folder("b.png"));
    }
    char *endless = rt_alloc(5001);
    for (int i = 0; i < 5000; i += 2)
        memcpy(endless + i, "\xc3\xa9", 2); /* an e with an accent, cut in no middle */
    write_plot(in_folder("a.png"), endless, endless, y, 4);
    ck_assert_int_gt(count_color(in_folder("a.png"), ink, 0, 60), 100);
    free(endless);
}
END_TEST

/* cairo's own letters stand in. */
START_TEST(a_machine_without_fonts_writes_text)
{
    static const double y[] = {3, 1, 2, 4};
    write_text(in_folder("fonts.conf"),
               "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">"
               "<fontconfig><dir>/nonexistent</dir></fontconfig>");
    setenv("FONTCONFIG_FILE", in_folder("fonts.conf"), 1);
    write_plot(in_folder("a.png"), "iiiiii", "values", y, 4);
    write_plot(in_folder("b.png"), "wwwwww", "values", y, 4);
    check_other_bytes(in_folder("a.png"), in_folder("b.png"));
    ck_assert_int_gt(count_color(in_folder("b.png"), ink, 0, 60), 20);
}
END_TEST

START_TEST(any_number_is_drawn)
{
    static const double values[][4] = {
        {NAN, NAN, NAN, NAN}, {INFINITY, 1, NAN, -INFINITY}, {1e308, -1e308, 0, 1e-308},
        {5, 5, 5, 5},         {1e-300, 1e300, 1, 2},         {-1, 0, 1e9, 2e9},
        {0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int count = 0; count <= 4; count++)
            write_plot(in_folder("a.png"), "title", "values", values[i], count);
}
END_TEST

START_TEST(curves_show_what_there_is)
{
    EpochRow rows[3];
    for (int i = 0; i < 3; i++)
        rows[i] = (EpochRow){.epoch = i + 1,
                             .lr = 0.1,
                             .train_loss = 2.0 / (i + 1),
                             .train_accuracy = 0.3 * (i + 1),
                             .held_out_loss = NAN,
                             .held_out_accuracy = NAN,
                             .test_loss = NAN,
                             .test_accuracy = NAN};
    const History history = {rows, 3};
    ck_assert(curve_write(in_folder("a.png"), "net", &history));
    ck_assert_int_gt(count_color(in_folder("a.png"), blue, 0, 10000), 1000);
    ck_assert_int_eq(count_color(in_folder("a.png"), orange, 0, 10000), 0);
    rows[1].held_out_loss = rows[1].held_out_accuracy = 0.5;
    ck_assert(curve_write(in_folder("a.png"), "net", &history));
    ck_assert_int_gt(count_color(in_folder("a.png"), orange, 0, 10000), 100);
    ck_assert(curve_write(in_folder("a.png"), "net", &(History){0}));
    ck_assert(!curve_write(in_folder("none/a.png"), "net", &history));
    check_error("%s: No such file or directory", in_folder("none/a.png"));
}
END_TEST

START_TEST(bits_have_names)
{
    const RtQuant four = {.quantizer = RT_QUANT_STATIC, .bits = 4, .is_signed = true};
    const RtQuant eight = {.quantizer = RT_QUANT_STATIC, .bits = 8};
    RtSized sized[] = {{"conv", four, 10, 1, false, -1, -1},
                       {"conv_relu", eight, 10, 1, true, -1, -1}};
    const Model model = {.name = "net", .sized = sized, .sized_count = 2};
    const float params[1] = {0};
    ck_assert(bits_picture_write(in_folder("a.png"), &model, params));
    int weights = count_color(in_folder("a.png"), blue, 110, 10000);
    int activations = count_color(in_folder("a.png"), orange, 110, 10000);
    ck_assert_msg(abs(activations - 2 * weights) < activations / 50, "%d, %d", weights,
                  activations);
    sized[1].name = "conv_rely";
    ck_assert(bits_picture_write(in_folder("b.png"), &model, params));
    check_other_bytes(in_folder("a.png"), in_folder("b.png"));
}
END_TEST

START_TEST(many_bars_fit_into_a_picture)
{
    static const char *const kinds[] = {"weights", "activations"};
    Bar *bars = rt_alloc(20000 * sizeof *bars);
    for (int i = 0; i < 20000; i++)
        bars[i] = (Bar){"layer", i % 8, i % 2};
    ck_assert(bars_write(in_folder("a.png"), "title", kinds, 2, bars, 20000));
    ck_assert(bars_write(in_folder("a.png"), "title", kinds, 2, bars, 0));
    free(bars);
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
    TCase *plots = tcase_create("plots");
    tcase_add_checked_fixture(plots, folder_make, folder_remove);
    tcase_add_loop_test(plots, ticks_are_round, 0, sizeof axes / sizeof *axes);
    tcase_add_test(plots, logarithms_are_evenly_spaced);
    tcase_add_test(plots, a_plot_shows_its_series);
    tcase_add_test(plots, any_text_is_drawn);
    tcase_add_test(plots, a_machine_without_fonts_writes_text);
    tcase_add_test(plots, any_number_is_drawn);
    tcase_add_test(plots, curves_show_what_there_is);
    tcase_add_test(plots, bits_have_names);
    tcase_add_test(plots, many_bars_fit_into_a_picture);
    suite_add_tcase(suite, plots);
    return suite;
}
