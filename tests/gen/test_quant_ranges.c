/* Where quantisers begin, and how weights are rounded: ranges by every rule and the
 * learned rounding of one channel against brute force. */
#include "tests/suites.h"

#include "gen/ptq/ranges.h"
#include "gen/ptq/rounding.h"
#include "runtime/kernels/quant.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Ranges ---- */

enum { COUNT = 20000, STRIDE = 3 };
static float values[COUNT * STRIDE];
static double magnitudes[COUNT];

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Numbers about a mean, some far out; magnitudes are what a quantiser sees of them. */
static void draw_values(bool is_signed, double mean)
{
    for (int i = 0; i < COUNT * STRIDE; i++) {
        double x = random_unit() + random_unit() + random_unit();
        values[i] = (float)(mean + x * (i % 97 == 0 ? 4 : 1));
    }
    for (int i = 0; i < COUNT; i++) {
        double x = values[i * STRIDE];
        magnitudes[i] = is_signed ? fabs(x) : fmax(x, 0);
    }
    qsort(magnitudes, COUNT, sizeof *magnitudes, ascending);
}

static double squared_error(double range, int codes)
{
    double error = 0, step = range / codes;
    for (int i = 0; i < COUNT; i++) {
        double apart = magnitudes[i] - fmin(rint(magnitudes[i] / step), codes) * step;
        error += apart * apart;
    }
    return error;
}

static double wanted_range(RangeRule rule, double percentile)
{
    double sum = 0, plain = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = values[i * STRIDE];
        sum += magnitudes[i];
        plain += x / COUNT;
        squares += x * x / COUNT;
    }
    double deviation = sqrt(squares - plain * plain);
    switch (rule) {
    case RANGE_MEAN:
        return 2 * sum / COUNT;
    case RANGE_GAUSSIAN:
        return fmax(fabs(plain - 3 * deviation), fabs(plain + 3 * deviation));
    case RANGE_PERCENTILE:
        return magnitudes[(int)ceil(percentile / 100 * COUNT) - 1];
    default:
        return magnitudes[COUNT - 1];
    }
}

START_TEST(ranges_by_every_rule)
{
    static const double means[] = {0, 0.8, -0.8}, percentiles[] = {99.9, 95, 60, 100};
    bool is_signed = _i % 2;
    random_seed(_i);
    draw_values(is_signed, means[_i % 3]);
    double bin = magnitudes[COUNT - 1] / 4096; /* as fine as its histogram is */
    for (int rule = RANGE_MAX; rule <= RANGE_PERCENTILE; rule++) {
        double percentile = percentiles[_i % 4];
        double got =
            range_of(values, COUNT, STRIDE, is_signed, 4, (RangeRule)rule, percentile);
        double want = wanted_range((RangeRule)rule, percentile);
        ck_assert_msg(fabs(got - want) <= 1.01 * bin, "rule %d: %g, want %g", rule, got,
                      want);
    }
    for (int bits = 2; bits <= 8; bits++) {
        int codes = rt_quant_codes(bits, is_signed);
        double got = range_of(values, COUNT, STRIDE, is_signed, bits, RANGE_MSE, 0);
        double least = INFINITY;
        for (int i = 1; i <= 300; i++)
            least = fmin(least, squared_error(magnitudes[COUNT - 1] * i / 300, codes));
        double error = squared_error(got, codes);
        ck_assert_msg(error <= 1.03 * least, "%d bits: error %g, %g is possible", bits,
                      error, least);
    }
}
END_TEST

START_TEST(nothing_has_a_range_too)
{
    static const float zeros[10], below[3] = {-1, -2, -3};
    for (int bits = 1; bits <= 8; bits++)
        for (int rule = RANGE_MAX; rule <= RANGE_MSE; rule++) {
            if (bits > 1)
                ck_assert_double_eq(
                    range_of(zeros, 10, 1, true, bits, (RangeRule)rule, 99),
                    ldexp(1, -bits));
            ck_assert_double_eq(range_of(zeros, 10, 1, false, bits, (RangeRule)rule, 99),
                                ldexp(1, -bits));
        }
    ck_assert_double_eq(range_of(below, 3, 1, false, 4, RANGE_MAX, 99), 1 / 16.0);
}
END_TEST

