/* Generated programs as wholes: loss, gradients, statistics and scores against the
 * network in double, layer by layer; the same for every target, lowering, number of
 * threads and images. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/oracle/oracle.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One pass ---- */

/* Weights and a batch, and what a pass made of them. */
typedef struct {
    const Model *model;
    uint8_t *images;
    int32_t *labels;
    float *params, *gradient, *stats, *logits;
    char *arena;
    Step step;
} Pass;

/* The same weights and images for the same model, whatever the target. */
static void pass_open(Pass *pass, const BuiltNet *built)
{
    const Model *model = built->model;
    size_t pixels = (size_t)model->height * model->width * model->channels;
    size_t count = model->micro_batch;
    *pass = (Pass){.model = model,
                   .images = rt_alloc(count * pixels),
                   .labels = rt_alloc(count * sizeof(int32_t)),
                   .params = rt_alloc_aligned(model->param_floats * sizeof(float)),
                   .gradient = rt_alloc_aligned(model->param_floats * sizeof(float)),
                   .stats = rt_alloc_aligned((model->stat_floats + 16) * sizeof(float)),
                   .logits = rt_alloc_aligned(count * model->classes * sizeof(float)),
                   .arena = rt_alloc_aligned(model->arena_bytes)};
    random_seed(7);
    random_weights(&built->config.net, pass->params, pass->stats);
    random_bytes(pass->images, count * pixels);
    for (size_t i = 0; i < count; i++)
        pass->labels[i] = (int32_t)(i * 7 % model->classes);
    memset(pass->arena, 0xff, model->arena_bytes); /* NaN: nothing may lean on it */
    pass->step = (Step){.images = pass->images,
                        .labels = pass->labels,
                        .count = model->micro_batch,
                        .params = pass->params,
                        .gradient = pass->gradient,
                        .stats = pass->stats,
                        .arena = pass->arena,
                        .logits = pass->logits,
                        .label_smoothing = 0.1f,
                        .loss_scale = 1};
}

static void pass_close(Pass *pass)
{
    free(pass->images);
    free(pass->labels);
    free(pass->params);
    free(pass->gradient);
    free(pass->stats);
    free(pass->logits);
    free(pass->arena);
}

/* Largest difference, as a share of the largest wanted value. */
static double distance(const float *got, const double *want, size_t count)
{
    double most = 1e-30, apart = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(got[i]))
            return INFINITY;
        most = fmax(most, fabs(want[i]));
        apart = fmax(apart, fabs(got[i] - want[i]));
    }
    return apart / most;
}

static double float_distance(const float *got, const float *want, size_t count)
{
    double *values = to_doubles(want, count), apart = distance(got, values, count);
    free(values);
    return apart;
}

/* ---- Nets and ways to build them ---- */

static const struct {
    const char *name, *sets[4];
} nets[] = {
    {"residual", {NULL}},
    {"residual", {"net.padding='same'", "net.side=16", "net.width=8"}},
    {"odd", {NULL}},
    {"odd", {"net.channels=1"}},
    {"joins", {"quant={ quantizer = 'none' }", "train.batch=21"}},
    {"residual", {"train.bn='chunk'", "train.chunks=8"}},
    {"words", {"net.leaky=true"}},
};
enum { NETS = sizeof nets / sizeof *nets };

/* For a target of target_table, in one of the ways to do convolutions. */
static void build(BuiltNet *built, int net, const Target *target, Lowering lowering)
{
    built_make(built, nets[net].name,
               &(BuildHow){target->name, lowering, nets[net].sets});
}

static void build_best(BuiltNet *built, int net)
{
    build(built, net, target_find(NULL), LOWER_DIRECT);
}

/* ---- Against the network in double ---- */

/* Change of the loss along `direction`, per unit, from the network in double. */
static double slope(const Config *config, const Pass *pass, const double *stats,
                    const double *direction, double step)
{
    size_t count = pass->model->param_floats;
    double *params = to_doubles(pass->params, count), loss[2];
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < count; i++)
            params[i] = pass->params[i] + (side ? step : -step) * direction[i];
        loss[side] = oracle_loss(config, params, stats, pass->images, pass->labels,
                                 pass->step.count, pass->step.label_smoothing);
    }
    free(params);
    return (loss[1] - loss[0]) / (2 * step);
}

/* The slope along a random direction within params[first ..] is the gradient's. */
static void check_slope(const Config *config, const Pass *pass, const double *stats,
                        const char *name, size_t first, size_t count)
{
    double *direction = rt_alloc(pass->model->param_floats * sizeof(double));
    double along = 0, length = 0;
    for (size_t i = first; i < first + count; i++) {
        direction[i] = random_unit() < 0 ? -1 : 1;
        along += pass->gradient[i] * direction[i];
        length += (double)pass->gradient[i] * pass->gradient[i];
    }
    length = sqrt(length);
    double want = slope(config, pass, stats, direction, 1e-6);
    if (fabs(along - want) > 2e-5 * length) /* a ReLU or a maximum may turn within it */
        want = slope(config, pass, stats, direction, 1e-8);
    if (length == 0) { /* a bias in front of batch normalisation */
        ck_assert_msg(fabs(want) < 1e-6, "%s: slope %g, want 0", name, want);
        free(direction);
        return;
    }
    ck_assert_msg(length > 1e-3, "%s: gradient %g is too small to tell anything", name,
                  length);
    ck_assert_msg(fabs(along - want) <= 2e-5 * length,
                  "%s: slope %.9g, want %.9g of %.9g", name, along, want, length);
    free(direction);
}

