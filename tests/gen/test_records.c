/* The lines that say what a config means, and its hash, by which runs are told apart. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/text_config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(architecture_lines)
{
    static const char text[] =
        "return { net = { layers = function()\n"
        "    local x = image{ 9, 8, 3 }\n"
        "    local a = relu(bn{ conv{ x, name = 'a', out = 4, kernel = 3, stride = 2,\n"
        "        pad = 'same' } })\n"
        "    local b = conv{ a, name = 'b', out = 6, kernel = 1 }\n"
        "    local c = add(b, subsample{ a, name = 'c', stride = 1, out = 6 })\n"
        "    c = maxpool{ c, name = 'd', kernel = 2, pad = 1 }\n"
        "    return dense{ avgpool(c), name = 'last', out = 2 }\n"
        "end } }\n";
    Config config;
    ck_assert_msg(load_text(text, NULL, 0, &config), "%s", rt_error());
    ck_assert_str_eq(config.arch,
                     "image=IMAGE to 9x8x3 from pixels\n"
                     "a=CONV 3x3 stride 2 pad 1,0,1,1 to 5x4x4 from image\n"
                     "a_bn=BN to 5x4x4 from a\n"
                     "a_relu=RELU to 5x4x4 from a_bn\n"
                     "b=CONV 1x1 stride 1 to 5x4x6 from a_relu\n"
                     "c=SUBSAMPLE stride 1 to 5x4x6 from a_relu\n"
                     "b_add=ADD to 5x4x6 from b c\n"
                     "d=MAXPOOL 2x2 stride 2 pad 1,1,1,1 to 3x3x6 from b_add\n"
                     "d_avgpool=AVGPOOL to 1x1x6 from d\n"
                     "last=DENSE to 1x1x2 from d_avgpool\n");
    config_free(&config);
}
END_TEST

START_TEST(config_lines)
{
    Config config;
    ck_assert(
        load_plain("data = { mean = 0.1, std = { 1, 2, 3 }, classes = { 'a', 'b' } },\n"
                   "train = { lr = 1 / 3, seed = 2147483647, milestones = { 3, 4 } }",
                   &config));
    static const char want[] = "data.classes=a,b\n"
                               "data.mean={0.1,0.1,0.1}\n"
                               "data.std={1,2,3}\n"
                               "layer.fields=recorded\n"
                               "train.batch=128\n"
                               "train.crop=0\n"
                               "train.cutout=0\n"
                               "train.decay_factor=0.1\n"
                               "train.ema=0\n"
                               "train.epochs=30\n"
                               "train.flip=false\n"
                               "train.held_out=0\n"
                               "train.label_smoothing=0\n"
                               "train.lower=auto\n"
                               "train.lr=0.3333333333333333\n"
                               "train.lr_final=0\n"
                               "train.micro_batch=128\n"
                               "train.milestones={3,4}\n"
                               "train.momentum=0.9\n"
                               "train.nesterov=false\n"
                               "train.peak=0.2\n"
                               "train.schedule=step\n"
                               "train.seed=2147483647\n"
                               "train.test_every=0\n"
                               "train.warmup_epochs=0\n"
                               "train.weight_decay=0\n";
    ck_assert_str_eq(config.lines, want);
    config_free(&config);
}
END_TEST

/* Neither where lathe is called from nor how the path is written matters. */
START_TEST(paths_change_nothing)
{
    Config absolute, relative;
    char *path = net_path("odd");
    ck_assert(config_load(path, NULL, 0, &absolute));
    ck_assert_int_eq(chdir(lathe_root()), 0);
    ck_assert_int_eq(chdir("tests/bad"), 0);
    ck_assert(config_load("../nets/./odd.lua", NULL, 0, &relative));
    ck_assert_str_eq(absolute.path, "tests/nets/odd.lua");
    ck_assert_str_eq(relative.path, absolute.path);
    ck_assert_str_eq(relative.name, "odd");
    ck_assert_str_eq(relative.lines, absolute.lines);
    ck_assert_str_eq(relative.arch, absolute.arch);
    ck_assert_str_eq(relative.hash, absolute.hash);
    for (int i = 0; i < absolute.net.op_count; i++)
        ck_assert_str_eq(relative.net.ops[i].file, "tests/nets/odd.lua");
    free(path);
    config_free(&absolute);
    config_free(&relative);
}
END_TEST

