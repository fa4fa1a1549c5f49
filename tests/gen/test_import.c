/* Import: arrays of other programs land in lathe's layout under lathe's names, or the
 * message says what does not fit; export and import give the same arrays back. */
#include "tests/suites.h"

#include "gen/config/config.h"
#include "gen/ir/params.h"
#include "gen/weights/export.h"
#include "gen/weights/import.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

/* The network of tests/weights/make.py as lathe would describe it; fc.weight is a name
 * that PyTorch could have given too. */
static const Param params[] = {
    {.name = "stem.weight",
     .kind = PARAM_CONV,
     .rank = 4,
     .shape = {2, 1, 3, 2},
     .count = 12},
    {.name = "stem_bn.scale",
     .kind = PARAM_BN_SCALE,
     .rank = 1,
     .shape = {2},
     .count = 2},
    {.name = "stem_bn.shift",
     .kind = PARAM_BN_SHIFT,
     .rank = 1,
     .shape = {2},
     .count = 2},
    {.name = "stem_bn.mean", .kind = PARAM_BN_MEAN, .rank = 1, .shape = {2}, .count = 2},
    {.name = "stem_bn.var", .kind = PARAM_BN_VAR, .rank = 1, .shape = {2}, .count = 2},
    {.name = "fc.weight", .kind = PARAM_DENSE, .rank = 2, .shape = {2, 4}, .count = 8},
    {.name = "fc.bias", .kind = PARAM_BIAS, .rank = 1, .shape = {4}, .count = 4},
};

enum { STEM, SCALE, SHIFT, MEAN, VAR, FC, FC_BIAS, COUNT };

static ImportName names[COUNT];

static void make_names(void)
{
    static const char *const torch[] = {"conv1.weight",       "bn1.weight",
                                        "bn1.bias",           "bn1.running_mean",
                                        "bn1.running_var",    "fc.weight|linear.weight",
                                        "fc.bias|linear.bias"};
    for (int i = 0; i < COUNT; i++)
        names[i] = (ImportName){&params[i], torch[i]};
    folder_make();
}

static void check_fixture(const Checkpoint *got)
{
    ck_assert_int_eq(got->count, COUNT);
    ck_assert_ptr_null(got->arch);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_str_eq(got->arrays[i].name, params[i].name);
        ck_assert_int_eq(got->arrays[i].rank, params[i].rank);
        ck_assert_mem_eq(got->arrays[i].shape, params[i].shape, sizeof params[i].shape);
    }
    const float *stem = got->arrays[STEM].values, *fc = got->arrays[FC].values;
    for (int y = 0; y < 2; y++)
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 2; k++)
                ck_assert_float_eq(stem[(y * 3 + c) * 2 + k],
                                   0.125f * (float)((k * 3 + c) * 2 + y));
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(fc[i], 0.125f * (float)i);
    ck_assert_float_eq(got->arrays[SCALE].values[1], -1.5f);
    ck_assert_float_eq(got->arrays[SHIFT].values[1], 3);
    ck_assert_float_eq(got->arrays[MEAN].values[0], 0.125f);
    ck_assert_float_eq(got->arrays[VAR].values[1], 0.875f);
    ck_assert_float_eq(got->arrays[FC_BIAS].values[3], 0.875f);
}

static void import(const char *path, Checkpoint *out)
{
    ck_assert_msg(import_weights(path, names, COUNT, NULL, out), "%s", rt_error());
}

START_TEST(every_format)
{
    static const char *const files[] = {
        "tests/weights/legacy.th", "tests/weights/zip.pt", "tests/weights/protocol4.pt",
        "tests/weights/numpy.npz", "tests/weights/types.safetensors"};
    for (int i = 0; i < 5; i++) {
        Checkpoint got;
        import(files[i], &got);
        check_fixture(&got);
        checkpoint_free(&got);
    }
}
END_TEST

