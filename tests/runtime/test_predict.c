/* The rest of a trainer's command line: eval, classify, flags and help; and the line that
 * tells how training goes. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/draw/picture.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/progress.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *weights;

static void prepare(void)
{
    trainer_prepare();
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("run"), "--epochs", "2"), 0);
    weights = in_folder("run/best.ckpt");
}

/* ---- eval ---- */

/* What NumPy would read; the header is checked byte by byte. */
static float *read_scores(const char *path, int rows)
{
    size_t bytes;
    char *data = rt_read_file(path, &bytes), wanted[129];
    ck_assert_ptr_nonnull(data);
    snprintf(wanted, sizeof wanted,
             "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 3), }%*s\n", rows,
             58 - (rows > 9) - (rows > 99), "");
    ck_assert_uint_eq(strlen(wanted), 118);
    ck_assert_mem_eq(data, "\x93NUMPY\x01\x00\x76\x00", 10);
    ck_assert_mem_eq(data + 10, wanted, 118);
    ck_assert_uint_eq(bytes, 128 + (size_t)rows * TINY_CLASSES * sizeof(float));
    memmove(data, data + 128, bytes - 128);
    return (float *)data;
}

/* What eval should print, from the scores it wrote. */
static char *expected_report(const float *scores, const int32_t *labels, int count)
{
    int right[TINY_CLASSES] = {0}, images[TINY_CLASSES] = {0};
    for (int i = 0; i < count; i++) {
        const float *s = scores + i * TINY_CLASSES;
        int best = s[1] > s[0] ? 1 : 0;
        best = s[2] > s[best] ? 2 : best;
        images[labels[i]]++;
        right[labels[i]] += best == labels[i];
    }
    int all = right[0] + right[1] + right[2];
    return rt_format("accuracy %.4f (%d/%d)\nant  %5d/%d  %.4f\nbee  %5d/%d  %.4f\n"
                     "wasp %5d/%d  %.4f\n",
                     (double)all / count, all, count, right[0], images[0],
                     (double)right[0] / images[0], right[1], images[1],
                     (double)right[1] / images[1], right[2], images[2],
                     (double)right[2] / images[2]);
}

START_TEST(eval_takes_any_number_of_images)
{
    static const char *const counts[] = {"7", "8", "37", "101"};
    int count = atoi(counts[_i]);
    const char *path = in_folder("scores.npy");
    ck_assert_int_eq(
        RUN("eval", DATA, "--weights", weights, "--images", counts[_i], "--scores", path),
        0);
    ImageSet none, test;
    ck_assert(data_load("random:105", DATA_TEST, &tiny_data, &none, &test));
    float *scores = read_scores(path, count);
    char *wanted = expected_report(scores, test.labels, count);
    ck_assert_str_eq(printed, wanted);
    free(wanted);
    free(scores);
    data_free(&test);
}
END_TEST

START_TEST(scores_do_not_depend_on_the_batch)
{
    ck_assert_int_eq(RUN("eval", DATA, "--weights", weights, "--images", "9", "--scores",
                         in_folder("a.npy")),
                     0);
    model.micro_batch = 1;
    ck_assert_int_eq(RUN("eval", DATA, "--weights", weights, "--images", "9", "--scores",
                         in_folder("b.npy")),
                     0);
    float *a = read_scores(in_folder("a.npy"), 9),
          *b = read_scores(in_folder("b.npy"), 9);
    ck_assert_mem_eq(a, b, 9 * TINY_CLASSES * sizeof(float));
    free(a);
    free(b);
}
END_TEST

START_TEST(a_class_without_images_has_no_share)
{
    ck_assert_int_eq(RUN("eval", DATA, "--weights", weights, "--images", "1"), 0);
    ck_assert_ptr_nonnull(strstr(printed, " 0/0\n"));
}
END_TEST

