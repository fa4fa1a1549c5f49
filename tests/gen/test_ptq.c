/* Post-training quantisation: ranges and rounding against brute force, and `lathe ptq` as
 * a person runs it, measured with the network in double. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/data.h"
#include "tests/oracle/quant_oracle.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 24 };
static const char geometry[] = "net.shortcut='B'", in_groups[] = "net.groups=4";
static const char *width = "net.width=8"; /* or in groups: depthwise, and of two */

/* A float network's checkpoint, its batch normalisation about what its sums are. */
static void write_float(QuantNet *net)
{
    const QuantCase c = {
        "", {width, geometry, "quant={ quantizer = 'none' }"}, -1, false, ""};
    quant_net_open(net, &c);
    random_checkpoint(&net->config, net->params, net->stats, in_folder("fp.ckpt"));
}

/* quant = ... of a run. */
static char *table(int quantizer, int bits, bool per_channel)
{
    static const char *const names[] = {"uniform_static", "parametric_d",
                                        "parametric_d_xmax"};
    return rt_format(
        "quant={ quantizer = '%s', w_bits = %d, a_bits = %d, per_channel = %s, "
        "w_range = 'mse' }",
        names[quantizer], bits, bits, per_channel ? "true" : "false");
}

/* The network as the command left it. */
static void read_quantised(QuantNet *net, const char *quant)
{
    const QuantCase c = {"", {width, geometry, quant}, -1, false, ""};
    Checkpoint checkpoint;
    quant_net_open(net, &c);
    ck_assert_msg(checkpoint_read(in_folder("q.ckpt"), &checkpoint), "%s", rt_error());
    const Net *layout = &net->config.net;
    for (int i = 0; i < layout->tensor_count; i++) {
        const Tensor *t = &layout->tensors[i];
        if (t->role != ROLE_PARAM && t->role != ROLE_STAT)
            continue;
        const Array *array = checkpoint_find(&checkpoint, "", t->name);
        ck_assert_msg(array != NULL, "no %s", t->name);
        memcpy(quant_number(net, i), array->values, array->count * sizeof(float));
    }
    checkpoint_free(&checkpoint);
}

static void run_ptq(const char *quant, const char *more)
{
    char *config = net_path("quant_family");
    int status = LATHE("ptq", config, "--set", width, "--set", geometry, "--set", quant,
                       "--weights", in_folder("fp.ckpt"), "--data", "random:24", "-o",
                       in_folder("q.ckpt"), "--images", "24", more);
    ck_assert_msg(status == 0, "status %d: %s", status, err);
    free(config);
}

/* The decibels of a layer's line; -1000 when it has none. */
static double decibels(const char *layer)
{
    char *start = rt_format("\n%-20s ", layer), *text = rt_format("\n%s", out);
    const char *at = strstr(text, start);
    double value = at ? strtod(strstr(at, " bits ") + strlen(" bits "), NULL) : -1000;
    free(start);
    free(text);
    return value;
}

/* Scores of the calibration images in double. */
static double *scores_of(const QuantNet *net)
{
    const DataWant want = config_data(&net->config);
    ImageSet train = {0}, none = {0};
    ck_assert(data_load("random:24", DATA_TRAIN, &want, &train, &none));
    uint8_t *images = rt_alloc(IMAGES * image_set_bytes(&train));
    memcpy(images, image_kept(&train, 0).pixels, IMAGES * image_set_bytes(&train));
    QuantOracle o = {.net = net,
                     .images = images,
                     .count = IMAGES,
                     .logits = rt_alloc(IMAGES * net->classes * sizeof(double))};
    quant_oracle_run(&o);
    data_free(&train);
    free(images);
    return o.logits;
}

