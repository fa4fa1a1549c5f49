/* Learned bitwidths within a budget: what the optimiser is given, what is taken back
 * after its step, and how sizes come down over a run. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/train/budget.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <string.h>

enum { ROWS = 6, NUMBERS = 15 };

static const RtSized sized[ROWS] = {
    {"a", {RT_QUANT_STEP_RANGE, 4, true, ROUND_STE, 0, 1, 0}, 90000, 1, false, 0, 1},
    {"b", {RT_QUANT_STEP_RANGE, 4, true, ROUND_STE, 0, 1, 0}, 6000, 3, false, 2, 5},
    {"c", {RT_QUANT_STEP, 3, true, ROUND_STE, 0, 1, 0}, 4000, 1, false, 8, -1},
    {"d", {RT_QUANT_STEP_RANGE, 6, false, ROUND_STE, 0, 1, 0}, 16384, 1, true, 9, 10},
    {"e", {RT_QUANT_STEP_RANGE, 6, false, ROUND_STE, 0, 1, 0}, 8192, 1, true, 11, 12},
    {"f", {RT_QUANT_STEP_RANGE, 6, false, ROUND_STE, 0, 1, 0}, 16384, 1, true, 13, 14},
};
static const float numbers[NUMBERS] = {0.11f, 0.8f,  0.1f, 0.3f,  0.07f,
                                       0.8f,  2.05f, 0.6f, 0.2f,  0.12f,
                                       4.5f,  0.13f, 5.7f, 0.14f, 4.1f};
static const Param params[] = {
    {"numbers", PARAM_STEP, INIT_ONE, 1, {NUMBERS}, 0, NUMBERS, 1}};
static const Model model = {.params = params,
                            .param_count = 1,
                            .param_floats = 16,
                            .stat_floats = 16,
                            .sized = sized,
                            .sized_count = ROWS};

static void open_at(Optim *optim, const Recipe *recipe, const float *values)
{
    optim_alloc(optim, &model, recipe);
    memcpy(optim->params, values, NUMBERS * sizeof(float));
    optim_start_averages(optim);
}

/* The gradients begin makes of `given` (NULL: zeros), by number. */
static void begin(const Recipe *recipe, double share, const float *given, float *made)
{
    Optim optim;
    open_at(&optim, recipe, numbers);
    if (given)
        memcpy(optim.gradient, given, NUMBERS * sizeof(float));
    Budget budget = budget_begin(&optim, recipe, share);
    memcpy(made, optim.gradient, NUMBERS * sizeof(float));
    budget_end(&budget, &optim);
    optim_free(&optim);
}

/* KiB of a row with log2(range / step + 1) for bits, where d follows step. */
static double smooth_size(int row, const double *n)
{
    const RtSized *it = &sized[row];
    double bits = 0;
    for (int i = 0; i < it->steps; i++) {
        double d = exp2(rint(log2(numbers[it->step + i]))) / numbers[it->step + i];
        bits += log2(n[it->range + i] / (n[it->step + i] * d) + 1) + it->quant.is_signed;
    }
    return bits * it->numbers / it->steps / 8192;
}

/* Central difference of a row's size by the logarithm of number i. */
static double pull(int row, int i)
{
    double n[NUMBERS], side[2];
    for (int s = 0; s < 2; s++) {
        for (int k = 0; k < NUMBERS; k++)
            n[k] = numbers[k];
        n[i] *= exp(s ? 1e-6 : -1e-6);
        side[s] = smooth_size(row, n);
    }
    return (side[1] - side[0]) / 2e-6;
}

START_TEST(budgets_come_down)
{
    const double first = (90000 * 4 + 6000 * 4 + 4000 * 3) / 8192.0;
    Recipe recipe = {.w_budget = 20, .a_budget = 5, .descent = 0.4};
    for (int i = 0; i <= 10; i++) {
        Budgets now = budget_now(&model, &recipe, i / 10.0);
        double left = fmax(1 - i / 4.0, 0);
        ck_assert_double_eq_tol(now.weights, 20 + (first - 20) * left, 1e-9);
        ck_assert_double_eq_tol(now.activations, 5 + 7 * left, 1e-9);
    }
    recipe = (Recipe){.w_budget = 100, .a_budget = 5, .a_sum = true, .descent = 0.4};
    ck_assert_double_eq(budget_now(&model, &recipe, 0).weights,
                        100); /* has room from the start */
    ck_assert_double_eq(budget_now(&model, &recipe, 0).activations, 12 + 6 + 12);
    recipe = (Recipe){.w_budget = 20, .descent = 0};
    ck_assert_double_eq(budget_now(&model, &recipe, 0).weights, 20);
    ck_assert_double_eq(budget_now(&model, &recipe, 0).activations, 0);
}
END_TEST