START_TEST(eval_uses_averaged_weights)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("run"), "--resume"), 0);
    const char *last = in_folder("run/last.ckpt"), *a = in_folder("a.npy");
    recipe.held_out = 13;
    ck_assert_int_eq(RUN("eval", DATA, "--weights", last, "--images", "9", "--scores", a),
                     0);
    Weights averaged;
    ck_assert(weights_load(&averaged, &model, last));
    float *scores = read_scores(a, 9), logits[TINY_CLASSES];
    ImageSet none, test;
    ck_assert(data_load("random:105", DATA_TEST, &tiny_data, &none, &test));
    Step step = {.images = image_kept(&test, 0).pixels,
                 .count = 1,
                 .params = averaged.params,
                 .stats = averaged.stats,
                 .logits = logits};
    model.evaluate(&step);
    ck_assert_mem_eq(scores, logits, sizeof logits);
    free(scores);
    data_free(&test);
    weights_free(&averaged);
}
END_TEST

START_TEST(eval_errors_are_named)
{
    check_complaint(RUN("eval", DATA, "--weights", weights, "--images", "106"),
                    "random:105: 105 test images, --images says 106");
    check_complaint_about(RUN("eval", DATA, "--weights", in_folder("none")),
                          in_folder("none"), "No such file or directory");
    check_complaint_about(
        RUN("eval", DATA, "--weights", weights, "--scores", in_folder("no/a.npy")),
        in_folder("no/a.npy"), "No such file or directory");
    ck_assert(!exists(in_folder("no")));
}
END_TEST

START_TEST(scores_that_cannot_be_written_fail)
{
    rt_make_directories(in_folder("a.npy"));
    check_complaint_about(
        RUN("eval", DATA, "--weights", weights, "--scores", in_folder("a.npy")),
        in_folder("a.npy"), "Is a directory");
}
END_TEST

/* ---- classify ---- */

static void write_picture(const char *path, int width, int height)
{
    Picture picture = {width, height, rt_alloc((size_t)width * (size_t)height * 3)};
    for (int i = 0; i < width * height * 3; i++)
        picture.pixels[i] = (uint8_t)(i * 37);
    ck_assert(picture_write(path, &picture));
    picture_free(&picture);
}

START_TEST(classify_prints_the_likeliest_first)
{
    const char *path = in_folder("a.png");
    write_picture(path, TINY_SIDE, TINY_SIDE);
    ck_assert_int_eq(RUN("classify", "--weights", weights, path, path), 0);
    uint8_t image[TINY_INPUTS];
    for (int i = 0; i < TINY_INPUTS; i++)
        image[i] = (uint8_t)(i * 37);
    Weights loaded;
    float logits[TINY_CLASSES];
    ck_assert(weights_load(&loaded, &model, weights));
    Step step = {.images = image,
                 .count = 1,
                 .params = loaded.params,
                 .stats = loaded.stats,
                 .logits = logits};
    model.evaluate(&step);
    weights_free(&loaded);
    double total = 0, sum = 0, before = 1, p;
    for (int k = 0; k < TINY_CLASSES; k++)
        total += exp(logits[k]);
    char *at = printed + strlen(path), name[16];
    ck_assert_int_eq(strncmp(printed, path, strlen(path)), 0);
    for (int i = 0; i < TINY_CLASSES; i++) {
        ck_assert_int_eq(sscanf(at + 1, " %15s %lf", name, &p), 2);
        int k = 0;
        while (k < TINY_CLASSES && strcmp(name, model.class_names[k]) != 0)
            k++;
        ck_assert_int_lt(k, TINY_CLASSES);
        ck_assert_double_eq_tol(p, exp(logits[k]) / total, 1e-4);
        ck_assert_double_le(p, before);
        before = p;
        sum += p;
        at += 1 + strcspn(at + 1, ",\n");
    }
    ck_assert_double_eq_tol(sum, 1, 2e-4); /* each class once */
    ck_assert_int_eq(strncmp(at, "\n/", 2), 0);
}
END_TEST

/* Of any size, in either format; and one that is broken stops no other. */
START_TEST(classify_takes_any_picture)
{
    const char *small = in_folder("a.png"), *large = in_folder("b.jpg");
    write_picture(small, TINY_SIDE, TINY_SIDE);
    jpeg_write_smooth(large, 200, 90, 1);
    ck_assert_int_eq(
        RUN("classify", "--weights", weights, small, in_folder("none"), large), 1);
    ck_assert_ptr_nonnull(strstr(printed, small));
    ck_assert_ptr_nonnull(strstr(printed, large));
    ck_assert_ptr_null(strstr(printed, "none"));
}
END_TEST

