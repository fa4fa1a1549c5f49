/* Programs whose output cannot be written, or is closed: every one says so and fails. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"

#include <stdlib.h>
#include <string.h>

/* The words with standard output full, or closed; both fail, and leave no trace of what
 * was printed in the files they open. */
static void check_unwritable(const char *const *words, const char *message)
{
    static const char *const ways[] = {"exec \"$@\" > /dev/full", "exec \"$@\" >&-"};
    for (int way = 0; way < 2; way++) {
        const char *all[24] = {"sh", "-c", ways[way], "sh"};
        for (int i = 0; words[i]; i++)
            all[4 + i] = words[i];
        int status = process_run(NULL, NULL, in_folder("err"), all);
        char *said = rt_read_file(in_folder("err"), NULL);
        ck_assert_msg(status == 1 && strstr(said, message), "%s, %s: status %d: %s",
                      words[1], ways[way], status, said);
        free(said);
    }
}

#define CHECK_LATHE(...)                                                                 \
    check_unwritable(lathe_command(WORDS(__VA_ARGS__)), "standard output: ")

START_TEST(verbs_need_their_output)
{
    const char *picture = net_config("picture"), *best = in_folder("run/best.ckpt");
    char *cat = rt_format("%s/tests/sample/images/cat_0.png", lathe_root());
    write_text(in_folder("script.lua"), "print(1)\n");
    CHECK_LATHE("--help");
    CHECK_LATHE("--version");
    CHECK_LATHE("train", "--help");
    CHECK_LATHE("show", picture);
    CHECK_LATHE("show", "--fields");
    CHECK_LATHE("diff", picture, net_config("residual"));
    CHECK_LATHE("gen", picture, "-o", in_folder("made"));
    CHECK_LATHE("train", picture, "--data", "random:150", "-o", in_folder("run"),
                "--epochs", "1");
    CHECK_LATHE("eval", picture, "--data", "random:150", "--weights", best);
    CHECK_LATHE("eval", picture, "--data", "random:150", "--weights", best, "--jit=tcc");
    CHECK_LATHE("classify", picture, "--weights", best, cat);
    CHECK_LATHE("ptq", picture, "--weights", best, "--data", "random:150", "--images",
                "20", "-o", in_folder("q.ckpt"), "--set",
                "quant.quantizer=\"uniform_static\"");
    CHECK_LATHE("repl", in_folder("script.lua"));
    CHECK_LATHE("data", "raw", cat);
    free(cat);
}
END_TEST

/* The standalone file's main. */
START_TEST(the_file_needs_its_output)
{
    const char *file = in_folder("infer.c"), *program = in_folder("infer");
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o",
             in_folder("run"), "--steps", "1");
    LATHE_OK("emit", net_config("picture"), "--weights", in_folder("run/last.ckpt"), "-o",
             file);
    compile_quietly(WORDS("gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-O0",
                          "-DLATHE_MAIN", "-o", program, file));
    char *command = rt_format("%s data raw %s/tests/sample/images/cat_0.png | %s",
                              lathe_program(), lathe_root(), program);
    check_unwritable(WORDS("sh", "-c", command), "cannot write the classes\n");
    free(command);
}
END_TEST

/* lathe with so many descriptors, one after the other: it works or says what is missing,
 * and never aborts. Whether it was short of them once. */
static bool check_few_descriptors(const char *const *words)
{
    bool short_of = false;
    for (int most = 4; most < 12; most++) {
        char *command = rt_format("ulimit -n %d; exec \"$@\"", most);
        const char *all[24] = {"sh", "-c", command, "sh"};
        for (int i = 0; words[i]; i++)
            all[4 + i] = words[i];
        int status = process_run(NULL, in_folder("out"), in_folder("err"), all);
        char *said = rt_read_file(in_folder("err"), NULL);
        bool named = strstr(said, "Too many open files") != NULL;
        ck_assert_msg(status == 0 || (status == 1 && *said) || status == 127,
                      "%s with %d descriptors: status %d: %s", words[1], most, status,
                      said);
        short_of = short_of || (status == 1 && named);
        free(said);
        free(command);
    }
    return short_of;
}

START_TEST(few_descriptors_are_an_error)
{
    const char *picture = net_config("picture"), *last = in_folder("run/last.ckpt");
    LATHE_OK("train", picture, "--data", "random:150", "-o", in_folder("run"), "--steps",
             "1");
#define CHECK_FEW(...) check_few_descriptors(lathe_command(WORDS(__VA_ARGS__)))
    ck_assert(CHECK_FEW("gen", picture, "-o", in_folder("made")));
    CHECK_FEW("show", picture, "--html", in_folder("a.html"));
    CHECK_FEW("emit", picture, "--weights", last, "-o", in_folder("infer.c"));
    CHECK_FEW("eval", picture, "--weights", last, "--data", "random:150", "--jit=tcc");
}
END_TEST

Suite *streams_suite(void)
{
    TCase *tests = tcase_create("streams");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, verbs_need_their_output);
    tcase_add_test(tests, the_file_needs_its_output);
    tcase_add_test(tests, few_descriptors_are_an_error);
    Suite *suite = suite_create("streams");
    suite_add_tcase(suite, tests);
    return suite;
}
