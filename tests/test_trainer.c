/* Training with a network by hand: its files, batches, seeds and threads, and what ends
 * it. */
#include "suites.h"

#include "checkpoint.h"
#include "picture.h"
#include "support.h"
#include "test_folder.h"
#include "trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(training_writes_its_files)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a/b"), "--threads", "2"), 0);
    ck_assert_ptr_nonnull(strstr(printed, "tiny: 39 parameters, 92 training images (13 "
                                          "held out, 105 to test), 2 threads, seed 5\n"));
    ck_assert_ptr_nonnull(strstr(printed, "\nepoch 3/3: loss "));
    ck_assert_ptr_nonnull(strstr(printed, "\ntest accuracy 0."));
    check_log_rows("a/b", EPOCHS);
    Picture curve;
    ck_assert(picture_read(in_folder("a/b/curve.png"), &curve));
    ck_assert(curve.width == 900 && curve.height == 420);
    picture_free(&curve);
    Checkpoint best;
    ck_assert(checkpoint_read(in_folder("a/b/best.ckpt"), &best));
    ck_assert_int_eq(best.count, 3);
    ck_assert_str_eq(best.progress, "");
    ck_assert_str_eq(best.config, model.config);
    checkpoint_free(&best);
}
END_TEST

START_TEST(batches_are_cut_exactly)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "1"), 0);
    ck_assert_int_eq(tiny_hooks.train_calls, STEPS * CALLS);
    static const int counts[CALLS] = {4, 4, 2};
    for (int i = 0; i < STEPS * CALLS; i++)
        ck_assert_int_eq(tiny_hooks.counts[i], counts[i % CALLS]);
}
END_TEST

START_TEST(training_learns)
{
    recipe.held_out = 0;
    recipe.flip = false;
    recipe.crop = 0;
    recipe.weight_decay = 0;
    recipe.batch = 5;
    recipe.lr = 1;
    model.micro_batch = 16; /* more than the batch */
    ck_assert_int_eq(RUN("--data", "random:10", "-o", in_folder("a"), "--epochs", "25"),
                     0);
    const char *row = strstr(printed, "epoch 25/25: loss 0.");
    ck_assert_msg(row && atof(row + strlen("epoch 25/25: loss ")) < 0.1, "%s", printed);
}
END_TEST

START_TEST(threads_do_not_matter)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--threads", "1"), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--threads", "3"), 0);
    check_same_run("a", "b");
}
END_TEST

START_TEST(seeds_matter)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--seed", "5"), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b")), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("c"), "--seed", "6"), 0);
    check_same_run("a", "b");
    char *a = timeless_log("a"), *c = timeless_log("c");
    ck_assert_str_ne(a, c);
    free(a);
    free(c);
    Checkpoint last;
    ck_assert(checkpoint_read(in_folder("c/last.ckpt"), &last));
    ck_assert_str_eq(last.config,
                     "name=tiny\ntrain.epochs=3\ntrain.lr=0.1\ntrain.seed=6\n");
    checkpoint_free(&last);
}
END_TEST

START_TEST(best_is_last_without_held_out)
{
    recipe.held_out = 0;
    recipe.ema = 0;
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    Checkpoint best, last;
    ck_assert(checkpoint_read(in_folder("a/best.ckpt"), &best));
    ck_assert(checkpoint_read(in_folder("a/last.ckpt"), &last));
    for (int i = 0; i < best.count; i++)
        ck_assert_mem_eq(best.arrays[i].values, last.arrays[i].values,
                         best.arrays[i].count * sizeof(float));
    checkpoint_free(&best);
    checkpoint_free(&last);
    char *log = timeless_log("a");
    ck_assert_ptr_nonnull(strstr(strrchr(log, '\n') - 3, ",,"));
    free(log);
}
END_TEST