START_TEST(export_and_back)
{
    const char *path = in_folder(_i == 0 ? "w.npz" : "w.safetensors");
    Checkpoint first, back;
    import("tests/weights/zip.pt", &first);
    ck_assert_msg(export_weights(path, &first), "%s", rt_error());
    import(path, &back);
    check_fixture(&back);
    checkpoint_free(&back);

    /* averaged weights are the ones to use, momentum is of no use */
    static const float other[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    checkpoint_add(&first, "ema/", &params[FC], other);
    checkpoint_add(&first, "momentum/", &params[FC], other);
    checkpoint_add(&first, "momentum/", &params[SCALE], other);
    ck_assert_msg(export_weights(path, &first), "%s", rt_error());
    import(path, &back);
    ck_assert_int_eq(back.count, COUNT);
    ck_assert_mem_eq(back.arrays[FC].values, other, sizeof other);
    ck_assert_float_eq(back.arrays[SCALE].values[1], -1.5f);
    checkpoint_free(&back);
    checkpoint_free(&first);
}
END_TEST

START_TEST(export_endings)
{
    static const char *const endings[] = {"w.pt", "w", "npz", "w.npz/w"};
    for (int i = 0; i < 4; i++) {
        ck_assert(!export_knows(in_folder(endings[i])));
        check_error("%s: want a name that ends in .npz, NumPy's, or .safetensors",
                    in_folder(endings[i]));
    }
}
END_TEST

static void check_fails(const char *path, int count, const char *message)
{
    Checkpoint out;
    ck_assert_msg(!import_weights(path, names, count, NULL, &out), "no error, want %s",
                  message);
    ck_assert_int_eq(out.count, 0);
    check_error(message, path);
}

START_TEST(missing)
{
    const char *path = "tests/weights/legacy.th";
    names[VAR].torch = "bn1.running_vra";
    check_fails(path, COUNT,
                "%s: no array stem_bn.var, in PyTorch bn1.running_vra; the "
                "nearest is bn1.running_var");
    names[VAR].torch = "x.y";
    check_fails(path, COUNT, "%s: no array stem_bn.var, in PyTorch x.y");
    names[VAR].torch = NULL;
    check_fails(path, COUNT, "%s: no array stem_bn.var");
    names[VAR].torch = "bn1.running_var";
    names[FC].torch = "classifier.weight|head.weight";
    check_fails(path, COUNT,
                "%s: no array fc.weight, in PyTorch classifier.weight; the "
                "nearest is linear.weight");
}
END_TEST

START_TEST(missing_in_own_file)
{
    const char *path = in_folder("w.npz");
    Checkpoint all;
    import("tests/weights/zip.pt", &all);
    strcpy(all.arrays[SCALE].name, "stem_bn.scael");
    ck_assert(export_weights(path, &all));
    checkpoint_free(&all);
    check_fails(path, COUNT,
                "%s: no array stem_bn.scale, in PyTorch bn1.weight; the nearest "
                "is stem_bn.scael");
}
END_TEST

#define EXTRA "; --ignore-extra leaves such arrays out"

START_TEST(surplus)
{
    const char *path = "tests/weights/numpy.npz";
    check_fails(path, FC_BIAS,
                "%s: has 1 array this network does not have, the first is "
                "linear.bias" EXTRA);
    check_fails(path, VAR,
                "%s: has 3 arrays this network does not have, the first is "
                "bn1.running_var" EXTRA);
}
END_TEST

/* A small file may hold arrays that fill memory: names and shapes are compared before
 * anything is unpacked. */
#ifndef __SANITIZE_ADDRESS__ /* which needs all the address space */
enum { BIG = 96 << 20 };

/* An .npz of zeros, of BIG bytes: about a hundred thousand as it lies. */
static void write_big(const char *path, const char *name)
{
    char *npy = rt_alloc(128 + BIG);
    memset(npy, ' ', 128);
    memcpy(npy, "\x93NUMPY\1\0\x76\0", 10);
    char *header =
        rt_format("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }", BIG / 4);
    memcpy(npy + 10, header, strlen(header));
    npy[127] = '\n';
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    zip_source_t *source = zip_source_buffer(zip, npy, 128 + BIG, 0);
    ck_assert(zip && source && zip_file_add(zip, name, source, 0) >= 0);
    ck_assert_int_eq(zip_close(zip), 0);
    free(header);
    free(npy);
}

/* With little more memory than there is. */
static void import_in_little(const char *path, const char *message)
{
    pid_t child = fork();
    if (child == 0) {
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");
        if (fscanf(file, "%ld", &pages) != 1)
            _exit(1);
        struct rlimit limit = {(rlim_t)pages * 4096 + BIG / 2, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &limit);
        Checkpoint got;
        bool done = import_weights(path, names, COUNT, NULL, &got);
        char *want = rt_format(message, path);
        _exit(done || strcmp(rt_error(), want) != 0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(shapes_come_first)
{
    const char *path = in_folder("w.npz");
    write_big(path, "conv1.weight.npy");
    import_in_little(path, "%s: no array stem_bn.scale, in PyTorch bn1.weight");
    write_big(path, "another.npy");
    import_in_little(path, "%s: no array stem.weight, in PyTorch conv1.weight");
}
END_TEST
#endif

START_TEST(shapes)
{
    Param wide = params[STEM], flat = params[STEM], tall = params[FC],
          one = params[SCALE];
    wide.shape[3] = 4;
    names[STEM].param = &wide;
    check_fails(
        "tests/weights/legacy.th", COUNT,
        "%s: module.conv1.weight is [2][3][2][1], want [4][3][2][1] for stem.weight");
    flat.rank = 2;
    names[STEM].param = &flat;
    flat.kind = PARAM_BIAS;
    check_fails("tests/weights/zip.pt", COUNT,
                "%s: module.conv1.weight is [2][3][2][1], want [2][1] for stem.weight");
    names[STEM].param = &params[STEM];
    tall.shape[0] = 3;
    names[FC].param = &tall;
    check_fails("tests/weights/numpy.npz", COUNT,
                "%s: linear.weight is [4][2], want [4][3] for fc.weight");
    names[FC].param = &params[FC];
    names[SCALE] = (ImportName){&one, "bn1.num_batches_tracked"};
    names[SHIFT] = (ImportName){&params[SHIFT], "bn1.weight"};
    names[MEAN] = (ImportName){&params[MEAN], "bn1.bias"};
    check_fails("tests/weights/numpy.npz", COUNT,
                "%s: has 1 array this network does not have, the first is "
                "bn1.running_mean" EXTRA);
    names[VAR] = (ImportName){&params[VAR], "bn1.running_mean"};
    check_fails("tests/weights/fortran.npy", 0,
                "%s: has 1 array this network does not have, the first is fortran" EXTRA);
}
END_TEST

START_TEST(own_layout)
{
    /* under lathe's own name the shape is lathe's */
    const char *path = in_folder("w.npz");
    float values[12] = {0};
    Array array = {"stem.weight", 4, {2, 3, 2, 1}, 12, values};
    ck_assert(npz_write(path, &array, 1));
    check_fails(path, 1,
                "%s: stem.weight is [2][3][2][1], want [2][1][3][2] for stem.weight");
    array.rank = 0;
    array.count = 1;
    ck_assert(npz_write(path, &array, 1));
    check_fails(path, 1,
                "%s: stem.weight is a single number, want [2][1][3][2] for stem.weight");
}
END_TEST

static bool import_as(const char *path, const ImportHow *how, Checkpoint *out)
{
    return import_weights(path, names, COUNT, how, out);
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
    check_fixture(&got);
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
    ck_assert_int_eq(import_explain(path, names, COUNT, how, out), fits);
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

    Param tall = params[FC];
    tall.shape[0] = 3;
    names[FC].param = &tall;
    names[VAR].torch = "bn1.var";
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
        import(renamed_file(changes[i]), &got);
        check_fixture(&got);
        checkpoint_free(&got);
    }
    /* a prefix that the network's own names have stays */
    names[FC].torch = "linear.weight";
    names[FC_BIAS].torch = "linear.bias";
    char *torch[COUNT];
    for (int i = 0; i < COUNT; i++)
        names[i].torch = torch[i] = rt_format("encoder.%s", names[i].torch);
    import(renamed_file("encoder.%s"), &got);
    check_fixture(&got);
    checkpoint_free(&got);
    import(renamed_file("module.encoder.%s"), &got);
    check_fixture(&got);
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
    names[FC].torch = "fc.weight";
    names[FC_BIAS].torch = "fc.bias";
    ck_assert_msg(import_as(path, &(ImportHow){.renames = back, .rename_count = 1}, &got),
                  "%s", rt_error());
    check_fixture(&got);
    checkpoint_free(&got);
    names[FC].torch = "linear.weight";
    names[FC_BIAS].torch = "linear.bias";
    ck_assert_msg(import_as(path, &(ImportHow){.renames = swap, .rename_count = 2}, &got),
                  "%s", rt_error());
    check_fixture(&got);
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
    ck_assert(import_weights("tests/weights/numpy.npz", names, VAR, &how, &got));
    ck_assert_int_eq(got.count, VAR);
    checkpoint_free(&got);
    names[VAR].torch = "x.y"; /* what is missing stays missing */
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
    const ImportName both[] = {{&params[STEM], "stem.weight"},
                               {&params[FC], "fc.weight"}};
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

START_TEST(values_of_no_use)
{
    const char *path = in_folder("w.npz");
    float values[2] = {1, NAN};
    Array array = {"bn1.weight", 1, {2}, 2, values};
    ck_assert(npz_write(path, &array, 1));
    ImportName all[COUNT];
    memcpy(all, names, sizeof all);
    names[0] = all[SCALE];
    check_fails(path, 1, "%s: bn1.weight: element 1 is nan, want finite numbers");
    values[1] = -0.5f;
    array.name = "bn1.running_var";
    names[0] = all[VAR];
    ck_assert(npz_write(path, &array, 1));
    check_fails(path, 1,
                "%s: bn1.running_var: element 1 is -0.5, want variances from 0 up");
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

Suite *import_suite(void)
{
    Suite *suite = suite_create("import");
    TCase *tests = tcase_create("import");
    tcase_add_checked_fixture(tests, make_names, folder_remove);
    tcase_add_test(tests, every_format);
    tcase_add_loop_test(tests, export_and_back, 0, 2);
    tcase_add_test(tests, export_endings);
    tcase_add_test(tests, missing);
    tcase_add_test(tests, missing_in_own_file);
    tcase_add_test(tests, surplus);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, shapes_come_first);
#endif
    tcase_add_test(tests, shapes);
    tcase_add_test(tests, own_layout);
    tcase_add_test(tests, beside);
    tcase_add_test(tests, explained);
    tcase_add_test(tests, prefixes);
    tcase_add_test(tests, renames);
    tcase_add_test(tests, extra_ignored);
    tcase_add_test(tests, layout_by_shape);
    tcase_add_test(tests, values_of_no_use);
    tcase_add_test(tests, names_of_a_config);
    suite_add_tcase(suite, tests);
    return suite;
}
