/* Import: arrays of other programs land in lathe's layout under lathe's names, or the
 * message says what does not fit; export and import give the same arrays back. */
#include "tests/suites.h"

#include "gen/weights/export.h"
#include "gen/weights/import.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/import_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

START_TEST(every_format)
{
    static const char *const files[] = {
        "tests/weights/legacy.th", "tests/weights/zip.pt", "tests/weights/protocol4.pt",
        "tests/weights/numpy.npz", "tests/weights/types.safetensors"};
    for (int i = 0; i < 5; i++) {
        Checkpoint got;
        import_net(files[i], &got);
        import_net_check(&got);
        checkpoint_free(&got);
    }
}
END_TEST

START_TEST(export_and_back)
{
    const char *path = in_folder(_i == 0 ? "w.npz" : "w.safetensors");
    Checkpoint first, back;
    import_net("tests/weights/zip.pt", &first);
    ck_assert_msg(export_weights(path, &first), "%s", rt_error());
    import_net(path, &back);
    import_net_check(&back);
    checkpoint_free(&back);

    /* averaged weights are the ones to use, momentum is of no use */
    static const float other[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    checkpoint_add(&first, "ema/", &import_params[FC], other);
    checkpoint_add(&first, "momentum/", &import_params[FC], other);
    checkpoint_add(&first, "momentum/", &import_params[SCALE], other);
    ck_assert_msg(export_weights(path, &first), "%s", rt_error());
    import_net(path, &back);
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
    ck_assert_msg(!import_weights(path, import_names, count, NULL, &out),
                  "no error, want %s", message);
    ck_assert_int_eq(out.count, 0);
    check_error(message, path);
}

START_TEST(missing)
{
    const char *path = "tests/weights/legacy.th";
    import_names[VAR].torch = "bn1.running_vra";
    check_fails(path, COUNT,
                "%s: no array stem_bn.var, in PyTorch bn1.running_vra; the "
                "nearest is bn1.running_var");
    import_names[VAR].torch = "x.y";
    check_fails(path, COUNT, "%s: no array stem_bn.var, in PyTorch x.y");
    import_names[VAR].torch = NULL;
    check_fails(path, COUNT, "%s: no array stem_bn.var");
    import_names[VAR].torch = "bn1.running_var";
    import_names[FC].torch = "classifier.weight|head.weight";
    check_fails(path, COUNT,
                "%s: no array fc.weight, in PyTorch classifier.weight; the "
                "nearest is linear.weight");
}
END_TEST

START_TEST(missing_in_own_file)
{
    const char *path = in_folder("w.npz");
    Checkpoint all;
    import_net("tests/weights/zip.pt", &all);
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
        bool done = import_weights(path, import_names, COUNT, NULL, &got);
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
    Param wide = import_params[STEM], flat = import_params[STEM],
          tall = import_params[FC], one = import_params[SCALE];
    wide.shape[3] = 4;
    import_names[STEM].param = &wide;
    check_fails(
        "tests/weights/legacy.th", COUNT,
        "%s: module.conv1.weight is [2][3][2][1], want [4][3][2][1] for stem.weight");
    flat.rank = 2;
    import_names[STEM].param = &flat;
    flat.kind = PARAM_BIAS;
    check_fails("tests/weights/zip.pt", COUNT,
                "%s: module.conv1.weight is [2][3][2][1], want [2][1] for stem.weight");
    import_names[STEM].param = &import_params[STEM];
    tall.shape[0] = 3;
    import_names[FC].param = &tall;
    check_fails("tests/weights/numpy.npz", COUNT,
                "%s: linear.weight is [4][2], want [4][3] for fc.weight");
    import_names[FC].param = &import_params[FC];
    import_names[SCALE] = (ImportName){&one, "bn1.num_batches_tracked"};
    import_names[SHIFT] = (ImportName){&import_params[SHIFT], "bn1.weight"};
    import_names[MEAN] = (ImportName){&import_params[MEAN], "bn1.bias"};
    check_fails("tests/weights/numpy.npz", COUNT,
                "%s: has 1 array this network does not have, the first is "
                "bn1.running_mean" EXTRA);
    import_names[VAR] = (ImportName){&import_params[VAR], "bn1.running_mean"};
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

START_TEST(values_of_no_use)
{
    const char *path = in_folder("w.npz");
    float values[2] = {1, NAN};
    Array array = {"bn1.weight", 1, {2}, 2, values};
    ck_assert(npz_write(path, &array, 1));
    ImportName all[COUNT];
    memcpy(all, import_names, sizeof all);
    import_names[0] = all[SCALE];
    check_fails(path, 1, "%s: bn1.weight: element 1 is nan, want finite numbers");
    values[1] = -0.5f;
    array.name = "bn1.running_var";
    import_names[0] = all[VAR];
    ck_assert(npz_write(path, &array, 1));
    check_fails(path, 1,
                "%s: bn1.running_var: element 1 is -0.5, want variances from 0 up");
}
END_TEST

Suite *import_suite(void)
{
    Suite *suite = suite_create("import");
    TCase *tests = tcase_create("import");
    tcase_add_checked_fixture(tests, import_net_make, folder_remove);
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
    tcase_add_test(tests, values_of_no_use);
    suite_add_tcase(suite, tests);
    return suite;
}