START_TEST(weights_are_a_start)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    recipe.lr = 0; /* nothing moves */
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--weights",
                         in_folder("a/best.ckpt"), "--epochs", "1"),
                     0);
    Checkpoint a, b;
    ck_assert(checkpoint_read(in_folder("a/best.ckpt"), &a));
    ck_assert(checkpoint_read(in_folder("b/last.ckpt"), &b));
    ck_assert_mem_eq(a.arrays[0].values, b.arrays[0].values, 36 * sizeof(float));
    checkpoint_free(&a);
    checkpoint_free(&b);
    model.arch = "input=2x2x3\nfc=dense 12 4\n";
    check_complaint_about(
        RUN(DATA, "-o", in_folder("c"), "--weights", in_folder("a/best.ckpt")),
        in_folder("a/best.ckpt"),
        "fc: the checkpoint has dense 12 3, the config says dense 12 4");
    ck_assert(!exists(in_folder("c")));
}
END_TEST

/* ---- Failures ---- */

START_TEST(a_loss_that_is_not_finite_ends_the_run)
{
    recipe.schedule = SCHEDULE_STEP;
    tiny_hooks.nan_in_train = STEPS * CALLS + 2;
    check_complaint(RUN(DATA, "-o", in_folder("a")),
                    "epoch 2 step 1: the loss is not finite, at learning rate 0.1; first "
                    "array that is not: gradient of fc.bias");
    Checkpoint last;
    ck_assert(checkpoint_read(in_folder("a/last.ckpt"), &last));
    ck_assert_ptr_nonnull(strstr(last.progress, "\nepoch=1\nstep=0\n"));
    checkpoint_free(&last);
    tiny_hooks = (TinyHooks){0};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--resume"), 0);
    check_log_rows("a", EPOCHS);
}
END_TEST

static void break_weights(Step *step)
{
    tiny_model.train(step);
    if (tiny_hooks.train_calls == STEPS * CALLS)
        step->gradient[0] = INFINITY;
}

START_TEST(broken_weights_are_not_written)
{
    recipe.schedule = SCHEDULE_STEP;
    model.train = break_weights;
    check_complaint(RUN(DATA, "-o", in_folder("a")),
                    "epoch 1 step 9: a weight is not finite, at learning rate 0.1; first "
                    "array that is not: fc.weight");
    ck_assert(!exists(in_folder("a/last.ckpt")));
}
END_TEST

START_TEST(unwritable_files_are_named)
{
    write_text(in_folder("file"), "");
    check_complaint_about(RUN(DATA, "-o", in_folder("file/a")), in_folder("file/a"),
                          "Not a directory");
    rt_make_directories(in_folder("a/best.ckpt"));
    check_complaint_about(RUN(DATA, "-o", in_folder("a")), in_folder("a/best.ckpt"),
                          "Is a directory");
}
END_TEST

START_TEST(too_few_images_are_refused)
{
    check_complaint(RUN("--data", "random:22", "-o", in_folder("a")),
                    "random:22: 9 images to train on, want at least a batch of 10");
    check_complaint(RUN("--data", "random:13", "-o", in_folder("a")),
                    "random:13: 13 training images, want more than the 13 to hold out");
    ck_assert(!exists(in_folder("a")));
    model.abi = LATHE_ABI + 1;
    ck_assert_int_eq(RUN(DATA), 1);
    ck_assert_ptr_nonnull(strstr(complained, "tiny: made for version "));
}
END_TEST

Suite *trainer_suite(void)
{
    TCase *tests = tcase_create("training");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, training_writes_its_files);
    tcase_add_test(tests, batches_are_cut_exactly);
    tcase_add_test(tests, training_learns);
    tcase_add_test(tests, threads_do_not_matter);
    tcase_add_test(tests, seeds_matter);
    tcase_add_test(tests, best_is_last_without_held_out);
    tcase_add_test(tests, weights_are_a_start);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
    tcase_add_test(tests, broken_weights_are_not_written);
    tcase_add_test(tests, unwritable_files_are_named);
    tcase_add_test(tests, too_few_images_are_refused);
    Suite *suite = suite_create("trainer");
    suite_add_tcase(suite, tests);
    return suite;
}