/* The spec's initial values, in bounds. */
START_TEST(where_quantisers_begin)
{
    for (int bits = 2; bits <= 8; bits++) {
        int codes = rt_quant_codes(bits, true);
        float step = 0, range = 0;
        range_to_quantiser(RT_QUANT_STATIC, bits, true, 0.7, 0.2, NULL, &range);
        ck_assert_float_eq(range, 0.7f);
        range_to_quantiser(RT_QUANT_STEP, bits, true, 0.7, 0.2, &step, NULL);
        ck_assert_double_eq_tol(step, 2 * 0.2 / sqrt(codes), 1e-6);
        range_to_quantiser(RT_QUANT_STEP_RANGE, bits, true, 0.7, 0.2, &step, &range);
        double power = log2(0.7 / codes);
        double want = fmax(exp2(bits > 4 ? ceil(power) : floor(power)), 1 / 256.0);
        ck_assert_double_eq(step, want);
        ck_assert_double_eq_tol(range, want * codes, 1e-6);
        codes = rt_quant_codes(bits, false);
        range_to_quantiser(RT_QUANT_STEP_RANGE, bits, false, 3.3, 0.5, &step, &range);
        ck_assert_double_eq_tol(step, fmin(fmax(3.3 / codes, 1 / 256.0), 1), 1e-6);
        ck_assert_double_eq_tol(range, 3.3, 1e-6);
    }
}
END_TEST

/* ---- Rounding ---- */

enum { MOST = 12 };

typedef struct {
    int d;
    float gram[MOST * MOST], target[MOST], step;
} Problem;

/* The codes that rounding comes to from q. */
static void learn(const Problem *p, int largest, int *q)
{
    float codes[MOST];
    for (int i = 0; i < p->d; i++)
        codes[i] = (float)q[i];
    round_channels(p->d, 1, 1, p->gram, p->target, &p->step, largest, codes);
    for (int i = 0; i < p->d; i++)
        q[i] = (int)codes[i];
}

/* |X (step q) - y|^2 but for |y|^2. */
static double objective(const Problem *p, const int *q)
{
    double value = 0;
    for (int i = 0; i < p->d; i++) {
        value -= 2 * p->step * q[i] * p->target[i];
        for (int j = 0; j < p->d; j++)
            value += (double)p->step * p->step * q[i] * q[j] * p->gram[i * p->d + j];
    }
    return value;
}

/* Windows X with neighbours alike, y = X w. */
static void problem_draw(Problem *p, int d, double *w)
{
    enum { ROWS = 40 };
    double x[ROWS][MOST];
    *p = (Problem){.d = d, .step = (float)(0.2 + 0.1 * random_unit())};
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < d; i++)
            x[r][i] = random_unit() + 0.6 + (i > 0 ? 0.7 * x[r][i - 1] : 0);
    for (int i = 0; i < d; i++)
        w[i] = random_unit();
    for (int i = 0; i < d; i++) {
        double target = 0;
        for (int j = 0; j < d; j++) {
            double sum = 0;
            for (int r = 0; r < ROWS; r++)
                sum += x[r][i] * x[r][j];
            p->gram[i * d + j] = (float)sum;
            target += sum * w[j];
            p->target[i] = (float)target;
        }
    }
}

START_TEST(rounding_lowers_the_error)
{
    int better = 0;
    random_seed(21);
    for (int round = 0; round < 500; round++) {
        Problem p;
        double w[MOST];
        int q[MOST], nearest[MOST], d = 1 + round % MOST, largest = round % 3 ? 3 : 1;
        problem_draw(&p, d, w);
        for (int i = 0; i < d; i++)
            q[i] = nearest[i] = (int)fmin(fmax(rint(w[i] / p.step), -largest), largest);
        learn(&p, largest, q);
        double before = objective(&p, nearest), after = objective(&p, q);
        double fuzz = 1e-5 * (fabs(before) + 1); /* of floats */
        ck_assert_double_le(after, before + fuzz);
        better += after < before - fuzz;
        for (int i = 0; i < d; i++) {
            ck_assert(abs(q[i]) <= largest);
            int best = q[i]; /* no other code of this one alone does better */
            for (q[i] = -largest; q[i] <= largest; q[i]++)
                ck_assert_double_ge(objective(&p, q), after - fuzz);
            q[i] = best;
        }
    }
    ck_assert_int_gt(better, 250);
}
END_TEST

