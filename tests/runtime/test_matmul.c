/* Float matrix products: ours against the sums it promises, to the bit; convolutions made
 * of it against those made of OpenBLAS's, up to rounding. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/matmul.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>

static float *numbers(size_t count)
{
    float *values = rt_alloc_aligned((count + 16) * sizeof(float));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)random_unit();
    return values;
}

static const struct {
    int m, n, k;
} sizes[] = {{1, 1, 1},    {8, 48, 256},  {9, 49, 257}, {7, 3, 700},
             {64, 16, 27}, {5, 100, 300}, {33, 47, 1},  {17, 33, 513}};

/* One sum for each value, in the order of k, rounded after each product and each
 * addition. */
START_TEST(every_value_is_one_sum_in_order)
{
    int m = sizes[_i].m, n = sizes[_i].n, k = sizes[_i].k;
    random_seed(5 + _i);
    float *a = numbers((size_t)m * k), *b = numbers((size_t)k * n);
    float *c = numbers((size_t)m * n), *before = numbers((size_t)m * n);
    for (int way = 0; way < 4; way++) {
        bool transposed = way & 1;
        float beta = way & 2 ? 1 : 0;
        for (int i = 0; i < m * n; i++)
            c[i] = before[i];
        rt_matmul(transposed, m, n, k, a, b, beta, c);
        for (int i = 0; i < m * n; i++) {
            volatile float sum = beta > 0 ? before[i] : 0; /* rounded at each step */
            for (int j = 0; j < k; j++) {
                volatile float product =
                    (transposed ? a[j * m + i / n] : a[i / n * k + j]) * b[j * n + i % n];
                sum += product;
            }
            ck_assert_msg(c[i] == sum, "way %d, value %d: %a, want %a", way, i,
                          (double)c[i], (double)sum);
        }
    }
    free(a);
    free(b);
    free(c);
    free(before);
}
END_TEST

static void check_close(const float *a, const float *b, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_msg(fabs((double)a[i] - b[i]) < 1e-4, "value %d: %g and %g", i,
                      (double)a[i], (double)b[i]);
}

/* 3x3 over 6x5 outputs of 3 channels to 7, stride 2, rows longer than they need be. */
START_TEST(openblas_agrees)
{
    ConvCall conv = {.h = 6,
                     .w = 5,
                     .k = 7,
                     .c = 3,
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .stride = 2,
                     .x_row = 40,
                     .y_row = 50,
                     .y_pixel = 7};
    random_seed(3);
    float *x = numbers(13 * 40), *w = numbers(27 * 7), *dy = numbers(6 * 50);
    float *results[2][2];
    for (int blas = 0; blas < 2; blas++) {
        conv.blas = blas;
        results[blas][0] = rt_alloc(6 * 50 * sizeof(float));
        results[blas][1] = rt_alloc(27 * 7 * sizeof(float));
        rt_conv(&conv, x, w, results[blas][0]);
        rt_conv_weight(&conv, x, dy, results[blas][1]);
    }
    check_close(results[0][0], results[1][0], 6 * 50);
    check_close(results[0][1], results[1][1], 27 * 7);
    ck_assert_float_ne(results[0][0][0], 0);
    for (int i = 0; i < 4; i++)
        free(results[i / 2][i % 2]);
    free(x);
    free(w);
    free(dy);
}
END_TEST

Suite *matmul_suite(void)
{
    Suite *suite = suite_create("matmul");
    TCase *tests = tcase_create("products");
    tcase_add_loop_test(tests, every_value_is_one_sum_in_order, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_test(tests, openblas_agrees);
    suite_add_tcase(suite, tests);
    return suite;
}
