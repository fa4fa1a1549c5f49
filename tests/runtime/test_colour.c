/* Colours of images against torchvision's definitions in real numbers, and the ranges,
 * order and bytes of a random change. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/data/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 9, W = 7, C = 3, BYTES = H * W * C };

static uint8_t image[BYTES];

static void fill_image(void)
{
    for (int i = 0; i < BYTES; i++)
        image[i] = (uint8_t)(random_bits(5, (uint64_t)i) % 250);
}

static double clamped(double value)
{
    return fmax(0, fmin(255, value));
}

static double grey_of(const uint8_t *p)
{
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

static const double factors[] = {0, 0.3, 1, 1.4, 2.5};
enum { FACTORS = 5 };

START_TEST(brightness_contrast_saturation)
{
    double factor = factors[_i], mean = 0;
    const uint8_t *from = image;
    uint8_t bright[BYTES], contrast[BYTES], saturated[BYTES];
    for (int i = 0; i < H * W; i++)
        mean += grey_of(from + 3 * i) / (H * W);
    memcpy(bright, from, BYTES);
    memcpy(contrast, from, BYTES);
    memcpy(saturated, from, BYTES);
    colour_brightness(bright, H * W, C, factor);
    colour_contrast(contrast, H * W, C, factor);
    colour_saturation(saturated, H * W, factor);
    double off = 0.51 + 0.5 * fabs(1 - factor); /* the grey is a whole number */
    for (int i = 0; i < BYTES; i++) {
        double value = from[i], grey = grey_of(from + i / 3 * 3);
        ck_assert_double_le(fabs(bright[i] - clamped(factor * value)), 0.501);
        ck_assert_double_le(
            fabs(contrast[i] - clamped(factor * value + (1 - factor) * mean)), off);
        ck_assert_double_le(
            fabs(saturated[i] - clamped(factor * value + (1 - factor) * grey)), off);
    }
}
END_TEST

/* HSV by its six sectors, as Smith (1978) has it. */
static void turned(const uint8_t *p, double turn, double rgb[3])
{
    double r = p[0], g = p[1], b = p[2], v = fmax(r, fmax(g, b));
    double c = v - fmin(r, fmin(g, b)), h = 0;
    if (c > 0 && v == r)
        h = (g - b) / c / 6;
    else if (c > 0 && v == g)
        h = (b - r) / c / 6 + 1.0 / 3;
    else if (c > 0)
        h = (r - g) / c / 6 + 2.0 / 3;
    h += turn + 2;
    h -= floor(h);
    int sector = (int)(6 * h) % 6;
    double f = 6 * h - floor(6 * h), least = v - c, q = v - c * f, t = v - c * (1 - f);
    const double all[6][3] = {{v, t, least}, {q, v, least}, {least, v, t},
                              {least, q, v}, {t, least, v}, {v, least, q}};
    memcpy(rgb, all[sector], sizeof all[sector]);
}

START_TEST(hue)
{
    static const double turns[] = {0, 0.1, -0.25, 0.5, 1.0 / 3};
    uint8_t got[BYTES];
    memcpy(image, "\7\7\7\377\0\0\0\377\0\377\377\0\1\2\2", 15);
    memcpy(got, image, BYTES);
    colour_hue(got, H * W, turns[_i]);
    for (int i = 0; i < H * W; i++) {
        double want[3];
        turned(image + 3 * i, turns[_i], want);
        for (int c = 0; c < 3; c++)
            ck_assert_double_le(fabs(got[3 * i + c] - want[c]), 0.501);
    }
    if (turns[_i] == 0)
        ck_assert_mem_eq(got, image, BYTES);
}
END_TEST

/* Each of the four alone: what it did is one of its function's results within the range,
 * and the ends of the range come up. */
START_TEST(jitter_stays_in_range)
{
    Recipe recipe = {0};
    double *ranges[] = {&recipe.brightness, &recipe.contrast, &recipe.saturation,
                        &recipe.hue};
    *ranges[_i] = 0.4;
    uint8_t ends[2]; /* red of the first pixel */
    int most = 0, least = 255;
    for (uint64_t key = 0; key < 300; key++) {
        uint8_t two[6] = {200, 100, 40, 20, 30, 60};
        colour_jitter(&recipe, key, two, 2, 3);
        most = two[0] > most ? two[0] : most;
        least = two[0] < least ? two[0] : least;
    }
    for (int end = 0; end < 2; end++) {
        uint8_t two[6] = {200, 100, 40, 20, 30, 60};
        double factor = end ? 1.4 : 0.6;
        if (_i == 0)
            colour_brightness(two, 2, 3, factor);
        if (_i == 1)
            colour_contrast(two, 2, 3, factor);
        if (_i == 2)
            colour_saturation(two, 2, factor);
        if (_i == 3)
            colour_hue(two, 2, end ? 0 : 0.4); /* red is most at none, least far off */
        ends[end] = two[0];
    }
    ck_assert(most <= ends[1] && most >= ends[1] - 3);
    ck_assert(least >= ends[0] && least <= ends[0] + 3);
}
END_TEST

/* Two of the four in both orders. */
START_TEST(jitter_in_any_order)
{
    Recipe recipe = {.brightness = 0.9, .contrast = 0.9};
    int first[2] = {0};
    for (uint64_t key = 0; key < 200; key++) {
        uint8_t got[BYTES], want[2][BYTES];
        double bright = random_between(key, 0, 1 - 0.9, 1.9);
        double contrast = random_between(key, 1, 1 - 0.9, 1.9);
        for (int order = 0; order < 2; order++) {
            memcpy(want[order], image, BYTES);
            if (order == 0)
                colour_brightness(want[order], H * W, C, bright);
            colour_contrast(want[order], H * W, C, contrast);
            if (order == 1)
                colour_brightness(want[order], H * W, C, bright);
        }
        memcpy(got, image, BYTES);
        colour_jitter(&recipe, key, got, H * W, C);
        bool one = memcmp(got, want[0], BYTES) == 0;
        bool other = memcmp(got, want[1], BYTES) == 0;
        ck_assert(one || other);
        first[0] += one && !other;
        first[1] += other && !one;
    }
    ck_assert_int_gt(first[0], 60);
    ck_assert_int_gt(first[1], 60);
}
END_TEST

/* The same bytes everywhere: a sum over many, made on x86-64. */
START_TEST(jitter_bytes)
{
    Recipe recipe = {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.2};
    uint64_t sum = 0;
    for (uint64_t key = 0; key < 200; key++) {
        uint8_t got[BYTES];
        memcpy(got, image, BYTES);
        colour_jitter(&recipe, key, got, H * W, C);
        for (int i = 0; i < BYTES; i++)
            sum = sum * 1099511628211u + got[i];
    }
    ck_assert_uint_eq(sum, 9781083993039460898u);
}
END_TEST

Suite *colour_suite(void)
{
    Suite *suite = suite_create("colour");
    TCase *tests = tcase_create("colour");
    tcase_add_checked_fixture(tests, fill_image, NULL);
    tcase_add_loop_test(tests, brightness_contrast_saturation, 0, FACTORS);
    tcase_add_loop_test(tests, hue, 0, 5);
    tcase_add_loop_test(tests, jitter_stays_in_range, 0, 4);
    tcase_add_test(tests, jitter_in_any_order);
    tcase_add_test(tests, jitter_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