START_TEST(the_hash_follows_every_change)
{
    static const char *const overrides[] = {
        "train.lr=0.2",
        "net.width=9",
        "train.seed=2",
        "data.mean=126",
        "net.kind='B'",
        "quant={ quantizer='uniform_static' }",
        "quant={ quantizer='uniform_static', layers={ { 'last', w_range='mse' } } }"};
    enum { COUNT = sizeof overrides / sizeof *overrides };
    char hashes[COUNT + 1][65];
    Config config;
    for (int i = 0; i <= COUNT; i++) {
        ck_assert(load_text(family_config, &overrides[i % COUNT], i < COUNT, &config));
        memcpy(hashes[i], config.hash, 65);
        config_free(&config);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(hashes[i], hashes[j]);
    }
    ck_assert(load_text(family_config, NULL, 0, &config));
    ck_assert_str_eq(config.hash, hashes[COUNT]);
    config_free(&config);
}
END_TEST

/* What layers say of training alone: weights fit all the same, and a run is another. */
static const struct {
    const char *bn, *conv, *drop, *dense, *message;
} layer_fields[] = {
    {"", "", "", "", NULL},
    {", momentum = 0.03", "", "", "",
     "layer.a_bn.momentum: the checkpoint has nothing, the config says 0.03"},
    {", scale = 0", "", "", "",
     "layer.a_bn.scale: the checkpoint has nothing, the config says 0"},
    {"", ", init = 'lecun'", "", "",
     "layer.a.init: the checkpoint has nothing, the config says lecun"},
    {"", "", ", rate = 0.25", "",
     "layer.a_dropout.rate: the checkpoint has 0.5, the config says 0.25"},
    {"", "", "", ", init = 'zero'",
     "layer.last.init: the checkpoint has nothing, the config says zero"},
};
enum { LAYER_FIELDS = sizeof layer_fields / sizeof *layer_fields };

static void load_layers(int which, Config *config)
{
    char *text = rt_format("return { net = { layers = function()\n"
                           "    local x = conv{ image{ 4, 4, 3 }, name = 'a', out = 2,\n"
                           "        kernel = 3 %s }\n"
                           "    x = dropout{ relu(bn{ x %s }) %s }\n"
                           "    return dense{ avgpool(x), name = 'last', out = 2 %s }\n"
                           "end } }\n",
                           layer_fields[which].conv, layer_fields[which].bn,
                           layer_fields[which].drop, layer_fields[which].dense);
    ck_assert_msg(load_text(text, NULL, 0, config), "%s", rt_error());
    free(text);
}

START_TEST(runs_differ_by_what_layers_say)
{
    Config first, other;
    load_layers(0, &first);
    load_layers(_i, &other);
    const Checkpoint checkpoint = {.arch = first.arch, .config = first.record};
    const char *message = layer_fields[_i].message;
    ck_assert(checkpoint_match_arch(&checkpoint, "a", other.arch));
    ck_assert_int_eq(strcmp(first.hash, other.hash) == 0, message == NULL);
    ck_assert_int_eq(checkpoint_match_run(&checkpoint, "a", other.record),
                     message == NULL);
    ck_assert_str_eq(rt_error() + (message ? strlen("a: ") : 0), message ? message : "");
    rt_error_clear();
    ck_assert_int_eq(checkpoint_match_config(&checkpoint, "a", other.record),
                     message == NULL);
    rt_error_clear();
    config_free(&first);
    config_free(&other);
}
END_TEST

Suite *records_suite(void)
{
    TCase *tests = tcase_create("records");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, architecture_lines);
    tcase_add_test(tests, config_lines);
    tcase_add_loop_test(tests, runs_differ_by_what_layers_say, 0, LAYER_FIELDS);
    tcase_add_test(tests, paths_change_nothing);
    tcase_add_test(tests, the_hash_follows_every_change);
    Suite *suite = suite_create("records");
    suite_add_tcase(suite, tests);
    return suite;
}
