/* Import: which of a file's names are whose, and what lies beside the weights. */
#include "tests/suites.h"

#include "gen/config/config.h"
#include "gen/ir/params.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/import_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool import_as(const char *path, const ImportHow *how, Checkpoint *out)
{
    return import_weights(path, import_names, COUNT, how, out);
}

static void import_as_fails(const char *path, const ImportHow *how, const char *message)
{
    Checkpoint out;
    ck_assert_msg(!import_as(path, how, &out), "no error, want %s", message);
    ck_assert_int_eq(out.count, 0);
    if (strstr(message, "%s"))
        check_error(message, path);
    else
        ck_assert_str_eq(rt_error(), message);
    rt_error_clear();
}

/* Objects, other tensors and a second network beside the weights; nothing of it runs. */
START_TEST(beside)
{
    const char *path = "tests/weights/beside.pt";
    Checkpoint got;
    ck_assert_msg(import_as(path, &(ImportHow){.key = "model"}, &got), "%s", rt_error());
    import_net_check(&got);
    checkpoint_free(&got);
    ck_assert_msg(import_as(path, &(ImportHow){.key = "ema.shadow"}, &got), "%s",
                  rt_error());
    ck_assert_float_eq(got.arrays[MEAN].values[0], 0.25f);
    ck_assert_float_eq(got.arrays[VAR].values[1], 0.875f);
    checkpoint_free(&got);
    ck_assert_int_ne(access("was-run", F_OK), 0);
    import_as_fails(path, NULL,
                    "%s: has several dictionaries of tensors: model (8 tensors), "
                    "ema.shadow (9 tensors); choose one with --key");
    import_as_fails(path, &(ImportHow){.key = "ema"},
                    "%s: no dictionary of tensors named ema; it has model (8 tensors), "
                    "ema.shadow (9 tensors)");
    import_as_fails("tests/weights/protocol4.pt", &(ImportHow){.key = "model"},
                    "%s: no dictionary of tensors named model: the tensors lie at the "
                    "top, where no key is needed");
    import_as_fails("tests/weights/numpy.npz", &(ImportHow){.key = "model"},
                    "%s: --key model: its arrays are one list, only PyTorch's "
                    "checkpoints have dictionaries to choose from");
}
END_TEST

/* The table of import --explain. */
static void check_explained(const char *path, const ImportHow *how, bool fits,
                            const char *want)
{
    FILE *out = fopen(in_folder("table"), "w");
    ck_assert_int_eq(import_explain(path, import_names, COUNT, how, out), fits);
    fclose(out);
    char *table = rt_read_file(in_folder("table"), NULL);
    ck_assert_str_eq(table, want);
    free(table);
}

START_TEST(explained)
{
    check_explained(
        "tests/weights/beside.pt", &(ImportHow){.key = "model"}, true,
        "array                              shape            goes to\n"
        "_orig_mod.conv1.weight             [2][3][2][1]     stem.weight\n"
        "_orig_mod.bn1.weight               [2]              stem_bn.scale\n"
        "_orig_mod.bn1.bias                 [2]              stem_bn.shift\n"
        "_orig_mod.bn1.running_mean         [2]              stem_bn.mean\n"
        "_orig_mod.bn1.running_var          [2]              stem_bn.var\n"
        "_orig_mod.bn1.num_batches_tracked  a single number  (not needed)\n"
        "_orig_mod.linear.weight            [4][2]           fc.weight\n"
        "_orig_mod.linear.bias              [4]              fc.bias\n"
        "beside the weights, left alone: ema, optimizer, lr_scheduler, args "
        "(argparse.Namespace), best (numpy.core.multiarray.scalar), rng_state "
        "(a tensor), hook (posix.system), epoch\n");

    Param tall = import_params[FC];
    tall.shape[0] = 3;
    import_names[FC].param = &tall;
    import_names[VAR].torch = "bn1.var";
    static const char table[] =
        "array                    shape            goes to\n"
        "conv1.weight             [2][3][2][1]     stem.weight\n"
        "bn1.weight               [2]              stem_bn.scale\n"
        "bn1.bias                 [2]              stem_bn.shift\n"
        "bn1.running_mean         [2]              stem_bn.mean\n"
        "bn1.running_var          [2]              (left over)\n"
        "bn1.num_batches_tracked  a single number  (not needed)\n"
        "linear.weight            [4][2]           fc.weight, but want [4][3]\n"
        "linear.bias              [4]              fc.bias\n"
        "(missing)                [2]              stem_bn.var, in PyTorch bn1.var\n";
    check_explained("tests/weights/types.safetensors", NULL, false, table);
    check_error("%s: no array stem_bn.var, in PyTorch bn1.var",
                "tests/weights/types.safetensors");
    check_explained(
        "tests/weights/types.safetensors",
        &(ImportHow){.renames = (const char *const[]){"running_var=var"},
                     .rename_count = 1},
        false,
        "array                    shape            goes to\n"
        "conv1.weight             [2][3][2][1]     stem.weight\n"
        "bn1.weight               [2]              stem_bn.scale\n"
        "bn1.bias                 [2]              stem_bn.shift\n"
        "bn1.running_mean         [2]              stem_bn.mean\n"
        "bn1.running_var          [2]              stem_bn.var\n"
        "bn1.num_batches_tracked  a single number  (not needed)\n"
        "linear.weight            [4][2]           fc.weight, but want [4][3]\n"
        "linear.bias              [4]              fc.bias\n");
    check_error("%s: linear.weight is [4][2], want [4][3] for fc.weight",
                "tests/weights/types.safetensors");
}
END_TEST

