/* The optimiser against closed forms and plain scalar arithmetic, for any number of
 * threads, with numbers in the gaps between the arrays that must not matter. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/train/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 40000, SCALE_AT = 40000, BIAS_AT = 40016, FLOATS = 40032, STATS = 16 };

static const Param params[] = {
    {"fc.weight", PARAM_DENSE, INIT_HE_NORMAL, 2, {400, 100}, 0, BIG, 50},
    {"bn.scale", PARAM_BN_SCALE, INIT_ONE, 1, {5}, SCALE_AT, 5, 1},
    {"fc.bias", PARAM_BIAS, INIT_ZERO, 1, {3}, BIAS_AT, 3, 1},
};
static const Param stats[] = {
    {"bn.mean", PARAM_BN_MEAN, INIT_ZERO, 1, {2}, 0, 2, 1},
};
static const Model model = {.params = params,
                            .param_count = 3,
                            .param_floats = FLOATS,
                            .stats = stats,
                            .stat_count = 1,
                            .stat_floats = STATS};

static bool in_gap(size_t i)
{
    return (i >= SCALE_AT + 5 && i < BIAS_AT) || i >= BIAS_AT + 3;
}

static float gradient_at(int step, size_t i)
{
    return (float)random_normal((uint64_t)step + 1, i);
}

/* Gaps hold NAN before every step. */
static void take_steps(Optim *optim, const Recipe *recipe, int steps)
{
    for (int step = 0; step < steps; step++) {
        for (size_t i = 0; i < FLOATS; i++)
            optim->gradient[i] = in_gap(i) ? NAN : gradient_at(step, i);
        optim->stats[0] = (float)step + 1;
        optim_step(optim, recipe, 0.1, step);
    }
}

/* ---- Learning rate ---- */

static void check_rate(const Recipe *recipe, double epoch, double wanted)
{
    ck_assert_double_eq_tol(optim_rate(recipe, epoch), wanted, 1e-12);
}

START_TEST(rate_by_steps)
{
    Recipe recipe = {.epochs = 160,
                     .lr = 0.1,
                     .schedule = SCHEDULE_STEP,
                     .milestones = {80, 120},
                     .milestone_count = 2,
                     .decay_factor = 0.1};
    check_rate(&recipe, 0, 0.1);
    check_rate(&recipe, 79.999, 0.1);
    check_rate(&recipe, 80, 0.01);
    check_rate(&recipe, 119.9, 0.01);
    check_rate(&recipe, 120, 0.001);
    check_rate(&recipe, 159.9, 0.001);
    recipe.warmup_epochs = 4;
    check_rate(&recipe, 0, 0);
    check_rate(&recipe, 1, 0.025);
    check_rate(&recipe, 3.5, 0.0875);
    check_rate(&recipe, 4, 0.1);
}
END_TEST

START_TEST(rate_by_cosine)
{
    Recipe recipe = {.epochs = 30, .lr = 2, .schedule = SCHEDULE_COSINE};
    check_rate(&recipe, 0, 2);
    check_rate(&recipe, 15, 1);
    check_rate(&recipe, 10, 1.5); /* cos(pi / 3) = 1 / 2 */
    check_rate(&recipe, 30, 0);
    recipe.warmup_epochs = 6;
    recipe.lr_final = 0.1;
    check_rate(&recipe, 3, 1);
    check_rate(&recipe, 6, 2);
    check_rate(&recipe, 14, 2 * (0.1 + 0.9 * 0.75));
    check_rate(&recipe, 18, 1.1);
    check_rate(&recipe, 30, 0.2);
}
END_TEST

START_TEST(rate_by_one_cycle)
{
    Recipe recipe = {.epochs = 20,
                     .lr = 0.4,
                     .schedule = SCHEDULE_ONE_CYCLE,
                     .peak = 0.25,
                     .lr_final = 0.5};
    check_rate(&recipe, 0, 0);
    check_rate(&recipe, 2.5, 0.2);
    check_rate(&recipe, 5, 0.4);
    check_rate(&recipe, 12.5, 0.3);
    check_rate(&recipe, 20, 0.2);
    recipe.peak = 0; /* highest at once */
    check_rate(&recipe, 0, 0.4);
    recipe.peak = 1; /* rises to the end */
    check_rate(&recipe, 10, 0.2);
    check_rate(&recipe, 20, 0.2);
    recipe.warmup_epochs = 20; /* the slower rise counts */
    recipe.peak = 0.25;
    check_rate(&recipe, 4, 0.08);
}
END_TEST

START_TEST(rate_by_line)
{
    Recipe recipe = {.epochs = 30, .lr = 2, .schedule = SCHEDULE_LINEAR};
    check_rate(&recipe, 0, 2);
    check_rate(&recipe, 7.5, 1.5);
    check_rate(&recipe, 30, 0);
    recipe.warmup_epochs = 10;
    recipe.lr_final = 0.5;
    check_rate(&recipe, 5, 1);
    check_rate(&recipe, 10, 2);
    check_rate(&recipe, 20, 1.5);
}
END_TEST