START_TEST(gradients_are_slopes_of_the_loss)
{
    BuiltNet built;
    Pass pass;
    build_best(&built, _i);
    pass_open(&pass, &built);
    double *stats = to_doubles(pass.stats, built.model->stat_floats);
    pass.model->train(&pass.step);
    for (int i = 0; i < built.model->param_count; i++) {
        const Param *param = &built.model->params[i];
        check_slope(&built.config, &pass, stats, param->name, param->offset,
                    param->count);
        check_slope(&built.config, &pass, stats, param->name, param->offset,
                    param->count);
    }
    free(stats);
    pass_close(&pass);
    built_free(&built);
}
END_TEST

/* Loss, hits, scores and moved statistics of the pass; then the direction of everything.
 */
static void check_training(const Config *config, Pass *pass, int count)
{
    const Model *model = pass->model;
    double *params = to_doubles(pass->params, model->param_floats);
    double *stats = to_doubles(pass->stats, model->stat_floats);
    double *moved = to_doubles(pass->stats, model->stat_floats);
    double *logits = rt_alloc((size_t)count * model->classes * sizeof(double));
    pass->step.count = count;
    memset(pass->gradient, 0, model->param_floats * sizeof(float));
    model->train(&pass->step);
    double loss = oracle_loss(config, params, stats, pass->images, pass->labels, count,
                              pass->step.label_smoothing);
    oracle_forward(config, params, moved, true, pass->images, count, logits);
    ck_assert_double_eq_tol(pass->step.loss, loss, 2e-5 * loss);
    ck_assert_double_lt(distance(pass->logits, logits, (size_t)count * model->classes),
                        2e-5);
    ck_assert_double_lt(distance(pass->stats, moved, model->stat_floats), 2e-5);
    int correct = 0;
    for (int i = 0; i < count; i++) {
        int best = 0;
        for (int k = 0; k < model->classes; k++)
            if (logits[i * model->classes + k] > logits[i * model->classes + best])
                best = k;
        correct += best == pass->labels[i];
    }
    ck_assert_int_eq(pass->step.correct, correct);
    if (count > 1)
        check_slope(config, pass, stats, "all", 0, model->param_floats);
    free(params);
    free(stats);
    free(moved);
    free(logits);
}

START_TEST(any_number_of_images)
{
    static const int counts[] = {1, 2, 3, 15, 16, 17, 21};
    BuiltNet built;
    Pass pass;
    build_best(&built, _i);
    pass_open(&pass, &built);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_training(&built.config, &pass, counts[i]);
    pass_close(&pass);
    built_free(&built);
}
END_TEST

START_TEST(no_smoothing_and_much)
{
    BuiltNet built;
    Pass pass;
    build_best(&built, 0);
    pass_open(&pass, &built);
    for (int i = 0; i < 3; i++) {
        pass.step.label_smoothing = 0.5f * (float)i;
        check_training(&built.config, &pass, 9);
    }
    pass_close(&pass);
    built_free(&built);
}
END_TEST

/* Evaluation of some of the images, with the statistics as they are now. */
static void check_evaluation(const BuiltNet *built, Pass *pass)
{
    const Model *model = pass->model;
    double *params = to_doubles(pass->params, model->param_floats);
    double *stats = to_doubles(pass->stats, model->stat_floats);
    int count = 19;
    size_t scores = (size_t)count * model->classes;
    double *want = rt_alloc(scores * sizeof(double));
    oracle_forward(&built->config, params, stats, false, pass->images, count, want);
    Step step = pass->step;
    step.count = count;
    step.gradient = NULL;
    step.labels = NULL;
    pass->logits[scores] = 77;
    memset(pass->arena, 0xff, model->arena_bytes);
    model->evaluate(&step);
    ck_assert_double_lt(distance(pass->logits, want, scores), 1e-5);
    ck_assert_float_eq(pass->logits[scores], 77);
    ck_assert_double_eq(distance(pass->stats, stats, model->stat_floats), 0);
    free(params);
    free(stats);
    free(want);
}

/* ---- Against itself ---- */

