/* Training with a network by hand: its files, batches, seeds and threads, and what ends
 * it. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/augment.h"
#include "runtime/data/data.h"
#include "runtime/draw/picture.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/history.h"
#include "runtime/train/optim.h"
#include "runtime/train/trainer.h"
#include "tests/tools/folder.h"
#include "tests/tools/trainer_run.h"

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
    ck_assert(curve.width == 1280 && curve.height > curve.width);
    picture_free(&curve);
    Checkpoint best;
    ck_assert(checkpoint_read(in_folder("a/b/best.ckpt"), &best));
    ck_assert_int_eq(best.count, 3);
    static const char made[] = "made.command=lathe train tiny --data random:105 --epochs "
                               "3 --seed 5\nmade.epoch=";
    ck_assert_msg(strncmp(best.progress, made, sizeof made - 1) == 0, "%s",
                  best.progress);
    ck_assert_ptr_nonnull(strstr(best.progress, "\nmade.held_out_accuracy=0."));
    char *report = rt_read_file(in_folder("a/b/report.txt"), NULL);
    ck_assert_ptr_nonnull(strstr(report, "\ntrained:\nmade.command=lathe train tiny "));
    ck_assert_ptr_nonnull(strstr(report, "\nmade.final_test_accuracy=0."));
    free(report);
    ck_assert_str_eq(best.config, model.config);
    checkpoint_free(&best);
}
END_TEST

/* NumPy's uint8 (4, 2, 2, 3), zeros. */
static void write_images(const char *path)
{
    char bytes[128 + 4 * TINY_INPUTS] = "\x93NUMPY\x01";
    bytes[8] = 118;
    memset(bytes + 10, ' ', 118);
    static const char header[] =
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 2, 2, 3), }";
    memcpy(bytes + 10, header, sizeof header - 1);
    write_bytes(path, bytes, sizeof bytes);
}

START_TEST(training_needs_labels)
{
    const char *images = in_folder("images.npy");
    write_images(images);
    check_complaint_about(RUN("--data", images, "-o", in_folder("a")), images,
                          "images without labels, which training needs");
    ck_assert(!exists(in_folder("a")));
    ck_assert(!trainer_check("train", &(TrainerOptions){.data = images}));
    check_error("%s: images without labels, which training needs", images);
    rt_error_clear();
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_int_eq(RUN("--data", images, "-o", in_folder("a"), "--resume"), 1);
    ck_assert_int_eq(RUN("eval", "--data", images, "--weights", in_folder("a/best.ckpt")),
                     0);
    ck_assert_str_eq(printed, "4 images without labels\n");
}
END_TEST

/* The rows' test accuracy, "" where there is none. */
static void check_tested(const char *run, int every)
{
    char *path = rt_format("%s/log.csv", in_folder(run)),
         *text = rt_read_file(path, NULL);
    char *line = strchr(text, '\n') + 1;
    for (int epoch = 1; *line; epoch++) {
        char *end = strchr(line, '\n');
        *end = 0;
        EpochRow row;
        ck_assert(history_parse(line, &row));
        bool tested = every && epoch % every == 0;
        ck_assert_int_eq(isfinite(row.test_accuracy), tested);
        ck_assert_int_eq(isfinite(row.test_loss), tested);
        ck_assert(!tested || (row.test_accuracy > 0 && row.test_accuracy < 1));
        line = end + 1;
    }
    free(text);
    free(path);
}

/* Test images choose nothing: the weights are the same, looked at or not; nor does a run
 * become another by it. */