static double signal_to_noise(const double *a, const double *b, int count)
{
    double signal = 0, noise = 0;
    for (int i = 0; i < count; i++) {
        signal += a[i] * a[i];
        noise += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return 10 * log10(signal / noise);
}

static const char *const lines[] = {"stem",    "b0_a",    "b0_b",    "b1_a",
                                    "b1_b",    "b1_proj", "last",    "stem_bn",
                                    "b0_a_bn", "b0_b_bn", "b1_a_bn", "b1_b_bn"};

/* The last layer's line is the scores', and the network written is the one measured:
 * nothing but the ranges is found in --plain, so the oracle knows all there is. */
START_TEST(plain_finds_ranges_only)
{
    QuantNet fp, q;
    width = _i < 4 ? width : in_groups;
    write_float(&fp);
    char *quant = table(_i % 3, _i < 3 ? 4 : 8, _i % 2);
    run_ptq(quant, "--plain");
    read_quantised(&q, quant);
    for (int i = 0; i < fp.config.net.tensor_count; i++) {
        const Tensor *t = &fp.config.net.tensors[i];
        for (int j = 0; j < q.config.net.tensor_count; j++)
            if (strcmp(q.config.net.tensors[j].name, t->name) == 0 &&
                (t->role == ROLE_PARAM || t->role == ROLE_STAT))
                ck_assert_mem_eq(quant_number(&fp, i), quant_number(&q, j),
                                 tensor_count(t) * sizeof(float));
    }
    double *exact = scores_of(&fp), *rounded = scores_of(&q);
    double want = signal_to_noise(exact, rounded, IMAGES * fp.classes);
    ck_assert_msg(fabs(decibels("last") - want) < 0.15, "%g dB, want %g: %s",
                  decibels("last"), want, out);
    free(exact);
    free(rounded);
    free(quant);
    quant_net_close(&fp);
    quant_net_close(&q);
}
END_TEST

/* Every quantised layer has its line, and more bits are better everywhere. */
START_TEST(more_bits_are_better)
{
    double few[12];
    QuantNet fp;
    write_float(&fp);
    for (int bits = 3; bits <= 8; bits += 5) {
        char *quant = table(_i, bits, false), *said = rt_format(" %d bits ", bits);
        run_ptq(quant, NULL);
        int found = 0;
        for (const char *at = out; (at = strstr(at, said)); at++)
            found++;
        ck_assert_int_eq(found, 12);
        for (int i = 0; i < 12; i++) {
            double now = decibels(lines[i]);
            ck_assert_msg(now > (bits == 8 ? few[i] + 6 : -20), "%s: %g dB: %s", lines[i],
                          now, out);
            few[i] = now;
        }
        ck_assert_ptr_nonnull(strstr(out, ": on the 24 calibration images float 0."));
        free(quant);
        free(said);
    }
    quant_net_close(&fp);
}
END_TEST

/* Rounding learned: weights are multiples of the step within the codes, and the stem,
 * which reads the same in both, is no worse than by nearest rounding, but for what its
 * channels count now that their ranges are one. */
START_TEST(learned_weights_lie_on_the_grid)
{
    QuantNet fp, q;
    width = _i == 1 ? in_groups : width;
    write_float(&fp);
    char *quant = table(_i, 3, _i == 1);
    run_ptq(quant, "--plain");
    double nearest = decibels("stem");
    run_ptq(quant, NULL);
    ck_assert_double_ge(decibels("stem"), nearest - 0.3);
    read_quantised(&q, quant);
    const Net *layout = &q.config.net;
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind != OP_CONV && op->kind != OP_DENSE)
            continue;
        const float *step = quant_number(&q, op->own.step),
                    *range = quant_number(&q, op->own.range);
        const Tensor *w = &layout->tensors[op->in[1]];
        int of = op->own.step != NONE ? op->own.step : op->own.range, largest;
        for (long j = 0; j < tensor_count(w); j++) {
            int which = layout->tensors[of].k == 1 ? 0 : (int)(j % w->k);
            double s = quant_formula_step(&op->own, step ? step[which] : 0,
                                          range ? range[which] : 0, &largest);
            double factor =
                i == 1 ? 60 / q.config.std[j / w->k % w->c] : 1; /* the stem */
            double code = quant_number(&q, op->in[1])[j] * factor / s;
            ck_assert_msg(fabs(code - rint(code)) < 1e-3 && fabs(code) < largest + 0.01,
                          "%s[%ld]: %g steps of %d", op->name, j, code, largest);
        }
    }
    free(quant);
    quant_net_close(&fp);
    quant_net_close(&q);
}
END_TEST

