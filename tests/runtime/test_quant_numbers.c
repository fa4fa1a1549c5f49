/* Quantisers' numbers: steps, bits and bounds, weights and their gradients one by one,
 * sizes and the penalty that holds them to a budget. */
#include "tests/suites.h"

#include "runtime/kernels/quant.h"
#include "runtime/train/size.h"
#include "tests/oracle/quant_oracle.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static RtQuant runtime_quant(const Quantiser *q)
{
    return (RtQuant){q->quantizer,
                     q->bits,
                     q->is_signed,
                     q->gradient,
                     (float)q->gradient_scale,
                     (float)q->steepness,
                     (float)q->ceiling};
}

/* ---- Steps, codes, bits ---- */

START_TEST(codes_of_bits)
{
    for (int bits = 2; bits <= 8; bits++)
        ck_assert_int_eq(rt_quant_codes(bits, true), (int)exp2(bits - 1) - 1);
    for (int bits = 1; bits <= 8; bits++)
        ck_assert_int_eq(rt_quant_codes(bits, false), (int)exp2(bits) - 1);
}
END_TEST

START_TEST(steps_and_bits)
{
    random_seed(3);
    for (int i = 0; i < 20000; i++) {
        const Quantiser q = {
            .quantizer = 1 + i % 3, .bits = 2 + i % 7, .is_signed = i / 21 % 2};
        const RtQuant quant = runtime_quant(&q);
        float step = (float)exp2(5 * random_unit() - 4),
              range = (float)exp2(9 * random_unit());
        int largest, want;
        double s = quant_formula_step(&q, step, range, &want);
        ck_assert_double_eq_tol(rt_quant_step(&quant, step, range, &largest), s,
                                1e-6 * s);
        if (q.quantizer == RT_QUANT_STEP_RANGE && want < 1)
            want = 1; /* never all zero */
        ck_assert_int_eq(largest, want);
        int bits = (int)ceil(log2(want + 1.0)) + q.is_signed, least = q.is_signed ? 2 : 1;
        if (q.quantizer != RT_QUANT_STEP_RANGE)
            bits = q.bits;
        ck_assert_int_eq(rt_quant_bits(&quant, step, range), bits < least ? least : bits);
    }
}
END_TEST

/* Bits change where a code more comes into use. */
START_TEST(bits_at_their_ends)
{
    const RtQuant weights = {
        .quantizer = RT_QUANT_STEP_RANGE, .bits = 4, .is_signed = true};
    const RtQuant values = {.quantizer = RT_QUANT_STEP_RANGE, .bits = 4};
    static const int codes[] = {1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127};
    static const int bits[] = {1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 7};
    for (int i = 0; i < 11; i++) {
        float range = 0.125f * (float)codes[i];
        ck_assert_int_eq(rt_quant_bits(&values, 0.125f, range), bits[i]);
        ck_assert_int_eq(rt_quant_bits(&weights, 0.125f, range), bits[i] + 1);
    }
    ck_assert_int_eq(rt_quant_bits(&values, 0.125f, 100), 8); /* 255 codes at most */
    ck_assert_int_eq(rt_quant_bits(&weights, 0.125f, 100), 8);
}
END_TEST

START_TEST(numbers_are_kept_in_bounds)
{
    random_seed(4);
    for (int i = 0; i < 20000; i++) {
        bool is_signed = i % 2;
        const RtQuant quant = {
            .quantizer = RT_QUANT_STEP_RANGE, .bits = 4, .is_signed = is_signed};
        float step = (float)(exp2(6 * random_unit() - 4) * (i % 11 ? 1 : -1));
        float range = (float)(exp2(12 * random_unit()) * (i % 13 ? 1 : -1));
        float kept_step = step, kept = range, top = is_signed ? 127 : 255;
        rt_quant_clamp(&quant, 1, &kept_step, &kept);
        ck_assert_double_eq(kept_step, fmin(fmax(step, 1 / 256.0), 1));
        double d = exp2(rint(log2(kept_step)));
        double want = fmin(fmax(range, d), fmin(top * d, top));
        ck_assert_double_eq_tol(kept, want, 1e-6 * want);
        int largest;
        ck_assert_double_eq(rt_quant_step(&quant, kept_step, kept, &largest), d);
        ck_assert(largest >= 1 && largest <= top);
    }
    float steps[3] = {-1, 0, 0.5f};
    const RtQuant step_alone = {.quantizer = RT_QUANT_STEP, .bits = 4};
    rt_quant_clamp(&step_alone, 3, steps, NULL);
    ck_assert(steps[0] > 0 && steps[1] > 0 && steps[0] < 1e-6f && steps[2] == 0.5f);
}
END_TEST

