/* lathe verify where numbers are at their ends: integers that no float holds, scores of
 * 64 bits, sums that cancel, scores of nothing but zeros. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"

#include <stdlib.h>
#include <string.h>

static void train(const char *config, const char *set)
{
    LATHE_OK("train", config, "--jit=cc", "--data", "random:64", "--steps", "4", "-o",
             in_folder("float"), "--set", set);
}

static void verified(const char *config, const char *set, const char *weights,
                     const char *says)
{
    LATHE_OK("verify", config, "--weights", in_folder(weights), "--data", "random:8",
             "--set", set);
    ck_assert_msg(strstr(out, says) != NULL, "%s", out);
}

static const struct {
    const char *side, *type;
} maps[] = {{"net.side=32", "int32_t"}, {"net.side=96", "int64_t"}};

START_TEST(integers_of_any_size)
{
    const char *config = net_config("large_map"), *side = maps[_i].side;
    LATHE_OK("train", config, "--jit=cc", "--data", "random:64", "--steps", "4", "-o",
             in_folder("float"), "--set", side, "--set", "quant.quantizer='none'");
    LATHE_OK("ptq", config, "--set", side, "--weights", in_folder("float/last.ckpt"),
             "--data", "random:64", "--images", "64", "-o", in_folder("q.ckpt"));
    verified(config, side, "q.ckpt", "\nidentical: 8 images x ");
    LATHE_OK("emit", config, "--set", side, "--weights", in_folder("q.ckpt"), "-o",
             in_folder("file.c"));
    char *header = rt_read_file(in_folder("file.h"), NULL);
    char *declared = rt_format("void *arena, %s *scores);", maps[_i].type);
    ck_assert_msg(strstr(header, declared) != NULL, "%s", header);
    free(declared);
    free(header);
}
END_TEST

/* With a rate of 0 the dense layer keeps its zeros. */
static const char *const rates[] = {"train.lr=0.05", "train.lr=0"};

START_TEST(floats_are_compared_by_their_terms)
{
    const char *config = net_config("two_classes");
    train(config, rates[_i]);
    verified(config, rates[_i], "float/last.ckpt", "\nagree: 8 images x ");
}
END_TEST

/* Whole tiles and cut ones, with a residual. */
static const char *const heights[] = {"net.height=16", "net.height=9"};

START_TEST(floats_of_transformed_tiles_agree)
{
    const char *config = net_config("winograd");
    const char *const sets[] = {heights[_i], "net.channels=16", "net.out=32",
                                "quant={ quantizer='none', winograd='always' }"};
    LATHE_OK("train", config, "--jit=cc", "--data", "random:64", "--steps", "4", "-o",
             in_folder("float"), "--set", sets[0], "--set", sets[1], "--set", sets[2],
             "--set", sets[3]);
    LATHE_OK("verify", config, "--weights", in_folder("float/last.ckpt"), "--data",
             "random:8", "--set", sets[0], "--set", sets[1], "--set", sets[2], "--set",
             sets[3]);
    ck_assert_msg(strstr(out, "\nagree: 8 images x ") != NULL, "%s", out);
    LATHE_OK("emit", config, "--weights", in_folder("float/last.ckpt"), "-o",
             in_folder("file.c"), "--set", sets[0], "--set", sets[1], "--set", sets[2],
             "--set", sets[3]);
    char *text = rt_read_file(in_folder("file.c"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "_plus_relu_winograd_panel32"));
    ck_assert_ptr_nonnull(strstr(text, " for avx512, avx2, sse4, sse2, neon), arena "));
    free(text);
}
END_TEST

Suite *verify_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("ends");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_add_loop_test(tests, integers_of_any_size, 0, 2);
    tcase_add_loop_test(tests, floats_are_compared_by_their_terms, 0, 2);
    tcase_add_loop_test(tests, floats_of_transformed_tiles_agree, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
