/* Convolutions in groups, depthwise and with windows that are not square: kernels of
 * every target against plain loops. */
#include "tests/suites.h"

#include "tests/oracle/op_check.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"

#include <stdio.h>

/* ---- Kernels of floats ---- */

/* Channels that fill vectors, that fill short ones, and that fill none; tcc's kernels are
 * the runtime's functions, and so are those that OpenBLAS has no product for. */
static const struct {
    const char *target, *sets[4];
    Lowering lowering;
} ways[] = {
    {"avx512", {"net.channels=32", "net.padding='same'"}, LOWER_DIRECT},
    {"avx2", {"net.channels=12", "net.width=9", "net.groups=3"}, LOWER_DIRECT},
    {"sse4", {"net.channels=16"}, LOWER_DIRECT},
    {"plain", {"net.channels=6", "net.height=5"}, LOWER_DIRECT},
    {"tcc", {"net.channels=12", "net.padding='same'"}, LOWER_CALL},
    {"plain", {"net.channels=6", "net.groups=3"}, LOWER_BLAS},
};
enum { WAYS = sizeof ways / sizeof *ways };

START_TEST(kernels_compute_what_loops_do)
{
    BuiltNet built;
    const BuildHow how = {
        .target = ways[_i].target, .lowering = ways[_i].lowering, .sets = ways[_i].sets};
    if (!target_runs(target_find(how.target))) {
        printf("skipped: this machine does not run %s\n", how.target);
        return;
    }
    built_make(&built, "groups", &how);
    check_ops(&built);
    built_free(&built);
}
END_TEST

Suite *groups_suite(void)
{
    Suite *suite = suite_create("groups");
    TCase *kernels = tcase_create("kernels");
    tcase_add_checked_fixture(kernels, folder_make, folder_remove);
    tcase_set_timeout(kernels, 120);
    tcase_add_loop_test(kernels, kernels_compute_what_loops_do, 0, WAYS);
    suite_add_tcase(suite, kernels);
    return suite;
}