/* Without a budget: x (x g), x g at most 0.1, of learned numbers; the rest is left
 * alone. */
START_TEST(logarithms_are_trained)
{
    const Recipe recipe = {0};
    float given[NUMBERS], made[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        given[i] = (float)(i % 2 ? -1 : 1) * (i % 3 ? 0.01f : 40);
    begin(&recipe, 1, given, made);
    for (int i = 0; i < NUMBERS; i++) {
        double x = numbers[i], h = fmin(fmax(x * given[i], -0.1), 0.1);
        ck_assert_double_eq_tol(made[i], i == 8 ? given[i] : x * h, 1e-6);
    }
}
END_TEST

/* The penalty is small here, so that no limit is met. */
START_TEST(the_penalty_is_a_slope)
{
    Sizes sizes = size_of(&model, numbers);
    bool sum = _i;
    double a_size = sum ? sizes.activations : sizes.largest_activation;
    const Recipe recipe = {.w_budget = sizes.weights - 0.5,
                           .a_budget = a_size - 7,
                           .a_sum = sum,
                           .penalty = 1e-4};
    float made[NUMBERS];
    begin(&recipe, 0, NULL, made);
    for (int i = 0; i < NUMBERS; i++) {
        double want = 0;
        for (int row = 0; row < ROWS; row++) {
            bool largest = size_one(&sized[row], numbers) == sizes.largest_activation;
            if (row == 2 || (row > 2 && !sum && !largest))
                continue;
            want += 2e-4 * (row < 3 ? 0.5 : 7) * pull(row, i) * numbers[i];
        }
        ck_assert_msg(fabs(made[i] - want) < 1e-4 * fabs(want) + 1e-12,
                      "number %d: %g, want %g", i, (double)made[i], want);
    }
    double d = size_one(&sized[3], numbers), e = size_one(&sized[4], numbers);
    ck_assert(sum || fmin(d, e) > a_size - 7); /* both are over it */
    ck_assert(sum || (made[9] != 0 && made[11] == 0 && made[13] != 0));
}
END_TEST

START_TEST(within_the_budget_nothing_is_asked)
{
    Sizes sizes = size_of(&model, numbers);
    float made[NUMBERS];
    const Recipe within = {.w_budget = sizes.weights + 1e-6,
                           .a_sum = true,
                           .a_budget = sizes.activations + 1e-6,
                           .penalty = 10};
    const Recipe none = {.penalty = 10};
    begin(&within, 1, NULL, made);
    for (int i = 0; i < NUMBERS; i++)
        ck_assert_float_eq(made[i], 0);
    begin(&none, 1, NULL, made);
    for (int i = 0; i < NUMBERS; i++)
        ck_assert_float_eq(made[i], 0);
}
END_TEST

/* However far above: the one that saves most moves by a tenth, the others in
 * proportion. */
START_TEST(pressure_stays_in_proportion)
{
    const Recipe recipe = {
        .w_budget = 0.01, .a_budget = 0.01, .a_sum = true, .penalty = 1e3};
    float made[NUMBERS];
    begin(&recipe, 0, NULL, made);
    ck_assert_double_eq_tol(made[1] / numbers[1], 0.1, 1e-6);
    ck_assert_double_eq_tol(made[0] / numbers[0], -0.1, 1e-6);
    double largest = fmax(pull(3, 10), pull(5, 14));
    for (int i = 2; i < NUMBERS; i++) {
        int row = i < 8 ? 1 : i < 9 ? 2 : i < 11 ? 3 : i < 13 ? 4 : 5;
        double all = row < 3 ? pull(0, 1) : largest;
        double want = row == 2 ? 0 : 0.1 * pull(row, i) / all;
        ck_assert_double_eq_tol(made[i] / numbers[i], want, 1e-6);
    }
}
END_TEST

START_TEST(nothing_is_asked_of_the_fewest_bits)
{
    const Recipe recipe = {.w_budget = 0.01, .a_budget = 0.01, .penalty = 1e3};
    Optim optim;
    float least[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        least[i] = 0.125f; /* one code */
    open_at(&optim, &recipe, least);
    Budget budget = budget_begin(&optim, &recipe, 0);
    for (int i = 0; i < NUMBERS; i++)
        ck_assert_float_eq(optim.gradient[i], 0);
    budget_end(&budget, &optim);
    optim_free(&optim);
}
END_TEST

/* Ranges doubled by a step: taken back where the budget has no room for it, once the
 * descent is over; the averages get what was kept. */
static void grow(const Recipe *recipe, double share, float *kept)
{
    Optim optim;
    open_at(&optim, recipe, numbers);
    Budget budget = budget_begin(&optim, recipe, share);
    for (int row = 0; row < ROWS; row++)
        if (size_learns(&sized[row]))
            optim.params[sized[row].range] *= 2;
    budget_end(&budget, &optim);
    memcpy(kept, optim.params, NUMBERS * sizeof(float));
    for (int i = 0; i < NUMBERS; i++)
        ck_assert_float_eq(optim.ema[i], i == 8 ? numbers[i] : kept[i]);
    optim_free(&optim);
}

START_TEST(growth_beyond_a_budget_is_taken_back)
{
    Sizes sizes = size_of(&model, numbers);
    Recipe recipe = {
        .ema = 0.9, .w_budget = sizes.weights + 1, .a_budget = 9, .descent = 0.5};
    float kept[NUMBERS];
    grow(&recipe, 0.49, kept);
    for (int row = 0; row < ROWS; row++)
        ck_assert(row == 2 || kept[sized[row].range] == 2 * numbers[sized[row].range]);
    grow(&recipe, 0.5, kept);
    Sizes after = size_of(&model, kept);
    ck_assert_double_eq(after.weights, sizes.weights);
    ck_assert_float_eq(kept[1], numbers[1]);
    ck_assert_float_eq(kept[10], numbers[10]);
    ck_assert_float_eq(kept[12], 2 * numbers[12]); /* 7 bits of 8192: 7 KiB */
    ck_assert_float_eq(kept[14], numbers[14]);
    recipe.w_budget = recipe.a_budget = 100;
    grow(&recipe, 1, kept);
    for (int row = 0; row < ROWS; row++)
        ck_assert(row == 2 || kept[sized[row].range] == 2 * numbers[sized[row].range]);
}
END_TEST

/* A whole run in which only the size matters: it follows the budget down and stays there,
 * and what saves little keeps its bits. */
START_TEST(sizes_follow_the_budget)
{
    enum { STEPS = 4000 };
    const Recipe recipe = {.momentum = 0.9,
                           .quantizer_lr = 1,
                           .w_budget = 26,
                           .a_budget = 8.1,
                           .penalty = 0.1,
                           .descent = 0.5};
    Optim optim;
    open_at(&optim, &recipe, numbers);
    random_seed(3);
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < NUMBERS;
             i++) /* the task's gradients are noise, but want bits */
            optim.gradient[i] = (float)(random_unit() * 0.1 - 0.002) / numbers[i];
        double share = (double)step / STEPS;
        Budget budget = budget_begin(&optim, &recipe, share);
        optim_step(&optim, &recipe, 0.01, step);
        budget_end(&budget, &optim);
        Sizes now = size_of(&model, optim.params);
        Budgets want = budget_now(&model, &recipe, share);
        if (step > STEPS / 10 && step < STEPS / 2) /* a bit of the largest is 11 KiB */
            ck_assert_double_ge(now.weights, want.weights - 13);
        if (step > STEPS * 6 / 10)
            ck_assert(size_within(&model, &recipe, optim.params));
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_ge(
            rt_quant_bits(&sized[1].quant, optim.params[2 + i], optim.params[5 + i]), 3);
    ck_assert_int_eq(rt_quant_bits(&sized[0].quant, optim.params[0], optim.params[1]), 2);
    ck_assert_int_ge(rt_quant_bits(&sized[4].quant, optim.params[11], optim.params[12]),
                     5);
    optim_free(&optim);
}
END_TEST

Suite *quant_budget_suite(void)
{
    TCase *tests = tcase_create("quant_budget");
    tcase_add_test(tests, budgets_come_down);
    tcase_add_test(tests, logarithms_are_trained);
    tcase_add_loop_test(tests, the_penalty_is_a_slope, 0, 2);
    tcase_add_test(tests, within_the_budget_nothing_is_asked);
    tcase_add_test(tests, pressure_stays_in_proportion);
    tcase_add_test(tests, nothing_is_asked_of_the_fewest_bits);
    tcase_add_test(tests, growth_beyond_a_budget_is_taken_back);
    tcase_add_test(tests, sizes_follow_the_budget);
    Suite *suite = suite_create("quant_budget");
    suite_add_tcase(suite, tests);
    return suite;
}
