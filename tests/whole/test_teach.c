/* Distillation: a run with a teacher learns from it, is resumed to the bit, says which it
 * had, and refuses one that does not fit. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/trainer_run.h"

#include <stdlib.h>
#include <string.h>

static const char net[] =
    "return { net = { layers = function()\n"
    "    local x = relu(bn{ conv{ image{ 8, 8, 3 }, name = 'a', out = %d, kernel = 3 } "
    "})\n"
    "    return dense{ avgpool(x), name = 'last', out = %d }\n"
    "end }, train = { epochs = 2, batch = 10, lr = 0.05, seed = %d } }\n";

static void write_net(const char *name, int width, int classes, int seed)
{
    char *text = rt_format(net, width, classes, seed);
    write_text(in_folder(name), text);
    free(text);
}

static char *teacher; /* the flag's value */

static void prepare(void)
{
    folder_make();
    write_net("big.lua", 8, 3, 1);
    write_net("net.lua", 4, 3, 2);
    LATHE_OK("train", in_folder("big.lua"), "--data", "random:60", "-o", in_folder("big"),
             "--jit=tcc");
    teacher = rt_format("%s=%s", in_folder("big.lua"), in_folder("big/best.ckpt"));
}

static void clean_up(void)
{
    free(teacher);
    lathe_clean_up();
}

#define TRAIN(folder, ...)                                                               \
    LATHE("train", in_folder("net.lua"), "--data", "random:60", "-o", in_folder(folder), \
          "--jit=tcc", __VA_ARGS__)

/* Images are mixed in all but the last epoch. */
#define MIXED                                                                            \
    "--set", "train.mixup=0.5", "--set", "train.cutmix=1", "--set", "train.mix_end=1"

static void check_well(int status)
{
    ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);
}

START_TEST(resumed_to_the_bit)
{
    check_well(TRAIN("whole", "--teacher", teacher, MIXED));
    check_well(
        TRAIN("parts", "--teacher", teacher, MIXED, "--steps", "3", "--threads", "1"));
    ck_assert_int_eq(TRAIN("parts", "--resume", MIXED), 1);
    ck_assert_ptr_nonnull(strstr(err, "the run to resume has --teacher "));
    check_well(TRAIN("parts", "--resume", "--teacher", teacher, MIXED));
    check_same_run("whole", "parts");
    char *made = rt_read_file(in_folder("whole/best.ckpt"), NULL);
    char *want = rt_format(" --teacher %s --epochs 2", teacher);
    ck_assert_ptr_nonnull(strstr(made, want));
    free(want);
    free(made);
}
END_TEST

/* Learning from nobody but the teacher, a network of its shape comes to agree with it;
 * labels, which random images have at random, teach the same network nothing. */
START_TEST(agrees_with_its_teacher)
{
    static const char *const weights[] = {"train.distill=1", "train.distill=0"};
    double loss[2];
    for (int i = 0; i < 2; i++) {
        check_well(TRAIN(i ? "b" : "a", "--teacher", teacher, "--set", weights[i],
                         "--epochs", "60"));
        char *log = timeless_log(i ? "b" : "a"), *last = strrchr(log, '\n');
        *last = 0;
        last = strrchr(log, '\n');
        ck_assert_int_eq(sscanf(last + 1, "%*d,%*[^,],%lf", &loss[i]), 1);
        free(log);
    }
    ck_assert_double_lt(loss[0], 0.05); /* nats; labels leave about ln 3 */
    ck_assert_double_gt(loss[1], 0.5);
}
END_TEST

START_TEST(teachers_that_do_not_fit)
{
    ck_assert_int_eq(TRAIN("x", "--teacher", "big"), 1);
    ck_assert_str_eq(err, "lathe: --teacher big: want CONFIG.lua=FILE.ckpt\n");
    write_net("four.lua", 4, 4, 1);
    LATHE_OK("train", in_folder("four.lua"), "--data", "random:60", "-o",
             in_folder("four"), "--jit=tcc");
    char *other = rt_format("%s=%s", in_folder("four.lua"), in_folder("four/best.ckpt"));
    ck_assert_int_eq(TRAIN("x", "--teacher", other), 1);
    char *want = rt_format("net: %s: a teacher for 8x8x3 and 4 classes, the network has "
                           "8x8x3 and 3\n",
                           in_folder("four.lua"));
    ck_assert_str_eq(err, want);
    free(want);
    free(other);
    other = rt_format("%s=%s", in_folder("net.lua"), in_folder("big/best.ckpt"));
    ck_assert_int_eq(TRAIN("x", "--teacher", other), 1);
    ck_assert_ptr_nonnull(strstr(err, "checkpoint has"));
    free(other);
}
END_TEST

Suite *teach_suite(void)
{
    Suite *suite = suite_create("teach");
    TCase *tests = tcase_create("teach");
    tcase_add_checked_fixture(tests, prepare, clean_up);
    tcase_add_test(tests, resumed_to_the_bit);
    tcase_add_test(tests, agrees_with_its_teacher);
    tcase_add_test(tests, teachers_that_do_not_fit);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    return suite;
}