START_TEST(averages_start_short)
{
    Recipe recipe = {.ema = 0.99};
    ck_assert_double_eq_tol(optim_ema_decay(&recipe, 0), 0.1, 1e-12);
    ck_assert_double_eq_tol(optim_ema_decay(&recipe, 8), 0.5, 1e-12);
    ck_assert_double_eq_tol(optim_ema_decay(&recipe, 100000), 0.99, 1e-12);
}
END_TEST

/* ---- Steps ---- */

typedef struct {
    double weight, velocity, average;
} Scalar;

static void scalar_step(Scalar *s, double gradient, const Recipe *recipe, bool decays,
                        int step)
{
    double average_decay = fmin(recipe->ema, (1.0 + step) / (10.0 + step));
    gradient += decays ? recipe->weight_decay * s->weight : 0;
    s->velocity = recipe->momentum * s->velocity + gradient;
    s->weight -= 0.1 * (recipe->nesterov ? gradient + recipe->momentum * s->velocity
                                         : s->velocity);
    s->average = average_decay * s->average + (1 - average_decay) * s->weight;
}

static void check_against_scalar(bool nesterov, double ema)
{
    enum { STEPS = 12 };
    Recipe recipe = {
        .momentum = 0.9, .weight_decay = 0.05, .nesterov = nesterov, .ema = ema};
    Optim optim;
    optim_alloc(&optim, &model, &recipe);
    optim_initialise(&optim, 7);
    optim_start_averages(&optim);
    float *first = rt_alloc(FLOATS * sizeof *first);
    memcpy(first, optim.params, FLOATS * sizeof *first);
    take_steps(&optim, &recipe, STEPS);
    for (size_t i = 0; i < FLOATS; i++) {
        Scalar s = {first[i], 0, first[i]};
        for (int step = 0; step < STEPS && !in_gap(i); step++)
            scalar_step(&s, gradient_at(step, i), &recipe, i < BIG, step);
        ck_assert_double_eq_tol(optim.params[i], s.weight, 2e-5);
        ck_assert_double_eq_tol(optim.momentum[i], s.velocity, 2e-5);
        if (ema > 0)
            ck_assert_double_eq_tol(optim.ema[i], s.average, 2e-5);
        if (!in_gap(i))
            ck_assert_float_eq(optim.gradient[i], 0);
    }
    free(first);
    optim_free(&optim);
}

START_TEST(steps_equal_scalar_arithmetic)
{
    check_against_scalar(false, 0);
    check_against_scalar(true, 0);
    check_against_scalar(true, 0.5);
}
END_TEST

/* What decays, and what has a rate of its own: by one step from 1 with gradients of 1. */
START_TEST(kinds_of_parameters)
{
    enum { KINDS = 7 };
    static const ParamKind kinds[KINDS] = {PARAM_CONV,     PARAM_DENSE,    PARAM_BIAS,
                                           PARAM_BN_SCALE, PARAM_BN_SHIFT, PARAM_STEP,
                                           PARAM_RANGE};
    Param all[KINDS];
    for (int i = 0; i < KINDS; i++)
        all[i] = (Param){"p", kinds[i], INIT_ONE, 1, {1}, 16 * (size_t)i, 1, 1};
    const Model own = {.params = all, .param_count = KINDS, .param_floats = 16 * KINDS};
    const Recipe recipe = {.weight_decay = 0.5,
                           .decay_norms = _i == 1,
                           .decay_biases = _i == 2,
                           .quantizer_lr = 0.25};
    Optim optim;
    optim_alloc(&optim, &own, &recipe);
    optim_initialise(&optim, 1);
    for (int i = 0; i < KINDS; i++)
        optim.gradient[16 * i] = 1;
    optim_step(&optim, &recipe, 0.5, 0);
    const bool decayed[KINDS] = {true, true, _i == 2, _i == 1, _i == 1, false, false};
    for (int i = 0; i < KINDS; i++) {
        double rate = i < 5 ? 0.5 : 0.125, gradient = decayed[i] ? 1.5 : 1;
        ck_assert_double_eq_tol((double)optim.params[16 * i], 1 - rate * gradient, 1e-7);
    }
    optim_free(&optim);
}
END_TEST

START_TEST(statistics_are_averaged_too)
{
    Recipe recipe = {.ema = 0.3};
    Optim optim;
    double average = 0;
    optim_alloc(&optim, &model, &recipe);
    optim_start_averages(&optim);
    take_steps(&optim, &recipe, 9);
    for (int step = 0; step < 9; step++) {
        double decay = fmin(0.3, (1.0 + step) / (10.0 + step));
        average = decay * average + (1 - decay) * (step + 1);
    }
    ck_assert_double_eq_tol(optim.ema_stats[0], average, 1e-5);
    ck_assert_float_eq(optim.stats[0], 9);
    optim_free(&optim);
}
END_TEST

