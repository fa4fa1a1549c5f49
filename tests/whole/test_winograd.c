/* Convolutions as products of transformed tiles: op by op against plain loops, and how
 * far off their results are beside direct ones. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/oracle/op_check.h"
#include "tests/tools/built_net.h"
#include "tests/tools/float_shipped.h"
#include "tests/tools/folder.h"

#include <stdlib.h>
#include <string.h>

/* Whole tiles and cut ones, channels in fours and more, windows in the middle of the
 * padding and at its ends; for a target, or (NULL) the best. */
static const struct {
    const char *target, *sets[8];
} cases[] = {
    {"avx2", {"net.height=9", "net.width=7"}},
    {NULL,
     {"net.height=16", "net.width=12", "net.channels=16", "net.out=32", "train.batch=6"}},
    {"plain",
     {"net.height=3", "net.width=2", "net.channels=20", "net.out=24", "net.pad=2",
      "train.batch=32", "train.bn='chunk'"}},
    {NULL,
     {"net.height=7", "net.width=11", "net.channels=48", "net.out=64", "net.pad=0",
      "train.batch=6"}},
};
enum { CASES = sizeof cases / sizeof *cases, BESIDE_DIRECT = 1 };

/* Largest errors in units of the sum of what is added up, signs left out: README.md says
 * so. */
static const double bounds[] = {[LOWER_DIRECT] = 5e-7, [LOWER_WINOGRAD] = 8e-6};

static int count(const Net *net, OpKind kind)
{
    int found = 0;
    for (int i = 0; i < net->op_count; i++)
        found += net->ops[i].kind == kind && net->ops[i].lowering == LOWER_WINOGRAD;
    return found;
}

static void check(int number, const char *target, Lowering lowering)
{
    BuiltNet built;
    built_make(&built, "winograd",
               &(BuildHow){target, lowering, (const char **)cases[number].sets});
    const int want = lowering == LOWER_WINOGRAD ? 4 : 0;
    ck_assert_int_eq(count(&built.train, OP_CONV), want);
    ck_assert_int_eq(count(&built.train, OP_CONV_BWD_INPUT), want);
    ck_assert_int_eq(count(&built.train, OP_CONV_BWD_WEIGHT), want);
    const double error = check_ops(&built);
    ck_assert_msg(error > 0 && error <= bounds[lowering],
                  "%s: error %.3g of the sum of terms, want at most %g",
                  lowering_names[lowering], error, bounds[lowering]);
    built_free(&built);
}

START_TEST(kernels_compute_what_loops_do)
{
    const char *target = cases[_i].target ? cases[_i].target : target_find(NULL)->name;
    if (!machine_runs(target)) {
        printf("skipped: this machine does not run %s\n", target);
        return;
    }
    check(_i, target, LOWER_WINOGRAD);
    if (_i == BESIDE_DIRECT)
        check(_i, target, LOWER_DIRECT);
}
END_TEST

static const struct {
    const char *sets[3];
    bool tiles, constants;
} files[] = {
    {{"net.channels=16", "quant={ quantizer='none', winograd='auto' }"}, true, false},
    {{"net.channels=16", "quant={ quantizer='none', winograd='always' }"}, true, true},
    {{"net.channels=16", "quant={ quantizer='none', winograd='never' }"}, false, false},
};

START_TEST(transformed_weights_are_constants_where_asked)
{
    ship_float("winograd", files[_i].sets, 3, in_folder("file.c"), (ShippedOptions){0});
    char *text = rt_read_file(in_folder("file.c"), NULL);
    ck_assert((strstr(text, "_winograd_") != NULL) == files[_i].tiles);
    ck_assert((strstr(text, "_a_points = {") != NULL) == files[_i].constants);
    free(text);
}
END_TEST

Suite *winograd_suite(void)
{
    Suite *suite = suite_create("winograd");
    TCase *tests = tcase_create("winograd");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, kernels_compute_what_loops_do, 0, CASES);
    tcase_add_loop_test(tests, transformed_weights_are_constants_where_asked, 0,
                        sizeof files / sizeof *files);
    suite_add_tcase(suite, tests);
    return suite;
}
