/* Mixed images: Beta's moments, pixels and boxes against plain statements of them, and
 * when nothing is mixed. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/train/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 6, W = 8, C = 3, BYTES = H * W * C, COUNT = 5 };

static const Model model = {.height = H, .width = W, .channels = C, .micro_batch = COUNT};
static const int indices[COUNT] = {17, 3, 99, 4, 0};
static const int32_t labels[COUNT] = {2, 0, 1, 2, 1};
static uint8_t before[COUNT * BYTES], images[COUNT * BYTES];
static Mixing mixing;

static void prepare(void)
{
    for (int i = 0; i < COUNT * BYTES; i++)
        before[i] = (uint8_t)random_bits(1, (uint64_t)i);
    memcpy(images, before, sizeof images);
    mixing_alloc(&mixing, &model);
}

static void clean_up(void)
{
    mixing_free(&mixing);
}

static void mix(const Recipe *recipe, uint64_t key)
{
    memcpy(images, before, sizeof images);
    mixing.next_label = labels[0];
    memcpy(mixing.next, images, H * W * C);
    mix_images(&mixing, &model, recipe, key, indices, labels, COUNT, images);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(mixing.others[i], labels[(i + 1) % COUNT]);
}

static const uint8_t *other_of(int i)
{
    return before + (i + 1) % COUNT * BYTES;
}

/* The mean is a half, the variance 1 / (4 (2 alpha + 1)). */
START_TEST(beta_moments)
{
    enum { TIMES = 40000 };
    static const double alphas[] = {0.2, 1, 4};
    double alpha = alphas[_i], sum = 0, squares = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        double x = random_beta(random_bits(5, i), alpha);
        ck_assert(x >= 0 && x <= 1);
        sum += x;
        squares += (x - 0.5) * (x - 0.5);
    }
    double variance = 1 / (4 * (2 * alpha + 1));
    ck_assert_double_eq_tol(sum / TIMES, 0.5, 4.5 * sqrt(variance / TIMES));
    ck_assert_double_eq_tol(squares / TIMES, variance, 0.02 * variance);
    ck_assert_double_eq(random_beta(7, alpha), random_beta(7, alpha));
}
END_TEST

START_TEST(mixup_blends_all_pixels)
{
    const Recipe recipe = {.mixup = 1};
    float least = 1, most = 0;
    for (uint64_t key = 0; key < 50; key++) {
        mix(&recipe, key);
        for (int i = 0; i < COUNT; i++) {
            double share = (double)mixing.shares[i];
            for (int b = 0; b < BYTES; b++) {
                double want =
                    share * before[i * BYTES + b] + (1 - share) * other_of(i)[b];
                ck_assert_double_le(fabs(images[i * BYTES + b] - want), 0.501);
            }
            least = fminf(least, mixing.shares[i]);
            most = fmaxf(most, mixing.shares[i]);
        }
    }
    ck_assert(least < 0.05f && most > 0.95f);
}
END_TEST

/* Pixels of the other image fill a rectangle, whose area is its share. */
START_TEST(cutmix_swaps_a_box)
{
    const Recipe recipe = {.cutmix = 1};
    int boxes = 0;
    for (uint64_t key = 0; key < 100; key++) {
        mix(&recipe, key);
        for (int i = 0; i < COUNT; i++) {
            int area = 0, top = H, bottom = 0, left = W, right = 0;
            for (int p = 0; p < H * W; p++) {
                const uint8_t *got = images + i * BYTES + p * C;
                if (memcmp(got, before + i * BYTES + p * C, C) == 0)
                    continue;
                ck_assert_mem_eq(got, other_of(i) + p * C, C);
                top = p / W < top ? p / W : top;
                bottom = p / W + 1;
                left = p % W < left ? p % W : left;
                right = p % W >= right ? p % W + 1 : right;
                area++;
            }
            ck_assert(area == 0 || area == (bottom - top) * (right - left));
            ck_assert_float_eq(mixing.shares[i], (float)(1 - (double)area / (H * W)));
            boxes += area > 0;
        }
    }
    ck_assert_int_gt(boxes, 300);
}
END_TEST

/* Of both, each in about half of the images. */
START_TEST(either_of_both)
{
    const Recipe both = {.mixup = 1, .cutmix = 1}, all = {.mixup = 1},
                 box = {.cutmix = 1};
    int times[2] = {0};
    for (uint64_t key = 0; key < 60; key++) {
        uint8_t mixed[2][COUNT * BYTES];
        mix(&all, key);
        memcpy(mixed[0], images, sizeof images);
        mix(&box, key);
        memcpy(mixed[1], images, sizeof images);
        mix(&both, key);
        for (int i = 0; i < COUNT; i++) {
            bool same[2];
            for (int k = 0; k < 2; k++)
                same[k] = memcmp(images + i * BYTES, mixed[k] + i * BYTES, BYTES) == 0;
            ck_assert(same[0] || same[1]);
            times[0] += same[0];
            times[1] += same[1];
        }
    }
    ck_assert(times[0] > 100 && times[1] > 100);
}
END_TEST

START_TEST(when_it_is_wanted)
{
    const Recipe off = {.epochs = 10, .mix_share = 1};
    Recipe half = {.epochs = 10, .mixup = 1, .mix_share = 0.5, .mix_end = 3};
    int times = 0;
    for (uint64_t key = 0; key < 1000; key++) {
        ck_assert(!mixing_wanted(&off, 0, key));
        ck_assert(!mixing_wanted(&half, 7, key));
        times += mixing_wanted(&half, 6, key);
    }
    ck_assert_int_lt(abs(times - 500), 72); /* 4.5 sigma */
    half.mix_share = 1;
    ck_assert(mixing_wanted(&half, 6, 1));
}
END_TEST

Suite *mix_suite(void)
{
    Suite *suite = suite_create("mix");
    TCase *tests = tcase_create("mix");
    tcase_add_checked_fixture(tests, prepare, clean_up);
    tcase_add_loop_test(tests, beta_moments, 0, 3);
    tcase_add_test(tests, mixup_blends_all_pixels);
    tcase_add_test(tests, cutmix_swaps_a_box);
    tcase_add_test(tests, either_of_both);
    tcase_add_test(tests, when_it_is_wanted);
    suite_add_tcase(suite, tests);
    return suite;
}