/* Without correlation nearest is best, and a weight nothing reads keeps its code. */
START_TEST(rounding_of_independent_inputs)
{
    Problem p = {.d = 5, .step = 0.5f};
    static const double w[5] = {0.74, -0.76, 0.2, 1.9, -0.3};
    int q[5] = {0, 0, 0, 0, 2};
    for (int i = 0; i < 4; i++) {
        p.gram[i * 5 + i] = (float)(i + 1);
        p.target[i] = (float)((i + 1) * w[i]);
    }
    learn(&p, 3, q);
    ck_assert_mem_eq(q, ((int[]){1, -2, 0, 3, 2}), sizeof q);
}
END_TEST

/* Several channels, in rows of a wider matrix and over several blocks, come out as each
 * alone; what lies between the rows is left alone. */
START_TEST(channels_are_rounded_together)
{
    enum { D = 150, K = 5, STRIDE_OF = 7, SAMPLES = 200, LARGEST = 7 };
    static float x[SAMPLES][D], gram[D * D], target[D * STRIDE_OF], codes[D * STRIDE_OF];
    float step[K];
    random_seed(8);
    for (int r = 0; r < SAMPLES; r++)
        for (int i = 0; i < D; i++)
            x[r][i] = (float)(random_unit() + 0.3 + (i > 0 ? 0.6 * x[r][i - 1] : 0));
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            for (int r = 0; r < SAMPLES; r++)
                gram[i * D + j] += x[r][i] * x[r][j];
    for (int k = 0; k < K; k++)
        step[k] = (float)(0.15 + 0.02 * k);
    for (int i = 0; i < D; i++)
        for (int k = 0; k < STRIDE_OF; k++) {
            float w = (float)random_unit();
            codes[i * STRIDE_OF + k] =
                k < K ? fminf(fmaxf(rintf(w / step[k]), -LARGEST), LARGEST) : 99;
            for (int j = 0; j < D; j++)
                target[j * STRIDE_OF + k] += gram[j * D + i] * w;
        }
    float alone[K][D], wanted[D];
    int moved = 0;
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < D; i++) {
            alone[k][i] = codes[i * STRIDE_OF + k];
            wanted[i] = target[i * STRIDE_OF + k];
        }
        round_channels(D, 1, 1, gram, wanted, &step[k], LARGEST, alone[k]);
    }
    float before[K][D];
    for (int k = 0; k < K; k++)
        for (int i = 0; i < D; i++)
            before[k][i] = codes[i * STRIDE_OF + k];
    round_channels(D, K, STRIDE_OF, gram, target, step, LARGEST, codes);
    for (int i = 0; i < D; i++)
        for (int k = 0; k < STRIDE_OF; k++) {
            ck_assert_float_eq(codes[i * STRIDE_OF + k], k < K ? alone[k][i] : 99);
            moved += k < K && before[k][i] != alone[k][i];
        }
    ck_assert_int_gt(moved, D * K / 20);
}
END_TEST

Suite *quant_ranges_suite(void)
{
    TCase *tests = tcase_create("quant_ranges");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, ranges_by_every_rule, 0, 12);
    tcase_add_test(tests, nothing_has_a_range_too);
    tcase_add_test(tests, where_quantisers_begin);
    tcase_add_test(tests, rounding_lowers_the_error);
    tcase_add_test(tests, rounding_of_independent_inputs);
    tcase_add_test(tests, channels_are_rounded_together);
    Suite *suite = suite_create("quant_ranges");
    suite_add_tcase(suite, tests);
    return suite;
}
