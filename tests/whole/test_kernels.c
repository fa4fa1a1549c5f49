/* Generated kernels and the runtime's, op by op, against plain loops; and those loops
 * against what must hold of any linear map and its adjoint. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/oracle/op_check.h"
#include "tests/oracle/reference.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The references themselves ---- */

static void draw(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = random_unit();
}

static double product(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static const Window windows[] = {
    {5, 4, 3, 5, 4, 2, 3, 3, 1, 1, 1, 1}, {7, 6, 2, 4, 3, 3, 3, 3, 2, 1, 0, 1},
    {8, 9, 1, 3, 3, 4, 7, 5, 3, 2, 1, 1}, {1, 1, 5, 1, 1, 2, 3, 3, 2, 1, 1, 1},
    {6, 6, 2, 3, 3, 3, 1, 1, 2, 0, 0, 1}, {4, 5, 3, 3, 4, 2, 2, 2, 1, 0, 0, 1},
    {6, 5, 6, 6, 5, 4, 3, 3, 1, 1, 1, 2}, {5, 5, 4, 3, 3, 4, 3, 3, 2, 1, 1, 4},
};
enum { WINDOWS = sizeof windows / sizeof *windows, ROOM = 4096 };

/* <A x, dy> = <x, A' dy> = <w, gradient by w>, and A is linear in x. */
START_TEST(references_are_adjoint)
{
    static double x[ROOM], w[ROOM], dy[ROOM], y[ROOM], dx[ROOM], dw[ROOM], more[ROOM];
    const Window *g = &windows[_i];
    size_t inputs = g->h * g->w * g->c, outputs = g->out_h * g->out_w * g->k;
    size_t weights =
        g->kernel_h * g->kernel_w * g->c * g->k / (g->groups ? g->groups : 1);
    draw(x, inputs);
    draw(w, weights);
    draw(dy, outputs);
    ref_conv(g, x, w, y);
    ref_conv_by_input(g, dy, w, dx);
    ref_conv_by_weight(g, x, dy, dw);
    double forward = product(y, dy, outputs);
    ck_assert_double_gt(fabs(forward), 1e-3);
    ck_assert_double_eq_tol(forward, product(x, dx, inputs), 1e-12 * outputs);
    ck_assert_double_eq_tol(forward, product(w, dw, weights), 1e-12 * outputs);
    for (size_t i = 0; i < inputs; i++)
        dx[i] = 3 * x[i] + dx[i];
    ref_conv(g, dx, w, more); /* A (3 x + A' dy) = 3 A x + A A' dy */
    ref_conv_by_input(g, dy, w, dx);
    ref_conv(g, dx, w, dw);
    for (size_t i = 0; i < outputs; i++)
        ck_assert_double_eq_tol(more[i], 3 * y[i] + dw[i], 1e-11);
}
END_TEST

/* Max pool and subsampling are linear where the largest stay the same: adjoint, too. */
START_TEST(reference_pools_are_adjoint)
{
    static double x[ROOM], dy[ROOM], y[ROOM], dx[ROOM];
    Window g = windows[_i];
    size_t inputs = g.h * g.w * g.c, outputs;
    draw(x, inputs);
    g.k = g.c;
    outputs = g.out_h * g.out_w * g.k;
    draw(dy, outputs);
    ref_maxpool(&g, x, y);
    ref_maxpool_by_input(&g, x, dy, dx);
    ck_assert_double_eq_tol(product(y, dy, outputs), product(x, dx, inputs), 1e-12);
    g.k = g.c + 5;
    g.out_h = (g.h - 1) / g.stride + 1;
    g.out_w = (g.w - 1) / g.stride + 1;
    outputs = g.out_h * g.out_w * g.k;
    draw(dy, outputs);
    ref_subsample(&g, 2, x, y);
    ref_subsample_by_input(&g, 2, dy, dx);
    ck_assert_double_eq_tol(product(y, dy, outputs), product(x, dx, inputs), 1e-12);
}
END_TEST

/* Worked out by hand: 3 x 3 image, 2 x 2 window, stride 2, one zero row and column
 * before. */
START_TEST(reference_by_hand)
{
    const Window g = {3, 3, 1, 2, 2, 1, 2, 2, 2, 1, 1, 1};
    const double x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[4] = {10, 20, 30, 40};
    const double want[4] = {40, 30 * 2 + 40 * 3, 20 * 4 + 40 * 7,
                            10 * 5 + 20 * 6 + 30 * 8 + 40 * 9};
    double y[4];
    ref_conv(&g, x, w, y);
    ck_assert_mem_eq(y, want, sizeof want);
    ref_maxpool(&g, x, y);
    ck_assert_mem_eq(y, ((double[]){1, 3, 7, 9}), sizeof y);
}
END_TEST

/* The loss's gradient against its central difference, and its value for even odds. */
START_TEST(reference_loss)
{
    double scores[5] = {0.5, -1, 2, 0, 1}, gradient[5], step = 1e-5;
    ref_loss(5, scores, 3, 0.1, gradient);
    for (int k = 0; k < 5; k++) {
        double there[5];
        memcpy(there, scores, sizeof there);
        there[k] += step;
        double up = ref_loss(5, there, 3, 0.1, NULL);
        there[k] -= 2 * step;
        double down = ref_loss(5, there, 3, 0.1, NULL);
        ck_assert_double_eq_tol(gradient[k], (up - down) / (2 * step), 1e-9);
    }
    ck_assert_double_eq_tol(ref_loss(4, (double[]){7, 7, 7, 7}, 2, 0.3, NULL), log(4),
                            1e-12);
}
END_TEST

/* ---- Kernels ---- */

static const struct {
    const char *sets[8];
} geometries[] = {
    {{"net.height=9", "net.width=7", "net.channels=8", "net.out=16", "train.batch=32",
      "train.bn='chunk'"}},
    {{"net.height=6", "net.width=8", "net.channels=16", "net.out=64",
      "net.padding='same'", "net.own_input=true"}},
    {{"net.height=5", "net.width=11", "net.channels=24", "net.out=20",
      "net.padding='pixels'", "net.pixels=4"}},
    {{"net.height=2", "net.width=1", "net.channels=4", "net.out=3",
      "net.padding='same'"}},
    {{"net.height=7", "net.width=8", "net.channels=3", "net.out=1",
      "net.padding='pixels'", "net.own_input=true"}},
    {{"net.height=10", "net.width=13", "net.channels=1", "net.out=24",
      "net.padding='same'"}},
};
enum { GEOMETRIES = sizeof geometries / sizeof *geometries };

/* Each target's kernels (tcc's are the runtime's functions), and OpenBLAS's products. A
 * geometry takes every second way. */
enum { WAYS = TARGET_COUNT + 1 };

START_TEST(kernels_compute_what_loops_do)
{
    BuiltNet built;
    const bool blas = _i % WAYS == TARGET_COUNT;
    const Target *target = blas ? target_find("plain") : &target_table[_i % WAYS];
    const BuildHow how = {.target = target->name,
                          .lowering = blas ? LOWER_BLAS : LOWER_DIRECT,
                          .sets = geometries[_i / WAYS].sets};
    if (target->ships == SHIP_CODES)
        return; /* its floats are its basis's */
    if (_i / WAYS % 2 != _i % WAYS % 2)
        return;
    if (!target_runs(target)) {
        printf("skipped: this machine does not run %s\n", how.target);
        return;
    }
    built_make(&built, "geometry", &how);
    check_ops(&built);
    built_free(&built);
}
END_TEST

Suite *kernels_suite(void)
{
    Suite *suite = suite_create("kernels");
    TCase *references = tcase_create("references");
    tcase_add_loop_test(references, references_are_adjoint, 0, WINDOWS);
    tcase_add_loop_test(references, reference_pools_are_adjoint, 0, WINDOWS);
    tcase_add_test(references, reference_by_hand);
    tcase_add_test(references, reference_loss);
    suite_add_tcase(suite, references);
    TCase *kernels = tcase_create("kernels");
    tcase_add_checked_fixture(kernels, folder_make, folder_remove);
    tcase_set_timeout(kernels, 120);
    tcase_add_loop_test(kernels, kernels_compute_what_loops_do, 0, GEOMETRIES * WAYS);
    suite_add_tcase(suite, kernels);
    return suite;
}
