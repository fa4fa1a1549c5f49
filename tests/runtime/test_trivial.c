/* TrivialAugment's changes, each against its definition, and the choice among them. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/data/colour.h"
#include "runtime/data/trivial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 9, C = 3, PIXELS = SIDE * SIDE, BYTES = PIXELS * C };

static const uint8_t fill[4] = {251, 252, 253};
static uint8_t image[BYTES], got[BYTES];

static void fill_image(void)
{
    for (int i = 0; i < BYTES; i++)
        image[i] = (uint8_t)(random_bits(6, (uint64_t)i) % 250);
}

static void change(TrivialChange how, double strength)
{
    memcpy(got, image, BYTES);
    trivial_change(how, strength, fill, SIDE, SIDE, C, got);
}

/* Every pixel is the one at (x, y) of before, or `fill`. */
static void check_moved(TrivialChange how, double strength,
                        void (*from)(double strength, int w, int h, int *x, int *y))
{
    change(how, strength);
    for (int h = 0; h < SIDE; h++)
        for (int w = 0; w < SIDE; w++) {
            int x, y;
            from(strength, w, h, &x, &y);
            bool inside = x >= 0 && x < SIDE && y >= 0 && y < SIDE;
            ck_assert_mem_eq(got + (h * SIDE + w) * C,
                             inside ? image + (y * SIDE + x) * C : fill, C);
        }
}

static void to_the_side(double strength, int w, int h, int *x, int *y)
{
    *x = w + (int)strength;
    *y = h;
}

static void down(double strength, int w, int h, int *x, int *y)
{
    to_the_side(strength, h, w, y, x);
}

static void slanted(double strength, int w, int h, int *x, int *y)
{
    *x = (int)floor(w + 0.5 + strength * (h + 0.5));
    *y = h;
}

static void slanted_down(double strength, int w, int h, int *x, int *y)
{
    slanted(strength, h, w, y, x);
}

/* Of a quarter, either way. */
static void turned(double strength, int w, int h, int *x, int *y)
{
    *x = strength > 0 ? SIDE - 1 - h : h;
    *y = strength > 0 ? w : SIDE - 1 - w;
}

static void in_place(double strength, int w, int h, int *x, int *y)
{
    (void)strength;
    *x = w;
    *y = h;
}

START_TEST(pixels_move)
{
    static const double strengths[] = {0.99, 0.33, -0.66};
    for (int i = 0; i < 3; i++) {
        check_moved(TRIVIAL_SHEAR_X, strengths[i], slanted);
        check_moved(TRIVIAL_SHEAR_Y, strengths[i], slanted_down);
        check_moved(TRIVIAL_TRANSLATE_X, 7 * strengths[i], to_the_side);
        check_moved(TRIVIAL_TRANSLATE_Y, 7 * strengths[i], down);
    }
    check_moved(TRIVIAL_TRANSLATE_X, 32, to_the_side); /* all of it is gone */
    check_moved(TRIVIAL_ROTATE, 90, turned);
    check_moved(TRIVIAL_ROTATE, -90, turned);
    check_moved(TRIVIAL_ROTATE, 0, in_place);
    check_moved(TRIVIAL_IDENTITY, 0, in_place);
}
END_TEST

/* What turns by less than a quarter stays as far from the middle. */
START_TEST(rotation_keeps_distances)
{
    change(TRIVIAL_ROTATE, 135);
    int outside = 0;
    for (int i = 0; i < PIXELS; i++) {
        if (memcmp(got + i * C, fill, C) == 0) {
            outside++;
            continue;
        }
        int at = 0; /* all pixels differ */
        while (memcmp(got + i * C, image + at * C, C) != 0)
            ck_assert_int_lt(++at, PIXELS);
        double middle = SIDE / 2;
        double now = hypot(i % SIDE - middle, i / SIDE - middle);
        double before = hypot(at % SIDE - middle, at / SIDE - middle);
        ck_assert_double_le(fabs(now - before), 0.71);
    }
    ck_assert(outside >= 4 && outside < PIXELS / 2);
}
END_TEST

START_TEST(bits_and_inverted_values)
{
    for (int bits = 0; bits <= 6; bits++) {
        change(TRIVIAL_POSTERIZE, bits);
        for (int i = 0; i < BYTES; i++)
            ck_assert_int_eq(got[i], image[i] - image[i] % (1 << bits));
    }
    static const double strengths[] = {0, 8.5, 255};
    for (int s = 0; s < 3; s++) {
        change(TRIVIAL_SOLARIZE, strengths[s]);
        for (int i = 0; i < BYTES; i++)
            ck_assert_int_eq(got[i],
                             image[i] < 255 - strengths[s] ? image[i] : 255 - image[i]);
    }
}
END_TEST

START_TEST(contrast_of_each_channel)
{
    for (int i = 0; i < PIXELS; i++) {
        image[i * C] = (uint8_t)(100 + i);
        image[i * C + 1] = 7; /* of one value: stays */
    }
    change(TRIVIAL_AUTOCONTRAST, 0);
    for (int i = 0; i < PIXELS; i++) {
        ck_assert_int_eq(got[i * C], (int)floor(255.0 * i / (PIXELS - 1)));
        ck_assert_int_eq(got[i * C + 1], 7);
    }
}
END_TEST

/* Many values, few of each: afterwards as many are below x as x / 255 of all, within what
 * one value's count makes. */