START_TEST(threads_do_not_matter)
{
    Recipe recipe = {
        .momentum = 0.9, .weight_decay = 0.01, .nesterov = true, .ema = 0.999};
    Optim one, four;
    Optim *both[] = {&one, &four};
    for (int i = 0; i < 2; i++) {
        rt_set_threads(i ? 4 : 1);
        optim_alloc(both[i], &model, &recipe);
        optim_initialise(both[i], 3);
        optim_start_averages(both[i]);
        take_steps(both[i], &recipe, 5);
    }
    ck_assert_mem_eq(one.params, four.params, FLOATS * sizeof(float));
    ck_assert_mem_eq(one.momentum, four.momentum, FLOATS * sizeof(float));
    ck_assert_mem_eq(one.ema, four.ema, FLOATS * sizeof(float));
    ck_assert_mem_eq(one.ema_stats, four.ema_stats, STATS * sizeof(float));
    optim_free(&one);
    optim_free(&four);
}
END_TEST

/* ---- Initial weights ---- */

START_TEST(initial_weights_have_their_spread)
{
    Optim optim;
    double sum = 0, squares = 0;
    optim_alloc(&optim, &model, &(Recipe){0});
    optim_initialise(&optim, 1);
    for (size_t i = 0; i < BIG; i++) {
        sum += optim.params[i];
        squares += optim.params[i] * optim.params[i];
    }
    ck_assert_double_eq_tol(sum / BIG, 0, 0.004);             /* 4 deviations */
    ck_assert_double_eq_tol(squares / BIG, 2.0 / 50, 0.0012); /* He: 2 / fan_in */
    for (size_t i = SCALE_AT; i < FLOATS; i++)
        ck_assert_float_eq(optim.params[i], i < SCALE_AT + 5);
    optim_free(&optim);
}
END_TEST

static void first_weights(const char *name, ParamInit init, uint64_t seed,
                          float values[8])
{
    Param param = {name, PARAM_DENSE, init, 1, {8}, 0, 8, 4};
    Model small = {.params = &param, .param_count = 1, .param_floats = 16};
    Optim optim;
    optim_alloc(&optim, &small, &(Recipe){0});
    optim_initialise(&optim, seed);
    memcpy(values, optim.params, 8 * sizeof *values);
    optim_free(&optim);
}

START_TEST(initial_weights_follow_name_and_seed)
{
    float a[8], same[8], other[8], lecun[8];
    first_weights("a", INIT_HE_NORMAL, 1, a);
    first_weights("a", INIT_HE_NORMAL, 1, same);
    first_weights("a", INIT_LECUN_NORMAL, 1, lecun);
    ck_assert_mem_eq(a, same, sizeof a);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq_tol(a[i], lecun[i] * sqrtf(2), 1e-6f);
    first_weights("b", INIT_HE_NORMAL, 1, other);
    ck_assert_mem_ne(a, other, sizeof a);
    first_weights("a", INIT_HE_NORMAL, 2, other);
    ck_assert_mem_ne(a, other, sizeof a);
}
END_TEST

/* ---- What is not finite ---- */

static void check_broken(const Optim *optim, const char *wanted)
{
    char *found = optim_find_non_finite(optim);
    if (wanted)
        ck_assert_pstr_eq(found, wanted);
    else
        ck_assert_ptr_null(found);
    free(found);
}

START_TEST(broken_arrays_are_named)
{
    Optim optim;
    optim_alloc(&optim, &model, &(Recipe){0});
    optim.gradient[FLOATS - 1] = optim.params[FLOATS - 1] = NAN; /* gaps */
    check_broken(&optim, NULL);
    optim.gradient[BIAS_AT + 2] = NAN;
    check_broken(&optim, "gradient of fc.bias");
    optim.stats[1] = -INFINITY;
    check_broken(&optim, "bn.mean");
    optim.params[SCALE_AT + 4] = INFINITY;
    check_broken(&optim, "bn.scale");
    optim_free(&optim);
}
END_TEST

Suite *optim_suite(void)
{
    TCase *tests = tcase_create("optim");
    tcase_add_test(tests, rate_by_steps);
    tcase_add_test(tests, rate_by_cosine);
    tcase_add_test(tests, rate_by_one_cycle);
    tcase_add_test(tests, rate_by_line);
    tcase_add_test(tests, averages_start_short);
    tcase_add_test(tests, steps_equal_scalar_arithmetic);
    tcase_add_loop_test(tests, kinds_of_parameters, 0, 3);
    tcase_add_test(tests, statistics_are_averaged_too);
    tcase_add_test(tests, threads_do_not_matter);
    tcase_add_test(tests, initial_weights_have_their_spread);
    tcase_add_test(tests, initial_weights_follow_name_and_seed);
    tcase_add_test(tests, broken_arrays_are_named);
    Suite *suite = suite_create("optim");
    suite_add_tcase(suite, tests);
    return suite;
}