/* ---- Weights ---- */

enum { TAPS = 9, C = 5, K = 4, WEIGHT_COUNT = TAPS * C * K };

static const char *const gradients[] = {"ste", "ewgs", "psgd", "tanh", "invtanh"};

typedef struct {
    Quantiser q;
    RtWeights weights;
    float w[WEIGHT_COUNT], dvalues[WEIGHT_COUNT], values[WEIGHT_COUNT], step[K], range[K];
    float factor[C], zero[C];
} Layer;

/* Every quantiser, per tensor and channel, with and without the image's deviations. */
static void layer_draw(Layer *l, int index, double wild)
{
    *l = (Layer){0};
    l->q = (Quantiser){.quantizer = 1 + index % 3,
                       .bits = 2 + index % 7,
                       .is_signed = true,
                       .gradient = index / 3 % 5,
                       .gradient_scale = 0.1 * (index % 4 ? index % 9 : 0),
                       .steepness = index / 3 % 5 == 4 ? 0.9 : 1.7};
    bool image = index % 2;
    for (int i = 0; i < C; i++) {
        l->factor[i] = (float)(1 + 0.3 * random_unit());
        l->zero[i] = (float)(120 + 20 * random_unit());
    }
    l->weights = (RtWeights){runtime_quant(&l->q),
                             TAPS,
                             C,
                             K,
                             1,
                             index % 5 < 2 ? 1 : K,
                             image ? l->factor : NULL,
                             image ? l->zero : NULL,
                             0};
    for (int i = 0; i < WEIGHT_COUNT; i++) {
        l->w[i] = (float)random_unit();
        l->dvalues[i] = (float)(wild * random_unit());
    }
    int codes = rt_quant_codes(l->q.bits, true);
    for (int k = 0; k < K; k++) {
        l->step[k] = (float)((0.8 + 0.3 * random_unit()) / codes);
        l->range[k] = (float)(0.8 + 0.3 * random_unit());
    }
    rt_quant_clamp(&l->weights.quant, K, l->step, l->range);
}

static double number_of(const Layer *l, const float *numbers, int k)
{
    return numbers[l->weights.steps == 1 ? 0 : k];
}

START_TEST(weights_become_codes)
{
    random_seed(9);
    for (int index = 0; index < 210; index++) {
        Layer l;
        uint32_t codes[TAPS * 2 * K];
        float scales[2 * K];
        layer_draw(&l, index, 1);
        rt_quant_weights(&l.weights, l.w, l.step, l.range, codes, l.values, scales);
        double offsets[K] = {0};
        for (int i = 0; i < WEIGHT_COUNT; i++) {
            int k = i % K, c = i / K % C, tap = i / K / C, largest;
            double x = l.w[i] * (l.weights.factor ? l.factor[c] : 1);
            double step = number_of(&l, l.step, k), range = number_of(&l, l.range, k);
            double value = quant_oracle_quantise(&l.q, x, step, range);
            double s = quant_formula_step(&l.q, step, range, &largest);
            ck_assert_double_eq_tol(l.values[i], value, 1e-6);
            int code = (int8_t)(codes[(tap * 2 + c / 4) * K + k] >> 8 * (c % 4));
            ck_assert_int_eq(code, lrint(value / s));
            ck_assert_double_eq_tol(scales[k], s, 1e-6 * s);
            offsets[k] -= l.weights.zero ? code * (double)l.zero[c] : 0;
        }
        for (int k = 0; k < K; k++)
            ck_assert_double_eq_tol(scales[K + k], offsets[k],
                                    1e-6 * fabs(offsets[k]) + 1e-9);
        for (int i = 0; i < TAPS * 2 * K; i++) /* channel 5 of 8 on: nothing */
            ck_assert(i / K % 2 == 0 || codes[i] >> 8 == 0);
    }
}
END_TEST

