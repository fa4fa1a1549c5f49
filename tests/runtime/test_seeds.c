/* Several seeds in one command: each run is the one that --seed makes, what was begun
 * goes on, and the mean and range are those of the runs. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double accuracy_of(const char *report)
{
    char *text = rt_read_file(in_folder(report), NULL);
    ck_assert_ptr_nonnull(text);
    const char *at = strstr(text, "made.final_test_accuracy=");
    ck_assert_ptr_nonnull(at);
    double accuracy = atof(strchr(at, '=') + 1);
    free(text);
    return accuracy;
}

static void check_summary(void)
{
    double one = accuracy_of("all/seed-1/report.txt");
    double seven = accuracy_of("all/seed-7/report.txt");
    char *want =
        rt_format("seeds 7,1: test accuracy %.4f on average, from %.4f to %.4f\n",
                  (one + seven) / 2, fmin(one, seven), fmax(one, seven));
    ck_assert_msg(strstr(printed, want) != NULL, "no %s", want);
    free(want);
}

#define SEEDS DATA, "-o", in_folder("all"), "--epochs", "2", "--seeds", "7,1"

START_TEST(each_is_a_run)
{
    ck_assert_int_eq(RUN(SEEDS), 0);
    check_summary();
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("one"), "--epochs", "2", "--seed", "7"),
                     0);
    check_same_run("one", "all/seed-7");
    /* what is finished stays, what is missing is made */
    ck_assert_int_eq(remove(in_folder("all/seed-1/last.ckpt")), 0);
    ck_assert_int_eq(RUN(SEEDS, "--resume"), 0);
    check_summary();
    check_same_run("one", "all/seed-7");
}
END_TEST

START_TEST(lists_that_are_none)
{
    static const char *const lists[] = {"1,", ",1", "1,x", "1,2,1", "-1"};
    for (int i = 0; i < 5; i++) {
        char *want = rt_format("--seeds: \"%s\", want up to 100 different whole numbers, "
                               "such as 1,2,3",
                               lists[i]);
        check_complaint(RUN(DATA, "--seeds", lists[i]), want);
        free(want);
    }
    check_complaint(RUN(DATA, "--seeds", "1,2", "--seed", "3"),
                    "train: --seeds and --seed: want one of them");
    check_complaint(RUN(DATA, "--seeds", "1,2", "--steps", "3"),
                    "train: --seeds and --steps: want one of them");
    check_complaint(RUN(DATA, "--seeds", "1,2", "--resume", "a/last.ckpt"),
                    "train: --seeds with --resume: the folders say what goes on, want no "
                    "file");
}
END_TEST

Suite *seeds_suite(void)
{
    Suite *suite = suite_create("seeds");
    TCase *tests = tcase_create("seeds");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_is_a_run);
    tcase_add_test(tests, lists_that_are_none);
    suite_add_tcase(suite, tests);
    return suite;
}
