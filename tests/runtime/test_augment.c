/* Seeded randomness against splitmix64's published numbers; augmentation against plain
 * statements of what each part may do to an image. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/augment.h"
#include "runtime/data/data.h"
#include "runtime/draw/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 9, W = 7, C = 3, BYTES = H * W * C };

static const uint8_t pad[4] = {251, 252, 253, 254}; /* no pixel of the image has these */
static uint8_t image[2 * BYTES], out[BYTES];
static ImageSet set;

static void fill_image(void)
{
    for (int i = 0; i < 2 * BYTES; i++)
        image[i] = (uint8_t)(random_bits(5, (uint64_t)i) % 250);
    set = (ImageSet){.height = H, .width = W, .channels = C};
    memcpy(image_set_add(&set, "two", 2), image, sizeof image);
}

static void free_image(void)
{
    data_free(&set);
}

/* The pixel of the second image, the one the tests augment; `pad` outside. */
static const uint8_t *pixel(int y, int x)
{
    return y < 0 || y >= H || x < 0 || x >= W ? pad : image + BYTES + (y * W + x) * C;
}

/* Whether `out` is the image, mirrored or not, moved by so much. */
static bool is_moved(bool mirrored, int down, int right)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int from = mirrored ? W - 1 - (x - right) : x - right;
            if (memcmp(out + (y * W + x) * C, pixel(y - down, from), C) != 0)
                return false;
        }
    return true;
}

/* Image `i` of the set, augmented. */
static void augmented(int i, const Recipe *recipe, const uint8_t *pad_pixel, uint64_t key,
                      uint8_t *to)
{
    const Image kept = image_kept(&set, i);
    augment(&set, &kept, recipe, pad_pixel, key, to);
}

START_TEST(known_bits)
{
    static const uint64_t from_1234567[] = {6457827717110365317u, 3203168211198807973u,
                                            9817491932198370423u, 4593380528125082431u,
                                            16408922859458223821u};
    for (uint64_t i = 0; i < 5; i++)
        ck_assert_uint_eq(random_bits(1234567, i), from_1234567[i]);
    ck_assert_uint_eq(random_bits(0, 0), 0xe220a8397b1dcdafu);
}
END_TEST

START_TEST(normal_moments)
{
    enum { COUNT = 200000 };
    double sum = 0, squares = 0, fourth = 0, lagged = 0, before = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        double x = random_normal(99, i);
        ck_assert(isfinite(x));
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        lagged += x * before;
        before = x;
    }
    ck_assert_double_lt(fabs(sum / COUNT), 0.01); /* 4.5 standard errors, as below */
    ck_assert_double_lt(fabs(squares / COUNT - 1), 0.015);
    ck_assert_double_lt(fabs(fourth / COUNT - 3), 0.1);
    ck_assert_double_lt(fabs(lagged / COUNT), 0.01);
    ck_assert_double_eq(random_normal(99, COUNT - 1), before);
}
END_TEST

START_TEST(permutations)
{
    int order[1000], again[1000];
    for (int count = 0; count <= 1000; count = count < 4 ? count + 1 : count + 249) {
        bool seen[1000] = {false};
        random_permutation(7, count, order);
        for (int i = 0; i < count; i++) {
            ck_assert(order[i] >= 0 && order[i] < count && !seen[order[i]]);
            seen[order[i]] = true;
        }
    }
    random_permutation(7, 1000, order);
    random_permutation(7, 1000, again);
    ck_assert_mem_eq(order, again, sizeof order);
    random_permutation(8, 1000, again);
    ck_assert_mem_ne(order, again, sizeof order);
}
END_TEST

