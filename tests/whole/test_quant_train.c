/* Quantised training: every gradient as the formulas define it, in the runtime's
 * functions and through whole generated networks. */
#include "tests/suites.h"

#include "gen/run/build.h"
#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/size.h"
#include "runtime/train/trainer.h"
#include "tests/oracle/quant_oracle.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/quant_shipped.h"
#include "tests/tools/random_weights.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Whole networks ---- */

#define LAYERS(fields, text) "quant={ " fields " layers = { " text " } }"

static const struct {
    QuantCase c;
    const char *target;
} cases[] = {
    {{"uniform_static", {"net.width=8"}, 0, false, ""}, "plain"},
    {{"parametric_d",
      {"net.width=8", "net.shortcut='B'", "train.bn='chunk'", "train.chunks=4"},
      1,
      true,
      "gradient = 'ewgs', gradient_scale = 0.7, "},
     "avx2"},
    {{"parametric_d_xmax",
      {"net.width=16", "net.pool=true"},
      2,
      false,
      "gradient = 'psgd', gradient_scale = 0.4, "},
     "vnni"},
    {{"uniform_static",
      {"net.width=4", "net.shortcut='B'", "net.early=true"},
      3,
      true,
      "gradient = 'tanh', gradient_scale = 1.5, steepness = 0.8, "},
     "avx2"},
    {{"parametric_d",
      {"net.width=16"},
      4,
      false,
      "gradient = 'invtanh', gradient_scale = 0.3, steepness = 1.03, "},
     "avx512"},
    {{"parametric_d_xmax",
      {"net.width=6", "net.shortcut='B'", "net.channels=1", "data.mean=100",
       "data.std=60"},
      5,
      true,
      ""},
     "plain"},
    {{"",
      {"net.width=8", "net.shortcut='B'",
       LAYERS("quantizer = 'parametric_d', w_bits = 3, a_bits = 3,",
              "{ 'stem', w_bits = 32 }, { 'b0_a', a_bits = 32 }, { 'b1_b', w_bits = 32 },"
              "{ 'last', w_bits = 32 }, { 'b1_proj', w_bits = 32 }")},
      -1,
      false,
      ""},
     "avx2"},
    {{"",
      {"net.width=8",
       LAYERS(
           "quantizer = 'parametric_d_xmax', w_bits = 4, a_bits = 3, gradient = 'ewgs',"
           "gradient_scale = 0.5,",
           "{ 'stem', gradient_scale = 0.9 }, { 'b0_b', quantizer = 'uniform_static' },"
           "{ 'b1_a', quantizer = 'none' }, { 'b1_b', a_bits = 32 }")},
      -1,
      false,
      ""},
     "avx2"},
    {{"",
      {"net.width=4",
       LAYERS("quantizer = 'parametric_d', w_bits = 4, a_bits = 3, gradient = 'tanh',"
              "gradient_scale = 0.5,",
              "{ 'stem', steepness = 0.3 }")},
      -1,
      false,
      ""},
     "plain"},
    {{"parametric_d", {"net.width=16", "net.groups=16"}, 0, true, ""}, "avx512"},
    {{"parametric_d",
      {"net.width=8", "net.linear=true"},
      6,
      false,
      "gradient = 'ewgs', gradient_scale = 0.7, "},
     "vnni"},
    {{"",
      {"net.width=8", "net.leaky=true",
       "quant={ quantizer = 'parametric_d', w_bits = 4, a_bits = 4, gradient = 'ewgs', "
       "gradient_scale = 0.5 }"},
      -1,
      false,
      ""},
     "avx2"},
    {{"",
      {"net.width=6",
       "quant={ quantizer = 'parametric_d_xmax', w_bits = 6, a_bits = 5 }"},
      -1,
      false,
      ""},
     "plain"},
};
enum { CASES = sizeof cases / sizeof *cases, IMAGES = 11 };
enum { WORDS = 11 }; /* cases from here on are of tests/nets/words.lua */