/* Float weights are called that by every verb, and quantised ones by ptq. */
START_TEST(float_weights_are_told_apart)
{
    static const struct {
        const char *verb, *flags[4];
    } verbs[] = {{"eval", {"--data", "random:8"}},
                 {"emit", {"-o", "f.c"}},
                 {"verify", {"--data", "random:8"}},
                 {"classify", {"tests/sample/images/cat_0.png"}},
                 {"show", {NULL}}};
    QuantNet fp;
    write_float(&fp);
    quant_net_close(&fp);
    char *config = net_path("quant_family"), *quant = table(0, 8, false);
    const char *file = in_folder("fp.ckpt");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        ck_assert_int_eq(LATHE(verbs[i].verb, config, "--set", width, "--set", geometry,
                               "--set", quant, "--weights", file, verbs[i].flags[0],
                               verbs[i].flags[1]),
                         1);
        char *said =
            rt_format("%s: these are float weights, the config is quantised: run "
                      "lathe ptq or lathe train with them first\n",
                      file);
        ck_assert_msg(strstr(err, said) != NULL, "%s: %s", verbs[i].verb, err);
        free(said);
    }
    run_ptq(quant, NULL);
    ck_assert_int_eq(LATHE("ptq", config, "--set", width, "--set", geometry, "--set",
                           quant, "--weights", in_folder("q.ckpt"), "--data", "random:9",
                           "-o", in_folder("again.ckpt")),
                     1);
    char *said = rt_format("lathe: %s: these weights are quantised already: want a float "
                           "network's\n",
                           in_folder("q.ckpt"));
    ck_assert_str_eq(err, said);
    ck_assert_int_ne(access(in_folder("again.ckpt"), F_OK), 0);
    free(said);
    free(quant);
    free(config);
}
END_TEST

START_TEST(few_images_are_all_used)
{
    QuantNet fp;
    write_float(&fp);
    quant_net_close(&fp);
    char *config = net_path("quant_family"), *quant = table(0, 8, false);
    ck_assert_int_eq(LATHE("ptq", config, "--set", width, "--set", geometry, "--set",
                           quant, "--weights", in_folder("fp.ckpt"), "--data", "random:9",
                           "-o", in_folder("q.ckpt")),
                     0);
    ck_assert_ptr_nonnull(strstr(
        out, "\nrandom:9: has 9 training images, fewer than 512: calibrated on all of "
             "them\n"));
    ck_assert_ptr_nonnull(strstr(out, ": on the 9 calibration images float "));
    free(quant);
    free(config);
}
END_TEST

/* What eval refuses is not written. */
START_TEST(weights_that_overflow_are_refused)
{
    QuantNet fp;
    Checkpoint checkpoint;
    write_float(&fp);
    quant_net_close(&fp);
    ck_assert(checkpoint_read(in_folder("fp.ckpt"), &checkpoint));
    const Array *bias = checkpoint_find(&checkpoint, "", "last.bias");
    ck_assert_ptr_nonnull(bias);
    bias->values[1] = 1e6f;
    ck_assert(checkpoint_write(in_folder("fp.ckpt"), &checkpoint));
    checkpoint_free(&checkpoint);
    char *config = net_path("quant_family"), *quant = table(0, 8, false);
    ck_assert_int_eq(LATHE("ptq", config, "--set", width, "--set", geometry, "--set",
                           quant, "--weights", in_folder("fp.ckpt"), "--data", "random:9",
                           "-o", in_folder("q.ckpt")),
                     1);
    ck_assert_msg(strstr(err, ": last: score 1: bias 1e+06, ") != NULL &&
                      strstr(err, "overflow 32 bits\n") != NULL,
                  "%s", err);
    ck_assert_int_ne(access(in_folder("q.ckpt"), F_OK), 0);
    free(quant);
    free(config);
}
END_TEST