START_TEST(classify_errors_are_named)
{
    const char *path = in_folder("a.png");
    write_text(path, "text");
    char *want = rt_format("%s: No such file or directory\ntiny: %s: want a JPEG or PNG "
                           "picture\ntiny: 2 of 2 pictures could not be read",
                           in_folder("b.png"), path);
    check_complaint(RUN("classify", "--weights", weights, in_folder("b.png"), path),
                    want);
    free(want);
    ck_assert_str_eq(printed, "");
    write_picture(path, 3, 2);
    check_complaint(RUN("classify", "--weights", weights),
                    "classify: no picture to classify");
    check_complaint(RUN("classify", path), "classify: --weights FILE is missing");
    model.channels = 2;
    check_complaint(RUN("classify", "--weights", weights, path),
                    "tiny: reads images of 2 channels, pictures have 1 or 3");
}
END_TEST

/* ---- Flags ---- */

static const struct {
    const char *arguments[4], *message;
} mistakes[] = {
    {{NULL}, "train: --data DIR is missing"},
    {{"eval"}, "eval: --data DIR is missing"},
    {{"eval", "--data", "x"}, "eval: --weights FILE is missing"},
    {{"--epoch", "3"}, "train: unknown flag --epoch; did you mean --epochs?"},
    {{"--epoch=3"}, "train: unknown flag --epoch; did you mean --epochs?"},
    {{"--qqqqqqqqqqqqqqqq"}, "train: unknown flag --qqqqqqqqqqqqqqqq; see --help"},
    {{"eval", "--epochs", "3"}, "eval: --epochs is a flag of train; see --help"},
    {{"evl"}, "evl: unknown command; did you mean eval?"},
    {{"x"}, "x: unknown command; see --help"},
    {{"train", "x"}, "train: unexpected word x"},
    {{"--data"}, "--data: want DIR behind it"},
    {{"--data="}, "--data: want DIR behind it"},
    {{"--data", "x", "--data=y"}, "train: --data is given twice"},
    {{"--epochs", "0"}, "--epochs: \"0\", want a whole number from 1 to 1000000"},
    {{"--epochs", "3x"}, "--epochs: \"3x\", want a whole number from 1 to 1000000"},
    {{"--epochs= 3"}, "--epochs: \" 3\", want a whole number from 1 to 1000000"},
    {{"--epochs", "1e3"}, "--epochs: \"1e3\", want a whole number from 1 to 1000000"},
    {{"--epochs", "99999999999999999999"},
     "--epochs: \"99999999999999999999\", want a whole number from 1 to 1000000"},
    {{"--threads", "65"}, "--threads: \"65\", want a whole number from 1 to 64"},
    {{"--seed", "-1"}, "--seed: \"-1\", want a whole number below 2^64"},
    {{"--seed", "18446744073709551616"},
     "--seed: \"18446744073709551616\", want a whole number below 2^64"},
    {{"--data=x", "--resume", "--weights=y"},
     "train: --resume and --weights: want one of them"},
    {{"--data", "/nowhere", "--seed=18446744073709551615"},
     "/nowhere: no such file or folder: want one of: random:COUNT; a pack that "
     "`lathe data pack` made; a .tar of class folders; "
     "a .csv of path,label; images.npy with labels.npy, or an .npz of both; CIFAR-10's "
     "data_batch_1.bin and test_batch.bin; CIFAR-100's train.bin and test.bin; PNG "
     "sheets "
     "data_batch_1.png and test_batch.png; MNIST's train-images-idx3-ubyte and its like; "
     "train/CLASS/*.jpg with val or test beside it; CLASS/*.jpg. `lathe data cifar10 "
     "/nowhere` makes a folder of CIFAR-10"},
};

START_TEST(mistakes_get_their_message)
{
    check_complaint(run_trainer(mistakes[_i].arguments), mistakes[_i].message);
    ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(help_explains_every_flag)
{
    static const char *const flags[] = {"--data",   "-o",       "--weights", "--resume",
                                        "--epochs", "--steps",  "--seed",    "--images",
                                        "--scores", "--threads"};
    ck_assert_int_eq(RUN("--help"), 0);
    ck_assert_str_eq(complained, "");
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char *line = rt_format("\n  %s ", flags[i]);
        ck_assert_msg(strstr(printed, line) != NULL, "no %s", flags[i]);
        free(line);
    }
    ck_assert_int_eq(RUN("eval", "--data", "--help"), 0);
    ck_assert_ptr_nonnull(strstr(printed, "trainer eval --weights FILE --data DIR"));
    ck_assert_ptr_null(strstr(printed, "--epochs"));
}
END_TEST

