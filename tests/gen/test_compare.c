/* compare: runs side by side, as log.csv and the configs have them, and a picture. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/draw/picture.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAIN(run, ...)                                                                  \
    LATHE_OK("train", net_config("picture"), "--data", "random:300", "-o",               \
             in_folder(run), "--epochs", "2", __VA_ARGS__)

/* The line of the run's numbers; epochs and accuracies as it says them. */
static void find_run(const char *run, char seed[16], char epochs[16], double *best,
                     double *last)
{
    char *name = rt_format("\n%s\n", in_folder(run)), *at = strstr(out, name);
    ck_assert_msg(at != NULL, "no %s in %s", run, out);
    int count = sscanf(at + strlen(name), " %*8s %15s %15s %lf %lf - 5.2 KB", seed,
                       epochs, best, last);
    ck_assert_msg(count == 4, "%d of %s", count, at);
    free(name);
}

/* The held-out accuracy of that row of the log. */
static double logged(const char *run, int epoch)
{
    char *path = rt_format("%s/log.csv", in_folder(run)),
         *text = rt_read_file(path, NULL);
    char *line = text;
    double accuracy;
    for (int i = 0; i < epoch; i++)
        line = strchr(line, '\n') + 1;
    ck_assert_int_eq(sscanf(line, "%*d,%*f,%*f,%*f,%*f,%lf", &accuracy), 1);
    free(path);
    free(text);
    return accuracy;
}

START_TEST(runs_are_compared)
{
    char seed[16], epochs[16];
    double best, last;
    TRAIN("a", "--seed", "1");
    TRAIN("b", "--seed", "7", "--set", "train.lr=0.02", "--steps", "15");
    LATHE_OK("compare", in_folder("a"), in_folder("b"), "-o", in_folder("c.png"));
    find_run("a", seed, epochs, &best, &last);
    ck_assert_str_eq(seed, "1");
    ck_assert_str_eq(epochs, "2/2");
    ck_assert_double_eq_tol(last, logged("a", 2), 1e-4);
    ck_assert_double_eq_tol(best, fmax(logged("a", 1), logged("a", 2)), 1e-4);
    find_run("b", seed, epochs, &best, &last);
    ck_assert_str_eq(seed, "7");
    ck_assert_str_eq(epochs, "1/2");
    ck_assert_double_eq_tol(last, logged("b", 1), 1e-4);
    char *wanted =
        rt_format("\nwhat differs between their configs\n"
                  "train.lr\n"
                  "  0.05             %s\n"
                  "  0.02             %s\n"
                  "train.seed\n"
                  "  1                %s\n"
                  "  7                %s\n",
                  in_folder("a"), in_folder("b"), in_folder("a"), in_folder("b"));
    char *at = strstr(out, "\nwhat differs");
    ck_assert_ptr_nonnull(at);
    ck_assert_str_eq(at, wanted);
    free(wanted);
    Picture picture;
    ck_assert_msg(picture_read(in_folder("c.png"), &picture), "%s", rt_error());
    picture_free(&picture);
    LATHE_OK("compare", in_folder("a"), in_folder("a"));
    ck_assert_ptr_nonnull(strstr(out, "\ntheir configs are the same\n"));
}
END_TEST

static void check_refused(const char *message, const char *path)
{
    char *wanted = rt_format("lathe: %s%s\n", path, message);
    ck_assert_str_eq(err, wanted);
    ck_assert_str_eq(out, "");
    free(wanted);
}

START_TEST(mistakes_are_explained)
{
    ck_assert_int_eq(LATHE("compare"), 1);
    check_refused("compare: want the folder of a run", "");
    ck_assert_int_eq(LATHE("compare", "x", "-o", "y.jpg"), 1);
    check_refused("compare: -o y.jpg: want a name that ends in .png", "");
    ck_assert_int_eq(LATHE("compare", in_folder("none")), 1);
    check_refused("/last.ckpt: No such file or directory", in_folder("none"));
    TRAIN("a", "--seed", "1");
    rename(in_folder("a/best.ckpt"), in_folder("a/last.ckpt"));
    ck_assert_int_eq(LATHE("compare", in_folder("a"), "-o", in_folder("c.png")), 1);
    check_refused("/last.ckpt: weights for use, no training state; start from them with "
                  "--weights",
                  in_folder("a"));
    ck_assert_int_ne(access(in_folder("c.png"), F_OK), 0);
}
END_TEST

Suite *compare_suite(void)
{
    Suite *suite = suite_create("compare");
    TCase *tests = tcase_create("compare");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, runs_are_compared);
    tcase_add_test(tests, mistakes_are_explained);
    suite_add_tcase(suite, tests);
    return suite;
}