static const struct {
    const char *words[10], *message;
} mistakes[] = {
    {{"--data", "random:9", "-o", "x"}, "lathe: ptq: --weights FILE is missing\n"},
    {{"--weights", "x", "-o", "x"}, "lathe: ptq: --data DIR is missing\n"},
    {{"--weights", "x", "--data", "random:9"}, "lathe: ptq: -o FILE is missing\n"},
    {{"--weights", "x", "--data", "random:9", "-o", "y", "--images", "0"},
     "lathe: --images: \"0\", want a whole number from 1 to 100000\n"},
    {{"--weights", "x", "--data", "random:9", "-o", "y", "--images", "7x"},
     "lathe: --images: \"7x\", want a whole number from 1 to 100000\n"},
    {{"--plane"}, "lathe: ptq: unknown flag --plane; did you mean --plain?\n"},
    {{"more", "--weights", "x"}, "lathe: ptq: unexpected word more\n"},
    {{"--weights", "none", "--data", "random:9", "-o", "x"},
     "lathe: none: No such file or directory\n"},
    {{"--weights", "FP", "--data", "random:9", "-o", "Q", "--images", "10"},
     "lathe: random:9: has 9 training images, want 10 to calibrate with\n"},
    {{"--weights", "FP", "--data", "random:9", "-o", "Q", "--set",
      "quant.quantizer='none'"},
     "lathe: tests/nets/quant_family.lua: nothing to quantise: the config has no "
     "quantiser\n"},
    {{"--weights", "FP", "--data", "random:9", "-o", "Q", "--set", "net.width=16"},
     "stem: the checkpoint has "},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(mistakes_are_explained)
{
    QuantNet fp;
    write_float(&fp);
    char *config = net_path("quant_family");
    const char *words[20] = {"ptq", config, "--set", geometry, "--set", width};
    for (int i = 0; i < 10 && mistakes[_i].words[i]; i++) {
        const char *word = mistakes[_i].words[i];
        words[6 + i] = strcmp(word, "FP") == 0  ? in_folder("fp.ckpt")
                       : strcmp(word, "Q") == 0 ? in_folder("q.ckpt")
                                                : word;
    }
    ck_assert_int_eq(lathe_run(NULL, words), 1);
    bool whole = mistakes[_i].message[0] == 'l';
    ck_assert_msg(whole ? strcmp(err, mistakes[_i].message) == 0
                        : strstr(err, mistakes[_i].message) != NULL,
                  "%s", err);
    ck_assert_int_ne(access(in_folder("q.ckpt"), F_OK), 0);
    free(config);
    quant_net_close(&fp);
}
END_TEST

/* Steps and ranges are those of the bits they were found for. */
START_TEST(weights_go_with_their_bits)
{
    static const struct {
        const char *set, *message;
    } others[] = {
        {"quant.w_bits=4",
         "quantised.stem: the checkpoint has quantizer uniform_static, w_bits 8, "
         "per_channel false, the config says quantizer uniform_static, w_bits 4, "
         "per_channel false"},
        {"quant.per_channel=true",
         "quantised.stem: the checkpoint has quantizer uniform_static, w_bits 8, "
         "per_channel false, the config says quantizer uniform_static, w_bits 8, "
         "per_channel true"},
        {"quant.quantizer='none'", ""}, /* its float weights */
        {"quant.layers={{ 'b0_a', a_bits = 3 }}",
         "quantised.b0_a_relu: the checkpoint has quantizer uniform_static, a_bits 8, "
         "the "
         "config says quantizer uniform_static, a_bits 3"},
        {"quant.gradient='tanh'", ""}, /* how training rounds is nothing to weights, */
        {"quant.layers={{ 'b0_a', gradient = 'tanh' }}", ""}, /* wherever it is said */
        {"quant.layers={{ '*', w_bits = 8 }}", ""},
        {"quant.w_budget=2", ""},
    };
    QuantNet fp;
    write_float(&fp);
    quant_net_close(&fp);
    char *config = net_path("quant_family"), *quant = table(0, 8, false);
    const char *file = in_folder("q.ckpt"), *other = others[_i].set;
    run_ptq(quant, NULL);
    const char *const verbs[] = {"eval", "emit"};
    for (int i = 0; i < 2; i++) {
        const char *const ends[] = {"--data", "random:24", "-o", in_folder("f.c")};
        const char *words[] = {verbs[i],    config,          "--set",     width,
                               "--set",     geometry,        "--set",     quant,
                               "--set",     other,           "--weights", file,
                               ends[2 * i], ends[2 * i + 1], NULL};
        int status = lathe_run(NULL, words);
        char *want = rt_format("%s: %s; quantise its float weights anew with "
                               "lathe ptq or lathe train\n",
                               file, others[_i].message);
        const char *said = strstr(err, file);
        ck_assert_msg(*others[_i].message ? status == 1 && said && strcmp(said, want) == 0
                                          : status == 0,
                      "%s: status %d: %s", verbs[i], status, err);
        free(want);
    }
    ck_assert_int_eq(LATHE("train", config, "--set", width, "--set", geometry, "--set",
                           quant, "--set", other, "--weights", file, "--data",
                           "random:300", "-o", in_folder("run"), "--steps", "1"),
                     0);
    ck_assert_int_eq(strncmp(out, "ranges found on 256 images", 26) == 0,
                     *others[_i].message != 0);
    free(quant);
    free(config);
}
END_TEST

/* Integers stay integers, those that no float holds as well. */
START_TEST(scores_floats_cannot_hold_are_verified)
{
    QuantNet fp;
    write_float(&fp);
    quant_net_close(&fp);
    char *config = net_path("quant_family"), *quant = table(0, 8, false);
    run_ptq(quant, NULL);
    Checkpoint checkpoint;
    ck_assert(checkpoint_read(in_folder("q.ckpt"), &checkpoint));
    const float large = _i ? 100 : 5;
    checkpoint_find(&checkpoint, "", "last.bias_range")->values[0] = large;
    checkpoint_find(&checkpoint, "", "last.bias")->values[2] = large;
    ck_assert(checkpoint_write(in_folder("q.ckpt"), &checkpoint));
    checkpoint_free(&checkpoint);
    LATHE_OK("verify", config, "--set", width, "--set", geometry, "--set", quant,
             "--weights", in_folder("q.ckpt"), "--data", "random:9");
    ck_assert_ptr_nonnull(strstr(out, "\nidentical: 9 images x "));
    free(quant);
    free(config);
}
END_TEST

Suite *ptq_suite(void)
{
    TCase *tests = tcase_create("ptq");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, float_weights_are_told_apart);
    tcase_add_test(tests, few_images_are_all_used);
    tcase_add_test(tests, weights_that_overflow_are_refused);
    tcase_add_loop_test(tests, weights_go_with_their_bits, 0, 8);
    tcase_add_loop_test(tests, scores_floats_cannot_hold_are_verified, 0, 2);
    tcase_add_loop_test(tests, plain_finds_ranges_only, 0, 6);
    tcase_add_loop_test(tests, more_bits_are_better, 0, 3);
    tcase_add_loop_test(tests, learned_weights_lie_on_the_grid, 0, 3);
    tcase_add_loop_test(tests, mistakes_are_explained, 0, MISTAKES);
    Suite *suite = suite_create("ptq");
    suite_add_tcase(suite, tests);
    return suite;
}
