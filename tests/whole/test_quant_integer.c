/* Integer inference: the trainer's evaluation on every target, the emitted file from
 * every compiler, and brute force over the layers give the same integers. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "runtime/train/evaluate.h"
#include "tests/oracle/quant_oracle.h"
#include "tests/oracle/quant_reference.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/quant_shipped.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 9 };

/* Every bitwidth of weights 2 to 8 and of activations 1 to 8 occurs; see quant_net.c. */
static const QuantCase cases[] = {
    {"uniform_static", {"net.width=4"}, 0, false, ""},
    {"uniform_static", {"net.width=8", "net.shortcut='B'"}, 1, true, ""},
    {"uniform_static",
     {"net.width=16", "net.shortcut='B'", "net.early=true"},
     2,
     false,
     ""},
    {"parametric_d", {"net.width=20", "net.stem=5"}, 3, false, ""},
    {"parametric_d", {"net.width=8", "net.shortcut='B'", "net.pool=true"}, 4, true, ""},
    {"parametric_d_xmax",
     {"net.width=16", "net.pool=true", "net.growth=1"},
     5,
     false,
     ""},
    {"parametric_d_xmax",
     {"net.width=4", "net.shortcut='B'", "net.growth=5"},
     6,
     true,
     ""},
    {"uniform_static",
     {"net.width=6", "net.growth=3", "data.mean={0, 127.5, 255}"},
     7,
     false,
     ""},
    {"parametric_d_xmax",
     {"net.width=8", "net.shortcut='B'", "net.early=true", "net.side=1"},
     1,
     false,
     ""},
    {"parametric_d",
     {"net.width=3", "net.channels=1", "data.mean=99.5", "data.std=77"},
     5,
     true,
     ""},
    /* Depthwise, 64 channels at once and some left, words in blocks and not: in these
     * places, evaluated on VNNI (see evaluation_is_the_shipped_arithmetic). */
    {"uniform_static",
     {"net.width=96", "net.growth=1", "net.groups=96", "net.side=5"},
     5,
     false,
     ""},
    /* Blocks of weights: tiles of one, of two, and of parts. */
    {"uniform_static",
     {"net.width=64", "net.growth=1", "net.shortcut='B'"},
     6,
     false,
     ""},
    {"parametric_d",
     {"net.width=80", "net.growth=1", "net.groups=80", "net.shortcut='B'"},
     2,
     true,
     ""},
    {"uniform_static", {"net.width=32", "net.side=3"}, 4, true, ""},
    {"parametric_d_xmax", {"net.width=64", "net.growth=1", "net.side=1"}, 0, false, ""},
    /* In groups: of four channels; depthwise, and with twice the outputs. */
    {"uniform_static", {"net.width=8", "net.groups=2", "net.shortcut='B'"}, 3, true, ""},
    {"parametric_d_xmax", {"net.width=16", "net.groups=16"}, 2, false, ""},
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- A network with its constants, images and the scores they must get ---- */

typedef struct {
    QuantNet net;
    Checkpoint checkpoint;
    Constants constants;
    uint8_t *images; /* [IMAGES][pixels] */
    int32_t *scores; /* [IMAGES][classes] */
} Bench;

static void draw_images(Bench *b)
{
    b->images = rt_alloc(IMAGES * b->net.pixels);
    random_bytes(b->images, IMAGES * b->net.pixels);
    memset(b->images, 0, b->net.pixels);
    memset(b->images + b->net.pixels, 255, b->net.pixels);
    b->scores = rt_alloc(IMAGES * b->net.classes * sizeof(int32_t));
    for (int i = 0; i < IMAGES; i++)
        quant_ref_scores(&b->net, &b->constants, b->images + i * b->net.pixels,
                         b->scores + i * b->net.classes);
}

static void make_constants(Bench *b)
{
    const char *path = in_folder("weights.ckpt");
    random_checkpoint(&b->net.config, b->net.params, b->net.stats, path);
    ck_assert_msg(checkpoint_read(path, &b->checkpoint), "%s", rt_error());
    ck_assert_msg(constants_make(&b->net.config, &b->checkpoint, path, &b->constants),
                  "%s", rt_error());
}

static void bench_open(Bench *b, const QuantCase *c)
{
    *b = (Bench){0};
    quant_net_open(&b->net, c);
    make_constants(b);
}

static void bench_close(Bench *b)
{
    checkpoint_free(&b->checkpoint);
    constants_free(&b->constants);
    free(b->images);
    free(b->scores);
    quant_net_close(&b->net);
}

/* ---- The trainer's evaluation ---- */

static void check_logits(const Bench *b, const float *logits, const char *what)
{
    float unit = quant_ref_unit(&b->net);
    for (int i = 0; i < IMAGES * b->net.classes; i++)
        ck_assert_msg(logits[i] == (float)b->scores[i] * unit,
                      "%s: image %d, class %d: %.9g, want %d units", what,
                      i / b->net.classes, i % b->net.classes, (double)(logits[i] / unit),
                      b->scores[i]);
}

static void check_target(const Bench *b, const char *target)
{
    static const int threads[] = {1, 2, 5};
    BuiltNet built;
    const BuildHow how = {.target = target, .sets = (const char *const *)b->net.sets};
    built_make(&built, "quant_family", &how);
    const Model *model = built.model;
    Step step = {.images = b->images,
                 .count = IMAGES,
                 .params = b->net.params,
                 .stats = b->net.stats};
    step.arena = rt_alloc_aligned(model->arena_bytes);
    step.logits = rt_alloc_aligned(IMAGES * model->classes * sizeof(float));
    step.scores = rt_alloc(IMAGES * model->classes * sizeof *step.scores);
    for (int i = 0; i < 3; i++) {
        rt_set_threads(threads[i]);
        memset(step.scores, 0xff, IMAGES * model->classes * sizeof *step.scores);
        memset(step.arena, 0xff - 17 * i, model->arena_bytes);
        model->evaluate(&step);
        check_logits(b, step.logits, target);
        for (int n = 0; n < IMAGES * model->classes; n++)
            ck_assert_int_eq(step.scores[n], b->scores[n]);
    }
    free(step.scores);
    free(step.arena);
    free(step.logits);
    built_free(&built);
}

/* ---- The emitted file ---- */

/* Each case takes a quarter of the builds. */
static void check_shipped(const Bench *b, int index)
{
    const char *file = in_folder("file.c");
    ck_assert_msg(shipped_write(&b->net.config, in_folder("weights.ckpt"), file,
                                (ShippedOptions){.split = index % 2}),
                  "%s", rt_error());
    for (int i = index % 4; i < quant_build_count; i += 4) {
        QuantShipped shipped;
        if (!quant_shipped_load(&shipped, &b->net.config, file, index % 2, i))
            continue;
        quant_shipped_check(&shipped, b->images, b->net.pixels, IMAGES, b->scores,
                            b->net.classes);
        quant_shipped_close(&shipped);
    }
}

/* ---- Layers without a convolution of their own ---- */

/* Floats that pass by a quantiser are streams in integers, which are finer than floats:
 * the network in double, with its quantisers, gives the same scores but for a code here
 * or there whose value lies just between two. */
static void check_near(const Bench *b, const float *logits, const char *target)
{
    int count = IMAGES * b->net.classes;
    double *want = rt_alloc(count * sizeof(double)), most = 0, worst = 0;
    QuantOracle oracle = {
        .net = &b->net, .images = b->images, .count = IMAGES, .logits = want};
    quant_oracle_run(&oracle);
    for (int i = 0; i < count; i++) {
        most = fmax(most, fabs(want[i]));
        worst = fmax(worst, fabs(want[i] - logits[i]));
    }
    ck_assert_msg(worst <= 5e-3 * most, "%s: off by %g of %g", target, worst, most);
    free(want);
}

static void evaluate_all(const Bench *b, const char *name, const char *target,
                         float *logits, int64_t *scores)
{
    BuiltNet built;
    const BuildHow how = {.target = target, .sets = (const char *const *)b->net.sets};
    built_make(&built, name, &how);
    Step step = {.images = b->images,
                 .count = IMAGES,
                 .params = b->net.params,
                 .stats = b->net.stats,
                 .logits = logits,
                 .scores = scores,
                 .arena = rt_alloc_aligned(built.model->arena_bytes)};
    memset(step.arena, 0x5a, built.model->arena_bytes);
    built.model->evaluate(&step);
    ck_assert(!step.failed);
    free(step.arena);
    built_free(&built);
}

/* Streams, and sums of both signs that convolutions read as codes. */
static const struct {
    const char *name, *sets[7]; /* ended by NULL */
} streams[] = {
    {"preact", {"net.width=8"}},
    {"preact", {"net.width=16", "quant.quantizer='parametric_d'"}},
    {"preact", {"net.width=6", "quant.quantizer='parametric_d_xmax'"}},
    {"quant_family",
     {"net.width=16", "net.linear=true", "quant.w_bits=8", "quant.a_bits=8"}},
    {"quant_family",
     {"net.width=6", "net.linear=true", "net.shortcut='B'",
      "quant.quantizer='parametric_d_xmax'", "quant.w_bits=8", "quant.a_bits=7"}},
    {"joins", {"net.growth=4"}},
    {"joins", {"net.growth=3", "quant.quantizer='parametric_d_xmax'", "quant.w_bits=5"}},
    {"words", {"net.width=8", "quant.quantizer='uniform_static'"}},
    {"words", {"net.normed=true", "quant.quantizer='parametric_d_xmax'"}},
    {"words", {"net.width=8", "net.leaky=true", "quant.quantizer='parametric_d_xmax'"}},
    {"joins", {"net.growth=3", "net.leaky=true", "quant.a_bits=6"}},
};
enum { STREAMS = sizeof streams / sizeof *streams };

START_TEST(streams_are_integers)
{
    const char *const targets[] = {"tcc", _i % 2 ? "avx2" : "plain"};
    Bench b = {0};
    quant_net_open_other(&b.net, streams[_i].name, streams[_i].sets);
    make_constants(&b);
    b.images = rt_alloc(IMAGES * b.net.pixels);
    random_bytes(b.images, IMAGES * b.net.pixels);
    int count = IMAGES * b.net.classes;
    float *logits = rt_alloc_aligned(count * sizeof(float));
    int64_t *scores = rt_alloc(count * sizeof *scores);
    b.scores = rt_alloc(count * sizeof(int32_t));
    for (int t = 0; t < 2; t++) {
        if (!machine_runs(targets[t]))
            continue;
        evaluate_all(&b, streams[_i].name, targets[t], logits, scores);
        check_near(&b, logits, targets[t]);
        for (int i = 0; i < count; i++) {
            ck_assert(t == 0 || scores[i] == b.scores[i]);
            b.scores[i] = (int32_t)scores[i];
        }
    }
    check_shipped(&b, _i);
    free(scores);
    free(logits);
    bench_close(&b);
}
END_TEST

/* ---- Tests ---- */

/* Integers that are the same number as floats. */
START_TEST(classes_follow_the_integers)
{
    int64_t scores[10] = {-7, 16777216, 16777217, 16777217, 0, 1, 1, 0, 0, 0};
    float logits[10] = {0, 3, 3, 1, 2, 0, 5, 5, 5, 0};
    Model model = {.classes = 5, .scores_integers = true};
    const Step step = {.count = 2, .scores = scores, .logits = logits};
    ck_assert((float)scores[1] == (float)scores[2]);
    ck_assert_int_eq(step_class(&model, &step, 0), 2);
    ck_assert_int_eq(step_class(&model, &step, 1), 0);
    model.scores_integers = false;
    ck_assert_int_eq(step_class(&model, &step, 0), 1);
    ck_assert_int_eq(step_class(&model, &step, 1), 1);
}
END_TEST

START_TEST(constants_are_what_the_formulas_say)
{
    Bench b;
    bench_open(&b, &cases[_i]);
    quant_ref_check_constants(&b.net, &b.constants);
    bench_close(&b);
}
END_TEST

START_TEST(evaluation_is_the_shipped_arithmetic)
{
    Bench b;
    bench_open(&b, &cases[_i]);
    draw_images(&b);
    for (int i = 0; i < 2; i++) { /* they agree with brute force: together */
        const char *target = target_table[(_i + 2 * i) % TARGET_COUNT].name;
        if (machine_runs(target))
            check_target(&b, target);
        else
            printf("skipped: this machine does not run %s\n", target);
    }
    bench_close(&b);
}
END_TEST

START_TEST(every_compiler_ships_the_same_integers)
{
    Bench b;
    bench_open(&b, &cases[_i]);
    draw_images(&b);
    check_shipped(&b, _i);
    bench_close(&b);
}
END_TEST

START_TEST(weights_take_their_bits)
{
    Bench b;
    bench_open(&b, &cases[_i]);
    ck_assert_msg(shipped_write(&b.net.config, in_folder("weights.ckpt"),
                                in_folder("file.c"), (ShippedOptions){0}),
                  "%s", rt_error());
    char *text = rt_read_file(in_folder("file.c"), NULL);
    const Net *layout = &b.net.config.net;
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind != OP_CONV && op->kind != OP_DENSE)
            continue;
        const float *step = quant_number(&b.net, op->own.step);
        const float *range = quant_number(&b.net, op->own.range);
        int number = op->own.step != NONE ? op->own.step : op->own.range, bits = 0;
        for (int s = 0; s < layout->tensors[number].k; s++) {
            int these =
                quant_formula_bits(&op->own, step ? step[s] : 0, range ? range[s] : 0);
            bits = these > bits ? these : bits;
        }
        const Tensor *w = &layout->tensors[op->in[1]];
        long taps = tensor_count(w) / w->c / w->k; /* fours of a tap, or of a group's */
        long codes =
            op->groups > 1 ? (taps * w->c + 3) / 4 * 4 : taps * ((w->c + 3) / 4 * 4);
        long want = codes * w->k * bits / 8;
        long bytes = quant_weight_bytes(text, op->name);
        ck_assert_msg(bytes >= want &&
                          bytes <= want + 4 * bits, /* runs of equal length */
                      "%s: %ld bytes of weights, want %ld", op->name, bytes, want);
    }
    free(text);
    bench_close(&b);
}
END_TEST

Suite *quant_integer_suite(void)
{
    TCase *tests = tcase_create("quant_integer");
    tcase_add_test(tests, classes_follow_the_integers);
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, constants_are_what_the_formulas_say, 0, CASES);
    tcase_add_loop_test(tests, evaluation_is_the_shipped_arithmetic, 0, CASES);
    tcase_add_loop_test(tests, every_compiler_ships_the_same_integers, 0, CASES);
    tcase_add_loop_test(tests, weights_take_their_bits, 0, CASES);
    TCase *others = tcase_create("streams");
    tcase_add_checked_fixture(others, folder_make, folder_remove);
    tcase_set_timeout(others, 120);
    tcase_add_loop_test(others, streams_are_integers, 0, STREAMS);
    Suite *suite = suite_create("quant_integer");
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, others);
    return suite;
}