START_TEST(permutations_are_even)
{
    int times[27] = {0};
    for (uint64_t key = 0; key < 6000; key++) {
        int order[3];
        random_permutation(key, 3, order);
        times[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    int kinds = 0;
    for (int i = 0; i < 27; i++) {
        ck_assert(times[i] == 0 || abs(times[i] - 1000) < 130); /* 4.5 sigma */
        kinds += times[i] > 0;
    }
    ck_assert_int_eq(kinds, 6);
}
END_TEST

START_TEST(identity_when_off)
{
    Recipe off = {0};
    for (uint64_t key = 0; key < 50; key++) {
        memset(out, 0, sizeof out);
        augmented(1, &off, pad, key, out);
        ck_assert_mem_eq(out, image + BYTES, BYTES);
    }
    augmented(0, &off, pad, 1, out);
    ck_assert_mem_eq(out, image, BYTES);
}
END_TEST

START_TEST(flip_mirrors_half)
{
    Recipe flip = {.flip = true};
    int mirrored = 0;
    for (uint64_t key = 0; key < 1000; key++) {
        augmented(1, &flip, pad, key, out);
        ck_assert(is_moved(false, 0, 0) || is_moved(true, 0, 0));
        mirrored += is_moved(true, 0, 0);
    }
    ck_assert_int_lt(abs(mirrored - 500), 72); /* 4.5 sigma */
}
END_TEST

/* Every shift within the crop, and no other, with and without the mirror. */
START_TEST(crop_moves_within_bounds)
{
    Recipe recipe = {.crop = 2, .flip = _i == 1};
    int times[2][5][5] = {{{0}}};
    for (uint64_t key = 0; key < 5000; key++) {
        augmented(1, &recipe, pad, key, out);
        int matches = 0;
        for (int m = 0; m < 2; m++)
            for (int down = -2; down <= 2; down++)
                for (int right = -2; right <= 2; right++)
                    if (is_moved(m, down, right)) {
                        times[m][down + 2][right + 2]++;
                        matches++;
                    }
        ck_assert_int_eq(matches, 1);
    }
    int wanted = _i == 1 ? 100 : 200;
    for (int i = 0; i < 25; i++) {
        ck_assert_int_lt(abs(times[0][i / 5][i % 5] - wanted), 65);
        ck_assert_int_lt(abs(times[1][i / 5][i % 5] - (_i == 1 ? wanted : 0)), 65);
        ck_assert(_i == 1 || times[1][i / 5][i % 5] == 0);
    }
}
END_TEST

START_TEST(crop_wider_than_the_image)
{
    Recipe recipe = {.crop = 40};
    for (uint64_t key = 0; key < 300; key++) {
        augmented(1, &recipe, pad, key, out);
        int pads = 0;
        for (int i = 0; i < H * W; i++)
            pads += memcmp(out + i * C, pad, C) == 0;
        ck_assert_int_le(pads, H * W);
    }
}
END_TEST

/* Beyond the border lies the image again, mirrored about the border's own pixels. */
static int mirrored(int i, int count)
{
    while (i < 0 || i >= count)
        i = i < 0 ? -i : 2 * (count - 1) - i;
    return i;
}

static bool is_reflected(bool flipped, int down, int right)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int from = mirrored(x - right, W);
            const uint8_t *want =
                pixel(mirrored(y - down, H), flipped ? W - 1 - from : from);
            if (memcmp(out + (y * W + x) * C, want, C) != 0)
                return false;
        }
    return true;
}

/* Every shift, also one that is wider than the image, and nothing is ever blank. */
START_TEST(reflected_border)
{
    enum { MOST = 14 };
    const int crops[] = {2, MOST};
    Recipe recipe = {.crop = crops[_i], .crop_border = BORDER_REFLECT, .flip = true};
    bool seen[2][2 * MOST + 1] = {{false}};
    for (uint64_t key = 0; key < 400; key++) {
        augmented(1, &recipe, pad, key, out);
        int matches = 0;
        for (int flipped = 0; flipped < 2; flipped++)
            for (int down = -crops[_i]; down <= crops[_i]; down++)
                for (int right = -crops[_i]; right <= crops[_i]; right++)
                    if (is_reflected(flipped, down, right)) {
                        matches++;
                        seen[0][down + MOST] = seen[1][right + MOST] = true;
                    }
        ck_assert_int_ge(matches, 1);
        ck_assert(_i == 1 || matches == 1);
    }
    for (int i = -crops[_i]; i <= crops[_i]; i++)
        ck_assert(seen[0][i + MOST] && seen[1][i + MOST]);
}
END_TEST