/* ---- The progress line ---- */

static const Moment half = {12, 160, 20000, 40000, 0.43212, 0.8512};

START_TEST(the_line_fits_its_width)
{
    char line[256];
    progress_format(line, sizeof line, 200, &half, 2431.4, 8.2, 3725);
    ck_assert_str_eq(line,
                     "epoch 12/160 [===================>                   ]  50 %  "
                     "loss 0.4321  accuracy 0.8512  2431 images/s  left 0:08, in "
                     "all 1:02:05");
    progress_format(line, sizeof line, 90, &half, 2431.4, 8.2, 3725);
    ck_assert_str_eq(line,
                     "epoch 12/160 [=====>    ]  50 %  loss 0.4321  accuracy 0.8512  "
                     "2431 images/s  left 1:02:05");
    progress_format(line, sizeof line, 79, &half, 2431.4, 8.2, 3725);
    ck_assert_str_eq(line, "epoch 12/160 [=======>      ]  50 %  loss 0.4321  "
                           "accuracy 0.8512  left 1:02:05");
    for (int width = 1; width < 256; width++) {
        progress_format(line, sizeof line, width, &half, 2431.4, 8.2, 3725);
        ck_assert_int_le((int)strlen(line), width);
        ck_assert_int_eq(strncmp(line, "epoch 12/160", width < 12 ? (size_t)width : 12),
                         0);
    }
    progress_format(line, 20, 200, &half, 1, 1, 1);
    ck_assert_uint_eq(strlen(line), 19);
    progress_format(line, sizeof line, 120, &half, 0, INFINITY, NAN);
    ck_assert_ptr_nonnull(strstr(line, " left ?, in all ?"));
}
END_TEST

static char *shown(bool terminal, int times)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    Progress progress;
    progress_start(&progress, out, &half);
    progress.terminal = terminal;
    progress_show(&progress, &half); /* too early */
    for (int i = 0; i < times; i++) {
        progress.shown -= terminal ? 0.2 : 20;
        progress_show(&progress, &half);
        progress_show(&progress, &half);
    }
    progress_clear(&progress);
    fclose(out);
    return text;
}

START_TEST(lines_are_rare)
{
    char *text = shown(false, 2);
    int lines = 0;
    for (char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    ck_assert_int_eq(lines, 2);
    ck_assert_ptr_null(strchr(text, '\r'));
    free(text);
    text = shown(true, 3);
    ck_assert_ptr_null(strchr(text, '\n'));
    for (char *at = text; (at = strchr(at, '\r')) != NULL; at++)
        lines++;
    ck_assert_int_eq(lines, 2 + 3 + 1); /* and one to clear it */
    free(text);
}
END_TEST

Suite *predict_suite(void)
{
    TCase *tests = tcase_create("predict");
    tcase_add_checked_fixture(tests, prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, eval_takes_any_number_of_images, 0, 4);
    tcase_add_test(tests, scores_do_not_depend_on_the_batch);
    tcase_add_test(tests, a_class_without_images_has_no_share);
    tcase_add_test(tests, eval_uses_averaged_weights);
    tcase_add_test(tests, eval_errors_are_named);
    tcase_add_test(tests, scores_that_cannot_be_written_fail);
    tcase_add_test(tests, classify_prints_the_likeliest_first);
    tcase_add_test(tests, classify_takes_any_picture);
    tcase_add_test(tests, classify_errors_are_named);
    TCase *words = tcase_create("words");
    tcase_add_checked_fixture(words, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(words, 60);
    tcase_add_loop_test(words, mistakes_get_their_message, 0,
                        sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(words, help_explains_every_flag);
    tcase_add_test(words, the_line_fits_its_width);
    tcase_add_test(words, lines_are_rare);
    Suite *suite = suite_create("predict");
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, words);
    return suite;
}