START_TEST(equalized_values_are_spread)
{
    enum { WIDE = 100, MANY = WIDE * WIDE };
    uint8_t *pixels = malloc(MANY);
    int most = 0, counts[256] = {0}, below = 0;
    for (int i = 0; i < MANY; i++) {
        pixels[i] = (uint8_t)(random_below(8, 2 * (uint64_t)i, 12) *
                              random_below(8, 2 * (uint64_t)i + 1, 12));
        counts[pixels[i]]++;
    }
    for (int i = 0; i < 256; i++)
        most = counts[i] > most ? counts[i] : most;
    trivial_change(TRIVIAL_EQUALIZE, 0, fill, WIDE, WIDE, 1, pixels);
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < MANY; i++)
        counts[pixels[i]]++;
    for (int x = 0; x < 256; x++) {
        if (counts[x] > 0)
            ck_assert_int_le(abs(below - x * MANY / 255), most + MANY / 100);
        below += counts[x];
    }
    ck_assert_int_gt(counts[0], 0);
    ck_assert_int_gt(counts[255], 0);
    memset(pixels, 33, MANY);
    trivial_change(TRIVIAL_EQUALIZE, 0, fill, WIDE, WIDE, 1, pixels);
    ck_assert(pixels[0] == 33 && memcmp(pixels, pixels + 1, MANY - 1) == 0);
    free(pixels);
}
END_TEST

START_TEST(sharpness)
{
    static const double factors[] = {0, 0.4, 1, 1.99};
    double factor = factors[_i];
    change(TRIVIAL_SHARPNESS, factor - 1);
    for (int h = 0; h < SIDE; h++)
        for (int i = 0; i < SIDE * C; i++) {
            int at = h * SIDE * C + i, w = i / C;
            double sum = 4 * image[at];
            if (h == 0 || w == 0 || h == SIDE - 1 || w == SIDE - 1) {
                ck_assert_int_eq(got[at], image[at]);
                continue;
            }
            for (int y = -1; y <= 1; y++)
                for (int x = -1; x <= 1; x++)
                    sum += image[at + (y * SIDE + x) * C];
            double want = factor * image[at] + (1 - factor) * sum / 13;
            ck_assert_double_le(fabs(got[at] - fmax(0, fmin(255, want))), 1.01);
        }
}
END_TEST

START_TEST(colours)
{
    uint8_t want[BYTES];
    change(TRIVIAL_BRIGHTNESS, -0.3);
    memcpy(want, image, BYTES);
    colour_brightness(want, PIXELS, C, 0.7);
    ck_assert_mem_eq(got, want, BYTES);
    change(TRIVIAL_CONTRAST, 0.5);
    memcpy(want, image, BYTES);
    colour_contrast(want, PIXELS, C, 1.5);
    ck_assert_mem_eq(got, want, BYTES);
    change(TRIVIAL_SATURATION, 0.5);
    memcpy(want, image, BYTES);
    colour_saturation(want, PIXELS, 1.5);
    ck_assert_mem_eq(got, want, BYTES);
    memcpy(got, image, BYTES);
    trivial_change(TRIVIAL_SATURATION, 0.5, fill, BYTES, 1, 1, got);
    ck_assert_mem_eq(got, image, BYTES);
}
END_TEST

/* A change as the index and sign of its strength make it, found by trying all. */
static int kind_of(const uint8_t *changed)
{
    static const struct {
        double most;
        bool is_signed;
    } changes[TRIVIAL_COUNT] = {
#define CHANGE(name, least, most, is_signed) {most, is_signed},
        TRIVIAL_CHANGES(CHANGE)
#undef CHANGE
    };
    for (int kind = 0; kind < TRIVIAL_COUNT; kind++)
        for (int i = changes[kind].is_signed ? -30 : 0; i <= 30; i++) {
            change((TrivialChange)kind, changes[kind].most * i / 30);
            if (memcmp(got, changed, BYTES) == 0)
                return kind;
        }
    return -1;
}

/* Every kind comes up (an image moved out of sight counts as the first kind that does so),
 * and the same key makes the same bytes: a sum over them, made on x86-64. */
START_TEST(any_change)
{
    enum { KEYS = 700 };
    int counts[TRIVIAL_COUNT] = {0};
    uint64_t sum = 0;
    for (uint64_t key = 0; key < KEYS; key++) {
        uint8_t changed[BYTES];
        memcpy(changed, image, BYTES);
        trivial_augment(key, fill, SIDE, SIDE, C, changed);
        for (int i = 0; i < BYTES; i++)
            sum = sum * 1099511628211u + changed[i];
        int kind = kind_of(changed);
        ck_assert_int_ge(kind, 0);
        counts[kind]++;
    }
    for (int kind = 1; kind < TRIVIAL_EQUALIZE;
         kind++) /* too few pixels to be equalised */
        ck_assert_msg(counts[kind] > 4 && counts[kind] < 110, "%d of kind %d",
                      counts[kind], kind);
    ck_assert_uint_eq(sum, 11620069441649837204u);
}
END_TEST

Suite *trivial_suite(void)
{
    Suite *suite = suite_create("trivial");
    TCase *tests = tcase_create("trivial");
    tcase_add_checked_fixture(tests, fill_image, NULL);
    tcase_add_test(tests, pixels_move);
    tcase_add_test(tests, rotation_keeps_distances);
    tcase_add_test(tests, bits_and_inverted_values);
    tcase_add_test(tests, contrast_of_each_channel);
    tcase_add_test(tests, equalized_values_are_spread);
    tcase_add_loop_test(tests, sharpness, 0, 4);
    tcase_add_test(tests, colours);
    tcase_add_test(tests, any_change);
    suite_add_tcase(suite, tests);
    return suite;
}