START_TEST(reflected_border_of_one_pixel)
{
    static const uint8_t one[3] = {7, 8, 9};
    ImageSet single = {.height = 1, .width = 1, .channels = 3};
    memcpy(image_set_add(&single, "one", 1), one, 3);
    Recipe recipe = {.crop = 3, .crop_border = BORDER_REFLECT};
    for (uint64_t key = 0; key < 20; key++) {
        const Image kept = image_kept(&single, 0);
        augment(&single, &kept, &recipe, pad, key, out);
        ck_assert_mem_eq(out, one, 3);
    }
    data_free(&single);
}
END_TEST

/* The blanked pixels of `out` are a full rectangle, or none, and the rest is untouched.
 * */
static Cut blank_box(void)
{
    Cut box = {.left = W, .top = H};
    int area = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            if (memcmp(out + (y * W + x) * C, pad, C) != 0) {
                ck_assert_mem_eq(out + (y * W + x) * C, pixel(y, x), C);
                continue;
            }
            box.top = y < box.top ? y : box.top;
            box.bottom = y + 1;
            box.left = x < box.left ? x : box.left;
            box.right = x >= box.right ? x + 1 : box.right;
            area++;
        }
    ck_assert(area == 0 || area == (box.bottom - box.top) * (box.right - box.left));
    return box;
}

/* The area of a blanked square, some of which may be outside. */
static int blank_area(int side)
{
    Cut box = blank_box();
    int height = box.bottom - box.top, width = box.right - box.left;
    ck_assert(height <= side && width <= side);
    ck_assert(height == side || box.top == 0 || box.bottom == H);
    ck_assert(width == side || box.left == 0 || box.right == W);
    return height * width;
}

/* The centre is anywhere, so at least a quarter of the square is inside. */
START_TEST(cutout_is_a_square)
{
    int side = _i, least = H * W, most = 0;
    Recipe recipe = {.cutout = side};
    for (uint64_t key = 0; key < 2000; key++) {
        augmented(1, &recipe, pad, key, out);
        int area = blank_area(side);
        least = area < least ? area : least;
        most = area > most ? area : most;
    }
    ck_assert_int_eq(most, side * side);
    ck_assert_int_eq(least, ((side + 1) / 2) * ((side + 1) / 2));
}
END_TEST

START_TEST(cutout_larger_than_the_image)
{
    Recipe recipe = {.cutout = 2 * H};
    augmented(1, &recipe, pad, 1, out);
    for (int i = 0; i < H * W; i++)
        ck_assert_mem_eq(out + i * C, pad, C);
}
END_TEST

/* Boxes lie inside, have the area and shape that was asked for, and come in as many
 * images. */
START_TEST(erased_boxes)
{
    Recipe recipe = {
        .erase = 0.25, .erase_least = 0.1, .erase_most = 0.4, .erase_ratio = 2};
    int erased = 0, tall = 0, wide = 0;
    for (uint64_t key = 0; key < 4000; key++) {
        augmented(1, &recipe, pad, key, out);
        if (memcmp(out, image + BYTES, BYTES) == 0)
            continue;
        Cut box = blank_box();
        int height = box.bottom - box.top, width = box.right - box.left;
        double off = 0.5 * (height + width) + 0.25; /* what rounding sides may change */
        ck_assert_double_ge(height * width, 0.1 * H * W - off);
        ck_assert_double_le(height * width, 0.4 * H * W + off);
        ck_assert_double_le(height - 0.5, 2 * (width + 0.5));
        ck_assert_double_le(width - 0.5, 2 * (height + 0.5));
        erased++;
        tall += height > width;
        wide += width > height;
    }
    ck_assert_int_lt(abs(erased - 1000), 123); /* 4.5 sigma */
    ck_assert_int_gt(tall, 200);
    ck_assert_int_gt(wide, 200);
}
END_TEST