/* One more case: tests/nets/joins.lua. */
static const char *const joins[] = {"quant.quantizer='parametric_d'", "quant.a_bits=4",
                                    NULL};

typedef struct {
    QuantNet net;
    BuiltNet built;
    uint8_t *images;
    int32_t labels[IMAGES];
    float *gradient, *logits, *stats;
    Step step;
} Bench;

/* Every case twice: as it says, and on the runtime's functions. */
static bool bench_open(Bench *b, int number)
{
    int index = number / 2;
    bool joined = index == CASES;
    const char *target = number % 2 ? "tcc" : joined ? "avx2" : cases[index].target;
    if (!machine_runs(target)) {
        printf("skipped: this machine does not run %s\n", target);
        return false;
    }
    *b = (Bench){0};
    const char *of = joined ? "joins" : index < WORDS ? "quant_family" : "words";
    if (joined)
        quant_net_open_other(&b->net, of, joins);
    else if (index < WORDS)
        quant_net_open(&b->net, &cases[index].c);
    else
        quant_net_open_other(&b->net, of, cases[index].c.net);
    const BuildHow how = {.target = target, .sets = (const char *const *)b->net.sets};
    built_make(&b->built, of, &how);
    const Model *model = b->built.model;
    b->images = rt_alloc(IMAGES * b->net.pixels);
    random_bytes(b->images, IMAGES * b->net.pixels);
    for (int i = 0; i < IMAGES; i++)
        b->labels[i] = i * 3 % model->classes;
    b->gradient = rt_alloc_aligned(model->param_floats * sizeof(float));
    b->logits = rt_alloc_aligned(IMAGES * model->classes * sizeof(float));
    b->stats = rt_alloc_aligned((model->stat_floats + 16) * sizeof(float));
    memcpy(b->stats, b->net.stats, model->stat_floats * sizeof(float));
    b->step = (Step){.images = b->images,
                     .labels = b->labels,
                     .count = IMAGES,
                     .params = b->net.params,
                     .gradient = b->gradient,
                     .stats = b->stats,
                     .arena = rt_alloc_aligned(model->arena_bytes),
                     .logits = b->logits,
                     .label_smoothing = 0.1f,
                     .loss_scale = 1.0f / IMAGES};
    memset(b->step.arena, 0xff, model->arena_bytes);
    return true;
}

static void bench_close(Bench *b)
{
    free(b->images);
    free(b->gradient);
    free(b->logits);
    free(b->stats);
    free(b->step.arena);
    built_free(&b->built);
    quant_net_close(&b->net);
}

static QuantOracle oracle_of(const Bench *b, bool training)
{
    const Model *model = b->built.model;
    QuantOracle o = {.net = &b->net,
                     .images = b->images,
                     .labels = b->labels,
                     .count = IMAGES,
                     .training = training,
                     .smoothing = 0.1,
                     .loss_scale = 1.0 / IMAGES,
                     .gradient = rt_alloc(model->param_floats * sizeof(double)),
                     .size = rt_alloc(model->param_floats * sizeof(double)),
                     .logits = rt_alloc(IMAGES * model->classes * sizeof(double))};
    quant_oracle_run(&o);
    return o;
}

static void oracle_free(QuantOracle *o)
{
    free(o->gradient);
    free(o->size);
    free(o->logits);
}

static bool of_quantiser(const Param *param)
{
    return param->kind == PARAM_STEP || param->kind == PARAM_RANGE;
}

/* Weights as a share of the array's largest gradient; a quantiser's number as one of what
 * it is the sum of. */
static void check_param(const Bench *b, const QuantOracle *o, const Param *param)
{
    double most = 1e-12;
    for (size_t i = param->offset; i < param->offset + param->count; i++)
        most = fmax(most, of_quantiser(param) ? o->size[i] : fabs(o->gradient[i]));
    for (size_t i = param->offset; i < param->offset + param->count; i++) {
        double apart = fabs(b->gradient[i] - o->gradient[i]) / most;
        ck_assert_msg(apart < 2e-4, "%s[%zu]: %.9g, want %.9g, %g of %g apart",
                      param->name, i - param->offset, (double)b->gradient[i],
                      o->gradient[i], apart, most);
    }
}