START_TEST(tests_change_nothing)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "4"), 0);
    check_tested("a", 0);
    recipe.test_every = 2;
    model.config = "name=tiny\ntrain.epochs=3\ntrain.lr=0.1\ntrain.seed=5\n"
                   "train.test_every=2\n";
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--epochs", "4"), 0);
    check_tested("b", 2);
    ck_assert_ptr_nonnull(strstr(printed, "; test: loss "));
    check_same_values("a/best.ckpt", "", "b/best.ckpt", "");
    check_same_values("a/last.ckpt", "ema/", "b/last.ckpt", "ema/");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("c"), "--epochs", "4", "--steps", "15"),
                     0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("c"), "--resume"), 0);
    check_same_run("b", "c");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "4"), 0);
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
    check_same_values("a/best.ckpt", "", "a/last.ckpt", "");
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
    ck_assert_mem_eq(checkpoint_find(&b, "ema/", "fc.weight")->values, a.arrays[0].values,
                     36 * sizeof(float));
    char *made = rt_format(" --weights %s --epochs 1 ", in_folder("a/best.ckpt"));
    ck_assert_ptr_nonnull(strstr(b.progress, made));
    free(made);
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

/* ---- What a step sees ---- */

/* A number that tells images apart. */
static uint64_t image_mark(const uint8_t *image)
{
    uint64_t mark = 0;
    for (int i = 0; i < TINY_INPUTS; i++)
        mark = random_bits(mark, image[i]);
    return mark;
}

static uint64_t marks[EPOCHS][STEPS * 10];
static int marked;

/* Fixed results: a loss of 1/2 an image, one right answer a call. */
static void mark_images(Step *step)
{
    ck_assert_float_eq(step->loss_scale, 0.1f);
    ck_assert_float_eq(step->label_smoothing, 0.25f);
    for (int i = 0; i < step->count; i++, marked++)
        marks[marked / (STEPS * 10)][marked % (STEPS * 10)] =
            image_mark(step->images + i * TINY_INPUTS);
    step->loss = 0.5 * step->count;
    step->correct = 1;
}

static bool epoch_has(int epoch, uint64_t mark)
{
    for (int i = 0; i < STEPS * 10; i++)
        if (marks[epoch][i] == mark)
            return true;
    return false;
}

static void train_marked(void)
{
    marked = 0;
    model.train = mark_images;
    recipe.label_smoothing = 0.25;
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_int_eq(marked, EPOCHS * STEPS * 10);
}

/* All but the two that do not fill a batch, none twice, none that is held out. */
START_TEST(an_epoch_has_each_image_once_in_an_own_order)
{
    ImageSet train, held_out, none;
    ck_assert(data_load("random:105", DATA_TRAIN, &tiny_data, &train, &none));
    ck_assert(data_hold_out(&train, recipe.held_out, 0, &held_out));
    recipe.flip = false;
    recipe.crop = 0;
    train_marked();
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int seen = 0;
        for (int i = 0; i < train.count; i++)
            seen += epoch_has(epoch, image_mark(image_kept(&train, i).pixels));
        ck_assert_int_eq(seen, STEPS * 10);
        for (int before = 0; before < epoch; before++)
            ck_assert_mem_ne(marks[epoch], marks[before], sizeof marks[0]);
    }
    data_free(&train);
    data_free(&held_out);
}
END_TEST

START_TEST(an_epoch_has_its_own_augmentation)
{
    train_marked();
    int common = 0;
    for (int i = 0; i < STEPS * 10; i++)
        common += epoch_has(1, marks[0][i]);
    ck_assert_int_gt(common, 0); /* one in 18 stays the same by chance */
    ck_assert_int_lt(common, 30);
}
END_TEST

START_TEST(the_log_has_means_over_images)
{
    train_marked();
    char *log = timeless_log("a");
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        double epochs = epoch + (STEPS - 1.0) / STEPS;
        char *row = rt_format("\n%d,%.6g,0.500000,0.300000,", epoch + 1,
                              optim_rate(&recipe, epochs));
        ck_assert_msg(strstr(log, row) != NULL, "no %s in %s", row, log);
        free(row);
    }
    free(log);
}
END_TEST

/* ---- The best epoch ---- */

/* How many of the 13 held-out images come out right after each epoch, and how sure. */
static int right_answers[EPOCHS];
static float sureness[EPOCHS];