/* The border that comes in keeps its value, and one channel has brightness and contrast.
 * */
START_TEST(colours_and_borders)
{
    Recipe recipe = {.crop = 3, .brightness = 0.5, .contrast = 0.5};
    set.channels = 1;
    int pads = 0, changed = 0;
    for (uint64_t key = 0; key < 100; key++) {
        augmented(1, &recipe, pad, key, out);
        Recipe plain = {.crop = 3};
        uint8_t still[H * W];
        augmented(1, &plain, pad, key, still);
        for (int i = 0; i < H * W; i++) {
            ck_assert(still[i] != pad[0] || out[i] == pad[0]);
            pads += still[i] == pad[0];
            changed += still[i] != out[i];
        }
    }
    ck_assert_int_gt(pads, 1000);
    ck_assert_int_gt(changed, 1000);
}
END_TEST

START_TEST(same_key_same_bytes)
{
    Recipe all = {.flip = true,
                  .crop = 2,
                  .cutout = 3,
                  .hue = 0.1,
                  .brightness = 0.2,
                  .trivial_augment = true,
                  .erase = 0.5,
                  .erase_least = 0.1,
                  .erase_most = 0.2,
                  .erase_ratio = 2};
    uint8_t again[BYTES];
    int changes = 0;
    for (uint64_t key = 0; key < 100; key++) {
        augmented(1, &all, pad, key, out);
        augmented(1, &all, pad, key, again);
        ck_assert_mem_eq(out, again, BYTES);
        augmented(1, &all, pad, key + 1000, again);
        changes += memcmp(out, again, BYTES) != 0;
    }
    ck_assert_int_ge(changes, 95);
}
END_TEST

/* A byte before and one behind stay as they were, whatever is shifted or blanked. */
START_TEST(one_channel_stays_inside)
{
    uint8_t guarded[H * W + 2];
    Recipe all = {.flip = true, .crop = 3, .cutout = 5, .trivial_augment = true};
    set.channels = 1;
    for (uint64_t key = 0; key < 200; key++) {
        memset(guarded, 0xaa, sizeof guarded);
        augmented(1, &all, pad, key, guarded + 1);
        ck_assert_int_eq(guarded[0], 0xaa);
        ck_assert_int_eq(guarded[H * W + 1], 0xaa);
    }
}
END_TEST

Suite *augment_suite(void)
{
    Suite *suite = suite_create("augment");
    TCase *tests = tcase_create("random");
    tcase_add_test(tests, known_bits);
    tcase_add_test(tests, normal_moments);
    tcase_add_test(tests, permutations);
    tcase_add_test(tests, permutations_are_even);
    suite_add_tcase(suite, tests);
    tests = tcase_create("augment");
    tcase_add_checked_fixture(tests, fill_image, free_image);
    tcase_add_test(tests, identity_when_off);
    tcase_add_test(tests, flip_mirrors_half);
    tcase_add_loop_test(tests, crop_moves_within_bounds, 0, 2);
    tcase_add_test(tests, crop_wider_than_the_image);
    tcase_add_loop_test(tests, cutout_is_a_square, 1, 6);
    tcase_add_test(tests, cutout_larger_than_the_image);
    tcase_add_loop_test(tests, reflected_border, 0, 2);
    tcase_add_test(tests, reflected_border_of_one_pixel);
    tcase_add_test(tests, erased_boxes);
    tcase_add_test(tests, same_key_same_bytes);
    tcase_add_test(tests, one_channel_stays_inside);
    tcase_add_test(tests, colours_and_borders);
    suite_add_tcase(suite, tests);
    return suite;
}