START_TEST(every_way_gives_the_same)
{
    Pass first = {0};
    BuiltNet first_built;
    build(&first_built, _i, target_find("plain"), LOWER_DIRECT);
    pass_open(&first, &first_built);
    first.model->train(&first.step);
    check_evaluation(&first_built, &first);
    const int last = TARGET_COUNT - 1; /* then the best, in the other lowerings */
    for (int way = 0; way < last + LOWERING_COUNT; way++) {
        const Lowering lowering = way > last ? way - last : LOWER_DIRECT;
        const Target *target = lowering ? target_find(NULL) : &target_table[way];
        BuiltNet built;
        Pass pass;
        if ((target->ships == SHIP_CODES && !lowering) || !target_runs(target))
            continue; /* its floats are its basis's */
        build(&built, _i, target, lowering);
        pass_open(&pass, &built);
        pass.model->train(&pass.step);
        const Model *model = built.model;
        for (int i = 0; i < model->param_count; i++) {
            const Param *p = &model->params[i];
            double apart = float_distance(pass.gradient + p->offset,
                                          first.gradient + p->offset, p->count);
            ck_assert_msg(apart < 1e-4, "%s %s: %s differs by %g", target->name,
                          lowering_names[lowering], p->name, apart);
        }
        ck_assert_double_lt(float_distance(pass.stats, first.stats, model->stat_floats),
                            1e-5);
        ck_assert_double_eq_tol(pass.step.loss, first.step.loss, 1e-5 * first.step.loss);
        check_evaluation(&built, &pass);
        pass_close(&pass);
        built_free(&built);
    }
    pass_close(&first);
    built_free(&first_built);
}
END_TEST

START_TEST(threads_change_no_bit)
{
    static const int threads[] = {1, 2, 5, 40};
    BuiltNet built;
    Pass first, pass;
    build_best(&built, _i);
    const Model *model = built.model;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        Pass *now = i == 0 ? &first : &pass;
        pass_open(now, &built);
        rt_set_threads(threads[i]);
        model->train(&now->step);
        if (i == 0)
            continue;
        ck_assert_double_eq(now->step.loss, first.step.loss);
        ck_assert_mem_eq(now->gradient, first.gradient,
                         model->param_floats * sizeof(float));
        ck_assert_mem_eq(now->stats, first.stats, model->stat_floats * sizeof(float));
        ck_assert_mem_eq(now->logits, first.logits,
                         (size_t)model->micro_batch * model->classes * sizeof(float));
        pass_close(now);
    }
    pass_close(&first);
    built_free(&built);
}
END_TEST

/* Products of transformed tiles beside direct ones; chunks hold from no image to three,
 * and the tiles of two are multiplied at once. */
START_TEST(transformed_tiles_give_the_same)
{
    static const struct {
        int images, threads;
    } ways[] = {{40, 1}, {40, 5}, {17, 2}, {1, 1}};
    BuiltNet direct, transformed;
    float *before = NULL; /* the gradient of another number of threads */
    for (int i = 0; i < 2; i++)
        built_make(i ? &transformed : &direct, "winograd",
                   &(BuildHow){target_find(NULL)->name, i ? LOWER_WINOGRAD : LOWER_DIRECT,
                               (const char *[]){"train.batch=40", NULL}});
    const size_t floats = direct.model->param_floats;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        Pass want, pass;
        pass_open(&want, &direct);
        pass_open(&pass, &transformed);
        want.step.count = pass.step.count = ways[i].images;
        rt_set_threads(ways[i].threads);
        want.model->train(&want.step);
        pass.model->train(&pass.step);
        ck_assert_double_lt(float_distance(pass.gradient, want.gradient, floats), 1e-4);
        ck_assert_double_gt(float_distance(pass.gradient, want.gradient, floats), 0);
        ck_assert_double_eq_tol(pass.step.loss, want.step.loss, 1e-5 * want.step.loss);
        if (i == 1)
            ck_assert_mem_eq(pass.gradient, before, floats * sizeof(float));
        free(before);
        before = pass.gradient;
        pass.gradient = NULL;
        pass_close(&want);
        pass_close(&pass);
    }
    free(before);
    built_free(&direct);
    built_free(&transformed);
}
END_TEST

/* A pass adds to the gradient, in proportion to loss_scale. */
START_TEST(gradients_add_up)
{
    BuiltNet built;
    Pass once, twice;
    build_best(&built, 2);
    pass_open(&once, &built);
    pass_open(&twice, &built);
    once.model->train(&once.step);
    for (int i = 0; i < 2; i++) {
        twice.step.loss_scale = i ? 0.25f : 0.5f;
        twice.model->train(&twice.step);
    }
    for (size_t i = 0; i < built.model->param_floats; i++)
        once.gradient[i] *= 0.75f;
    ck_assert_double_lt(
        float_distance(twice.gradient, once.gradient, built.model->param_floats), 1e-5);
    pass_close(&once);
    pass_close(&twice);
    built_free(&built);
}
END_TEST

Suite *network_suite(void)
{
    TCase *tests = tcase_create("network");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, gradients_are_slopes_of_the_loss, 0, NETS);
    tcase_add_loop_test(tests, any_number_of_images, 0, NETS - 1);
    tcase_add_test(tests, no_smoothing_and_much);
    tcase_add_loop_test(tests, every_way_gives_the_same, 0, NETS - 1);
    tcase_add_loop_test(tests, threads_change_no_bit, 0, NETS - 1);
    tcase_add_test(tests, transformed_tiles_give_the_same);
    tcase_add_test(tests, gradients_add_up);
    Suite *suite = suite_create("network");
    suite_add_tcase(suite, tests);
    return suite;
}