START_TEST(gradients_are_what_the_formulas_define)
{
    Bench b;
    if (!bench_open(&b, _i))
        return;
    QuantOracle o = oracle_of(&b, true);
    const Model *model = b.built.model;
    model->train(&b.step);
    ck_assert_double_eq_tol(b.step.loss, o.loss, 1e-5 * o.loss);
    for (int i = 0; i < IMAGES * model->classes; i++)
        ck_assert_double_eq_tol(b.logits[i], o.logits[i], 1e-4);
    for (int i = 0; i < model->param_count; i++)
        check_param(&b, &o, &model->params[i]);
    oracle_free(&o);
    bench_close(&b);
}
END_TEST

/* Where a layer stays in floats, evaluation is the training arithmetic with running
 * statistics. */
START_TEST(evaluation_with_layers_at_32_bits)
{
    Bench b;
    if (!bench_open(&b, 12 + _i))
        return;
    QuantOracle o = oracle_of(&b, false);
    b.step.gradient = NULL;
    b.step.labels = NULL;
    b.built.model->evaluate(&b.step);
    for (int i = 0; i < IMAGES * b.net.classes; i++)
        ck_assert_double_eq_tol(b.logits[i], o.logits[i], 1e-4);
    oracle_free(&o);
    bench_close(&b);
}
END_TEST

START_TEST(threads_change_no_bit)
{
    static const int threads[] = {1, 2, 5, 40};
    Bench b;
    if (!bench_open(&b, _i))
        return;
    const Model *model = b.built.model;
    size_t bytes = model->param_floats * sizeof(float);
    float *params = rt_alloc(bytes), *first = rt_alloc(bytes);
    memcpy(params, b.net.params, bytes);
    for (int i = 0; i < 4; i++) {
        rt_set_threads(threads[i]);
        memcpy(b.net.params, params, bytes);
        memset(b.gradient, 0, bytes);
        memset(b.step.arena, 0xff - i, model->arena_bytes);
        model->train(&b.step);
        if (i == 0)
            memcpy(first, b.gradient, bytes);
        ck_assert_mem_eq(b.gradient, first, bytes);
        for (size_t j = 0; j < model->param_floats; j++)
            ck_assert(isfinite(first[j]));
    }
    free(params);
    free(first);
    bench_close(&b);
}
END_TEST

/* ---- A run that stops and goes on ---- */

/* It ends with this exit status. */
static void run(int wanted, const char *trainer, const char *output, const char *more,
                const char *steps)
{
    const char *const words[] = {trainer,           "--data",   "random:60", "-o",
                                 in_folder(output), "--epochs", "3",         "--threads",
                                 steps ? "1" : "2", more,       steps,       NULL};
    int status = process_run(NULL, in_folder("out"), in_folder("err"), words);
    char *said = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(status == wanted, "status %d: %s", status, said);
    free(said);
}

/* Too short a run for its budgets: that is the last it says, and what it exits with. */
static void check_over_budget(void)
{
    char *said = rt_read_file(in_folder("out"), NULL);
    char *files = strstr(said, "\nfiles: "),
         *verdict = files ? strchr(files + 1, '\n') : NULL;
    ck_assert_msg(verdict != NULL, "%s", said);
    ck_assert_int_eq(strncmp(verdict, "\nover budget: ", 14), 0);
    ck_assert_ptr_nonnull(strstr(verdict, " KiB, want at most 0."));
    ck_assert_ptr_nonnull(strstr(said, "\nlayer "));
    free(said);
}