/* numpy.npz under names that `change` makes of its own. */
static const char *renamed_file(const char *change)
{
    Array *arrays;
    int count;
    ck_assert(weights_read("tests/weights/numpy.npz", &arrays, &count));
    for (int i = 0; i < count; i++) {
        char *name = rt_format(change, arrays[i].name);
        free(arrays[i].name);
        arrays[i].name = name;
    }
    const char *path = in_folder("renamed.npz");
    ck_assert(npz_write(path, arrays, count));
    arrays_free(arrays, count);
    return path;
}

START_TEST(prefixes)
{
    static const char *const changes[] = {"module.%s", "_orig_mod.%s", "net.backbone.%s",
                                          "a.b.c.d.%s"};
    Checkpoint got;
    for (int i = 0; i < 4; i++) {
        import_net(renamed_file(changes[i]), &got);
        import_net_check(&got);
        checkpoint_free(&got);
    }
    /* a prefix that the network's own names have stays */
    import_names[FC].torch = "linear.weight";
    import_names[FC_BIAS].torch = "linear.bias";
    char *torch[COUNT];
    for (int i = 0; i < COUNT; i++)
        import_names[i].torch = torch[i] = rt_format("encoder.%s", import_names[i].torch);
    import_net(renamed_file("encoder.%s"), &got);
    import_net_check(&got);
    checkpoint_free(&got);
    import_net(renamed_file("module.encoder.%s"), &got);
    import_net_check(&got);
    checkpoint_free(&got);
    for (int i = 0; i < COUNT; i++)
        free(torch[i]);
}
END_TEST

START_TEST(renames)
{
    static const char *const wrong[] = {"linear=head"}, *const back[] = {"^linear%.=fc."},
                             *const swap[] = {"^(%l+)%.bias$=%1.b", "(.*)%.b$=%1.bias"},
                             *const none[] = {"classifier=fc"}, *const empty[] = {"=fc"},
                             *const pattern[] = {"[linear=a"}, *const one[] = {".*=same"},
                             *const nothing[] = {"^bn1%.bias$="};
    const char *path = "tests/weights/numpy.npz";
    Checkpoint got;
    import_names[FC].torch = "fc.weight";
    import_names[FC_BIAS].torch = "fc.bias";
    ck_assert_msg(import_as(path, &(ImportHow){.renames = back, .rename_count = 1}, &got),
                  "%s", rt_error());
    import_net_check(&got);
    checkpoint_free(&got);
    import_names[FC].torch = "linear.weight";
    import_names[FC_BIAS].torch = "linear.bias";
    ck_assert_msg(import_as(path, &(ImportHow){.renames = swap, .rename_count = 2}, &got),
                  "%s", rt_error());
    import_net_check(&got);
    checkpoint_free(&got);
    import_as_fails(path, &(ImportHow){.renames = wrong, .rename_count = 1},
                    "%s: no array fc.weight, in PyTorch linear.weight; the nearest is "
                    "head.weight");
    import_as_fails(path, &(ImportHow){.renames = none, .rename_count = 1},
                    "--rename 'classifier=fc': matches no array of %s");
    import_as_fails(path, &(ImportHow){.renames = empty, .rename_count = 1},
                    "--rename '=fc': want 'FROM=TO', such as 'fc=linear'");
    import_as_fails(path, &(ImportHow){.renames = pattern, .rename_count = 1},
                    "--rename '[linear=a': malformed pattern (missing ']')");
    import_as_fails(path, &(ImportHow){.renames = one, .rename_count = 1},
                    "%s: conv1.weight and bn1.weight are both renamed to same");
    import_as_fails(path, &(ImportHow){.renames = nothing, .rename_count = 1},
                    "--rename '^bn1%.bias$=': bn1.bias gets a name that is empty, longer "
                    "than 255 bytes or not text");
}
END_TEST