/* With gradients large and small, so that LSQ's limit is met and not. */
START_TEST(gradients_of_weights_and_their_quantisers)
{
    random_seed(10);
    for (int index = 0; index < 630; index++) {
        Layer l;
        float dw[WEIGHT_COUNT] = {0}, dstep[K] = {0}, drange[K] = {0};
        double by[K][2] = {{0}};
        layer_draw(&l, index, index % 3 == 1 ? 0.01 : 1);
        dw[7] = 5; /* it adds */
        rt_quant_weights_backward(&l.weights, l.w, l.step, l.range, l.dvalues, dw, dstep,
                                  drange);
        int steps = l.weights.steps;
        for (int i = 0; i < WEIGHT_COUNT; i++) {
            int s = steps == 1 ? 0 : i % K;
            double factor = l.weights.factor ? l.factor[i / K % C] : 1;
            double want =
                factor * quant_oracle_value(&l.q, l.w[i] * factor, l.step[s], l.range[s],
                                            l.dvalues[i], &by[s][0], &by[s][1]) +
                (i == 7 ? 5 : 0);
            ck_assert_msg(fabs(dw[i] - want) < 1e-5, "%s: weight %d: %g, want %g",
                          gradients[l.q.gradient], i, (double)dw[i], want);
        }
        for (int s = 0; s < steps; s++) {
            quant_oracle_finish(&l.q, (double)WEIGHT_COUNT / steps, l.step[s], l.range[s],
                                &by[s][0], &by[s][1]);
            if (l.q.quantizer != RT_QUANT_STATIC)
                ck_assert_double_eq_tol(dstep[s], by[s][0],
                                        2e-5 * WEIGHT_COUNT * l.step[s]);
            if (l.q.quantizer == RT_QUANT_STEP_RANGE)
                ck_assert_double_eq_tol(drange[s], by[s][1], 1e-4);
            ck_assert(l.q.quantizer != RT_QUANT_STEP || fabsf(dstep[s]) <= l.step[s]);
        }
    }
}
END_TEST

/* ---- Sizes ---- */

enum { ROWS = 5 };

static const RtSized sized[ROWS] = {
    {"a", {RT_QUANT_STEP_RANGE, 4, true, ROUND_STE, 0, 1, 0}, 9000, 1, false, 0, 1},
    {"b", {RT_QUANT_STEP_RANGE, 4, true, ROUND_STE, 0, 1, 0}, 6000, 3, false, 2, 5},
    {"c", {RT_QUANT_STEP, 3, true, ROUND_STE, 0, 1, 0}, 4000, 1, false, 8, -1},
    {"d", {RT_QUANT_STEP_RANGE, 4, false, ROUND_STE, 0, 1, 0}, 16384, 1, true, 9, 10},
    {"e", {RT_QUANT_STEP_RANGE, 4, false, ROUND_STE, 0, 1, 0}, 4096, 1, true, 11, 12},
};
static const float numbers[13] = {0.11f, 1.3f, 0.1f,  0.3f, 0.07f, 1.1f, 2.05f,
                                  0.9f,  0.2f, 0.21f, 3.1f, 0.13f, 5.7f};

/* KiB of a row with the bits in use. */
static double size_by_formula(int row, const double *n)
{
    const RtSized *it = &sized[row];
    double bits = 0;
    for (int i = 0; i < it->steps; i++) {
        const Quantiser q = {.quantizer = it->quant.quantizer,
                             .bits = it->quant.bits,
                             .is_signed = it->quant.is_signed};
        double range = it->range < 0 ? 0 : n[it->range + i];
        bits += quant_formula_bits(&q, n[it->step + i], range);
    }
    return bits * it->numbers / it->steps / 8192;
}

static void to_double(double *to)
{
    for (int i = 0; i < 13; i++)
        to[i] = numbers[i];
}

START_TEST(sizes_add_up)
{
    const Model model = {.sized = sized, .sized_count = ROWS};
    double n[13];
    to_double(n);
    Sizes sizes = size_of(&model, numbers);
    double d = size_by_formula(3, n), e = size_by_formula(4, n);
    ck_assert_double_eq_tol(
        sizes.weights, size_by_formula(0, n) + size_by_formula(1, n) + 4000 * 3 / 8192.0,
        1e-9);
    ck_assert_double_eq_tol(sizes.activations, d + e, 1e-9);
    ck_assert_double_eq_tol(sizes.largest_activation, fmax(d, e), 1e-9);
    ck_assert_double_gt(d, e);
}
END_TEST

Suite *quant_numbers_suite(void)
{
    TCase *tests = tcase_create("quant_numbers");
    tcase_add_test(tests, codes_of_bits);
    tcase_add_test(tests, steps_and_bits);
    tcase_add_test(tests, bits_at_their_ends);
    tcase_add_test(tests, numbers_are_kept_in_bounds);
    tcase_add_test(tests, weights_become_codes);
    tcase_add_test(tests, gradients_of_weights_and_their_quantisers);
    tcase_add_test(tests, sizes_add_up);
    Suite *suite = suite_create("quant_numbers");
    suite_add_tcase(suite, tests);
    return suite;
}
