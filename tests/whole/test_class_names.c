/* Names of classes that only the data has go with the weights: from training through
 * quantisation to eval, classify and the standalone file. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"
#include "tests/tools/lathe_run.h"

#include <stdlib.h>
#include <string.h>

static const char config[] = "return { net = { layers = function()\n"
                             "    local x = relu(bn{ conv{ image{ 8, 8, 3 }, name = 'a', "
                             "out = 4, kernel = 3 } })\n"
                             "    return dense{ avgpool(x), name = 'last', out = 3 }\n"
                             "end }, data = { test_share = 0.34 },\n"
                             "train = { epochs = 1, batch = 6 } }\n";

/* Names that C, terminals and lists must not trip over. */
static const char *const folders[] = {"a\\\"b", "n02", "n03"};

static void prepare(void)
{
    folder_make();
    write_text(in_folder("net.lua"), config);
    for (int i = 0; i < 9; i++) {
        char *folder = rt_format("%s/%s", in_folder("data"), folders[i % 3]);
        ck_assert(rt_make_directories(folder));
        char *path = rt_format("%s/%d.jpg", folder, i);
        jpeg_write_smooth(path, 12, 9, i);
        free(path);
        free(folder);
    }
    write_text(in_folder("data/classes.txt"),
               "n03 tench, Tinca tinca\na\\\"b\nn02\tgoldfish\n");
}

static void check_names(const char *text)
{
    ck_assert_msg(strstr(text, "tench, Tinca tinca") && strstr(text, "goldfish") &&
                      strstr(text, "a\\\"b") && !strstr(text, "class 0"),
                  "%s", text);
}

START_TEST(names_go_with_weights)
{
    const char *net = in_folder("net.lua"), *data = in_folder("data");
    const char *best = in_folder("run/best.ckpt"), *q = in_folder("q.ckpt");
    const char *quantised = "quant.quantizer=\"uniform_static\"";
    char *picture = rt_format("%s/n02/1.jpg", data);
    LATHE_OK("train", net, "--data", data, "-o", in_folder("run"), "--jit=tcc");
    LATHE_OK("eval", net, "--data", data, "--weights", best, "--jit=tcc");
    check_names(out);
    LATHE_OK("eval", net, "--data", "random:20", "--weights", best, "--jit=tcc");
    check_names(out);
    LATHE_OK("classify", net, "--weights", best, picture);
    check_names(out);
    LATHE_OK("ptq", net, "--set", quantised, "--weights", best, "--data", data,
             "--images", "6", "-o", q);
    LATHE_OK("classify", net, "--set", quantised, "--weights", q, picture);
    check_names(out);
    free(picture);
}
END_TEST

/* A config's own names come first; without any, classes are numbers. */
START_TEST(names_of_configs_come_first)
{
    const char *net = in_folder("net.lua"), *data = in_folder("data");
    const char *best = in_folder("run/best.ckpt");
    const char *named = "data.classes={'x','y','z'}";
    LATHE_OK("train", net, "--data", "random:30", "-o", in_folder("run"), "--jit=tcc");
    LATHE_OK("eval", net, "--data", "random:20", "--weights", best, "--jit=tcc");
    ck_assert_ptr_nonnull(strstr(out, "class 0"));
    LATHE_OK("eval", net, "--data", data, "--weights", best, "--jit=tcc");
    check_names(out);
    LATHE_OK("eval", net, "--data", data, "--weights", best, "--jit=tcc", "--set", named);
    ck_assert_ptr_nonnull(strstr(out, "\nx  "));
    ck_assert_ptr_null(strstr(out, "tench"));
}
END_TEST

START_TEST(names_in_the_standalone_file)
{
    const char *net = in_folder("net.lua"), *data = in_folder("data");
    LATHE_OK("train", net, "--data", data, "-o", in_folder("run"), "--jit=tcc");
    LATHE_OK("emit", net, "--weights", in_folder("run/best.ckpt"), "-o",
             in_folder("infer.c"));
    char *code = rt_read_file(in_folder("infer.c"), NULL);
    ck_assert_msg(strstr(code, "\"tench, Tinca tinca\",\n    \"a\\\\\\\"b\",\n"),
                  "no names");
    char *header = rt_read_file(in_folder("infer.h"), NULL);
    ck_assert_ptr_null(strstr(header, "tench"));
    free(header);
    free(code);
}
END_TEST

Suite *class_names_suite(void)
{
    Suite *suite = suite_create("class_names");
    TCase *tests = tcase_create("class_names");
    tcase_add_checked_fixture(tests, prepare, lathe_clean_up);
    tcase_add_test(tests, names_go_with_weights);
    tcase_add_test(tests, names_of_configs_come_first);
    tcase_add_test(tests, names_in_the_standalone_file);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    return suite;
}