START_TEST(extra_ignored)
{
    Checkpoint got;
    const ImportHow how = {.ignore_extra = true};
    ck_assert(import_weights("tests/weights/numpy.npz", import_names, VAR, &how, &got));
    ck_assert_int_eq(got.count, VAR);
    checkpoint_free(&got);
    import_names[VAR].torch = "x.y"; /* what is missing stays missing */
    import_as_fails("tests/weights/legacy.th", &how,
                    "%s: no array stem_bn.var, in PyTorch x.y");
}
END_TEST

/* Names that are lathe's and PyTorch's alike: the shapes say whose layout it is. */
START_TEST(layout_by_shape)
{
    const char *path = in_folder("w.npz");
    float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    Array arrays[] = {{"stem.weight", 4, {2, 1, 3, 2}, 12, values},
                      {"fc.weight", 2, {2, 4}, 8, values}};
    const ImportName both[] = {{&import_params[STEM], "stem.weight"},
                               {&import_params[FC], "fc.weight"}};
    Checkpoint got;
    ck_assert(npz_write(path, arrays, 2));
    ck_assert_msg(import_weights(path, both, 2, NULL, &got), "%s", rt_error());
    ck_assert_mem_eq(got.arrays[0].values, values, sizeof values);
    ck_assert_mem_eq(got.arrays[1].values, values, 8 * sizeof *values);
    checkpoint_free(&got);

    memcpy(arrays[0].shape, (int[]){2, 3, 2, 1}, sizeof arrays[0].shape);
    memcpy(arrays[1].shape, (int[]){4, 2}, 2 * sizeof(int));
    ck_assert(npz_write(path, arrays, 2));
    ck_assert_msg(import_weights(path, both, 2, NULL, &got), "%s", rt_error());
    ck_assert_float_eq(got.arrays[0].values[1], 6);
    ck_assert_float_eq(got.arrays[1].values[1], 2);
    checkpoint_free(&got);

    memcpy(arrays[1].shape, (int[]){2, 4}, 2 * sizeof(int)); /* one of each */
    ck_assert(npz_write(path, arrays, 2));
    ck_assert(!import_weights(path, both, 2, NULL, &got));
    check_error("%s: fc.weight is [2][4], want [4][2] for fc.weight", path);
}
END_TEST

/* PyTorch's names as a config gives them: those of `torch`, else the layers' own. */
START_TEST(names_of_a_config)
{
    static const char *const want[] = {"a.weight",
                                       "a_bn.weight",
                                       "a_bn.bias",
                                       "fc.weight|head.fc.weight",
                                       "fc.bias|head.fc.bias",
                                       "a_bn.running_mean",
                                       "a_bn.running_var"};
    write_text(in_folder("a.lua"),
               "return { net = { layers = function()\n"
               "    local x = conv{ image{ 8, 8, 3 }, name = 'a', out = 4, kernel = 3 }\n"
               "    return dense{ avgpool(relu(bn{ x })), name = 'b', out = 10,\n"
               "        torch = 'fc|head.fc' }\n"
               "end } }\n");
    Config config;
    ck_assert_msg(config_load(in_folder("a.lua"), NULL, 0, &config), "%s", rt_error());
    Param *of[] = {params_of(&config.net, ROLE_PARAM), params_of(&config.net, ROLE_STAT)};
    for (int i = 0; i < 7; i++)
        ck_assert_str_eq(params_torch(&config.net, i < 5 ? &of[0][i] : &of[1][i - 5]),
                         want[i]);
    free(of[0]);
    free(of[1]);
    config_free(&config);
}
END_TEST

Suite *import_names_suite(void)
{
    Suite *suite = suite_create("import_names");
    TCase *tests = tcase_create("import names");
    tcase_add_checked_fixture(tests, import_net_make, folder_remove);
    tcase_add_test(tests, beside);
    tcase_add_test(tests, explained);
    tcase_add_test(tests, prefixes);
    tcase_add_test(tests, renames);
    tcase_add_test(tests, extra_ignored);
    tcase_add_test(tests, layout_by_shape);
    tcase_add_test(tests, names_of_a_config);
    suite_add_tcase(suite, tests);
    return suite;
}