/* Four calls go over the held-out images. */
static void answer(Step *step)
{
    int call = tiny_hooks.evaluate_calls++, epoch = call / 4;
    if (epoch >= EPOCHS)
        return;
    for (int i = 0; i < step->count; i++) {
        bool right = call % 4 * TINY_MICRO + i < right_answers[epoch];
        float *scores = step->logits + i * TINY_CLASSES;
        memset(scores, 0, TINY_CLASSES * sizeof *scores);
        scores[(step->labels[i] + !right) % TINY_CLASSES] = sureness[epoch];
    }
}

static const struct {
    int right[EPOCHS];
    float sure[EPOCHS];
    int best;
} choices[] = {
    {{3, 9, 5}, {1, 1, 1}, 2}, {{3, 9, 10}, {1, 1, 1}, 3}, {{9, 3, 5}, {1, 1, 1}, 1},
    {{9, 9, 9}, {1, 1, 1}, 1}, {{9, 9, 9}, {1, 2, 1}, 2},  {{9, 9, 10}, {1, 2, 0.1f}, 3},
};

START_TEST(the_best_epoch_is_kept)
{
    memcpy(right_answers, choices[_i].right, sizeof right_answers);
    memcpy(sureness, choices[_i].sure, sizeof sureness);
    model.evaluate = answer;
    recipe.ema = 0;
    recipe.schedule = SCHEDULE_STEP; /* so that a shorter run begins the same */
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    char *wanted = rt_format(" with the weights of epoch %d\n", choices[_i].best);
    ck_assert_msg(strstr(printed, wanted) != NULL, "%s", printed);
    free(wanted);
    char epochs[2] = {(char)('0' + choices[_i].best), 0};
    tiny_hooks.evaluate_calls = 0;
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--epochs", epochs), 0);
    check_same_values("a/best.ckpt", "", "b/last.ckpt", "");
}
END_TEST

START_TEST(averages_are_kept_and_evaluated)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "1"), 0);
    check_same_values("a/best.ckpt", "", "a/last.ckpt", "ema/");
    ImageSet train, held_out, none;
    Weights weights;
    Work work;
    Score score = {0};
    ck_assert(data_load("random:105", DATA_TRAIN, &tiny_data, &train, &none));
    ck_assert(data_hold_out(&train, recipe.held_out, 0, &held_out));
    ck_assert(weights_load(&weights, &model, in_folder("a/best.ckpt")));
    work_alloc(&work, &model);
    evaluate(&model, &weights, &work, &held_out, held_out.count, NULL, &score);
    char *log = timeless_log("a"), *wanted = rt_format(",%.6f,", score.loss / 13);
    ck_assert_msg(strstr(log, wanted) != NULL, "no %s in %s", wanted, log);
    free(wanted);
    free(log);
    work_free(&work);
    weights_free(&weights);
    data_free(&train);
    data_free(&held_out);
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
    tcase_add_test(tests, training_needs_labels);
    tcase_add_test(tests, tests_change_nothing);
    tcase_add_test(tests, batches_are_cut_exactly);
    tcase_add_test(tests, training_learns);
    tcase_add_test(tests, threads_do_not_matter);
    tcase_add_test(tests, seeds_matter);
    tcase_add_test(tests, best_is_last_without_held_out);
    tcase_add_test(tests, weights_are_a_start);
    tcase_add_test(tests, an_epoch_has_each_image_once_in_an_own_order);
    tcase_add_test(tests, an_epoch_has_its_own_augmentation);
    tcase_add_test(tests, the_log_has_means_over_images);
    tcase_add_loop_test(tests, the_best_epoch_is_kept, 0,
                        sizeof choices / sizeof choices[0]);
    tcase_add_test(tests, averages_are_kept_and_evaluated);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
    tcase_add_test(tests, broken_weights_are_not_written);
    tcase_add_test(tests, unwritable_files_are_named);
    tcase_add_test(tests, too_few_images_are_refused);
    Suite *suite = suite_create("trainer");
    suite_add_tcase(suite, tests);
    return suite;
}
