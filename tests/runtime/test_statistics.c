/* BN's statistics estimated anew at the end of a run, with a network by hand. */
#include "tests/suites.h"

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/data.h"
#include "tests/tools/folder.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <signal.h>

/* The pixels' means, by channel, over all training images of `data`. */
static void mean_pixels(const char *data, double mean[TINY_CHANNELS])
{
    ImageSet train = {0}, none = {0};
    ck_assert(data_load(data, DATA_TRAIN, &tiny_data, &train, &none));
    for (int c = 0; c < TINY_CHANNELS; c++)
        mean[c] = 0;
    for (int n = 0; n < train.count; n++)
        for (int i = 0; i < TINY_INPUTS; i++)
            mean[i % TINY_CHANNELS] += (image_kept(&train, n).pixels[i] - 127) / 128.0 /
                                       (train.count * TINY_SIDE * TINY_SIDE);
    data_free(&train);
}

/* What the network by hand tracks, and a range that a quantiser would have. */
static const Param tracked[] = {
    {"norm.mean", PARAM_BN_MEAN, INIT_ZERO, 1, {TINY_CHANNELS}, 0, TINY_CHANNELS, 1},
    {"norm.range", PARAM_RANGE, INIT_ONE, 1, {1}, TINY_CHANNELS, 1, 1},
};

/* At the end from batches of all images, with averages and without; and from as many in a
 * run that was stopped in its last epoch. */
START_TEST(statistics_are_estimated_anew)
{
    recipe.ema = _i ? 0.9 : 0;
    recipe.held_out = recipe.crop = 0;
    recipe.batch = 4;
    recipe.bn_batches = 100; /* more than there are */
    model.stats = tracked;
    model.stat_count = 2;
    double want[TINY_CHANNELS];
    mean_pixels("random:104", want);
    ck_assert_int_eq(RUN("--data", "random:104", "-o", in_folder("a"), "--epochs", "2"),
                     0);
    ck_assert_int_eq(tiny_hooks.train_calls, 3 * 26);
    Checkpoint best;
    ck_assert(checkpoint_read(in_folder("a/best.ckpt"), &best));
    const Array *mean = checkpoint_find(&best, "", "norm.mean");
    ck_assert_ptr_nonnull(mean);
    for (int c = 0; c < TINY_CHANNELS; c++)
        ck_assert_double_eq_tol(mean->values[c], want[c], 1e-5);
    const Array *range = checkpoint_find(&best, "", "norm.range");
    ck_assert(range != NULL && fabsf(range->values[0] - 1) < 1e-5f);
    checkpoint_free(&best);
    check_same_values("a/best.ckpt", "", "a/last.ckpt", _i ? "ema/" : "");
    ck_assert_int_eq(RUN("--data", "random:104", "-o", in_folder("b"), "--epochs", "2",
                         "--steps", "30"),
                     0);
    ck_assert_int_eq(RUN("--data", "random:104", "-o", in_folder("b"), "--resume"), 0);
    check_same_run("a", "b");
}
END_TEST

/* Stopped while they are estimated: as if it had been before. */
START_TEST(a_stop_leaves_statistics_as_they_were)
{
    recipe.bn_batches = 5;
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "2"), 0);
    tiny_hooks = (TinyHooks){.raise_in_train = 2 * STEPS * CALLS + 4, .signal = SIGTERM};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--epochs", "2"), 128 + SIGTERM);
    tiny_hooks = (TinyHooks){0};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume"), 0);
    check_same_run("a", "b");
}
END_TEST

Suite *statistics_suite(void)
{
    TCase *tests = tcase_create("statistics");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, statistics_are_estimated_anew, 0, 2);
    tcase_add_test(tests, a_stop_leaves_statistics_as_they_were);
    Suite *suite = suite_create("statistics");
    suite_add_tcase(suite, tests);
    return suite;
}