/* Of a network with dropout, learned bits, and another number of threads. */
START_TEST(a_resumed_run_is_the_same)
{
    static const char *const sets[] = {"net.width=4",
                                       "quant={ quantizer = 'parametric_d_xmax', "
                                       "w_bits = 4, a_bits = 4, w_budget = 0.2, "
                                       "a_budget = 0.05 }",
                                       NULL};
    QuantNet net;
    quant_net_open_other(&net, "words", sets);
    const CompileOptions options = {.target = target_find("plain")};
    char *trainer = build_trainer_of(&net.config, &options, "lathe test");
    ck_assert_msg(trainer != NULL, "%s", rt_error());
    run(OVER_BUDGET, trainer, "a", NULL, NULL);
    check_over_budget();
    run(0, trainer, "b", "--steps", "4");
    run(OVER_BUDGET, trainer, "b", "--resume", NULL);
    check_same_run("a", "b");
    free(trainer);
    quant_net_close(&net);
}
END_TEST

/* Held-out images prefer the first epochs, which have more bits: only a network within
 * its budgets may be the best. */
START_TEST(the_best_is_within_its_budgets)
{
    const QuantCase c = {
        "",
        {"net.width=4", "train.lr=0.02", "train.held_out=10",
         "quant={ quantizer = 'parametric_d_xmax', w_bits = 4, a_bits = 4, "
         "w_budget = 0.36, a_budget = 0.08, descent = 0.6, penalty = 1000 }"},
        -1,
        false,
        NULL};
    QuantNet net;
    quant_net_open(&net, &c);
    BuiltNet built;
    const BuildHow how = {.target = "plain", .sets = (const char *const *)net.sets};
    built_make(&built, "quant_family", &how);
    const Recipe recipe = {.w_budget = 0.36, .a_budget = 0.08};
    ck_assert(!size_within(built.model, &recipe, net.params));
    const CompileOptions options = {.target = target_find("plain")};
    char *trainer = build_trainer_of(&net.config, &options, "lathe test");
    ck_assert_msg(trainer != NULL, "%s", rt_error());
    const char *start = in_folder("start.ckpt");
    random_checkpoint(&net.config, net.params, net.stats, start);
    const char *const words[] = {trainer, "--data", "random:60",      "--weights",
                                 start,   "-o",     in_folder("run"), "--epochs",
                                 "60",    NULL};
    ck_assert_int_eq(process_run(NULL, in_folder("out"), in_folder("err"), words), 0);
    Weights best;
    ck_assert_msg(weights_load(&best, built.model, in_folder("run/best.ckpt")), "%s",
                  rt_error());
    Sizes sizes = size_of(built.model, best.params);
    ck_assert_msg(size_within(built.model, &recipe, best.params),
                  "%g KiB of weights, %g of activations", sizes.weights,
                  sizes.largest_activation);
    char *said = rt_read_file(in_folder("out"), NULL);
    ck_assert_ptr_nonnull(strstr(said, " (over 0.4); "));
    char *end = strstr(said, "\ntest accuracy ");
    ck_assert_ptr_nonnull(end);
    ck_assert_ptr_nonnull(strstr(end, " (within 0.4); "));
    ck_assert_ptr_nonnull(strstr(end, "\nlayer "));
    ck_assert_ptr_null(strstr(end, "over budget"));
    free(said);
    weights_free(&best);
    free(trainer);
    built_free(&built);
    quant_net_close(&net);
}
END_TEST

Suite *quant_train_suite(void)
{
    TCase *tests = tcase_create("quant_train");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, gradients_are_what_the_formulas_define, 0, 2 * CASES + 2);
    tcase_add_loop_test(tests, evaluation_with_layers_at_32_bits, 0, 4);
    tcase_add_loop_test(tests, threads_change_no_bit, 2, 6);
    Suite *suite = suite_create("quant_train");
    suite_add_tcase(suite, tests);
    TCase *runs = tcase_create("runs");
    tcase_add_checked_fixture(runs, folder_make, folder_remove);
    tcase_set_timeout(runs, 120);
    tcase_add_test(runs, a_resumed_run_is_the_same);
    tcase_add_test(runs, the_best_is_within_its_budgets);
    suite_add_tcase(suite, runs);
    return suite;
}
