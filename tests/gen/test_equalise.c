/* Channels' scales moved before post-training quantisation: the network stays the same,
 * ranges become one, and a scale that the next layer undoes costs nothing. */
#include "tests/suites.h"

#include "gen/passes/passes.h"
#include "gen/ptq/equalise.h"
#include "runtime/base/support.h"
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

enum { IMAGES = 6 };
static const char *const widths[] = {"net.width=4", "net.width=8"};
static const char *const groups[] = {"net.groups=1", "net.groups=8"}; /* depthwise */
static const char none[] = "quant={ quantizer = 'none' }";
static const char eight[] =
    "quant={ quantizer = 'uniform_static', w_bits = 8, a_bits = 8 }";

static void open_net(QuantNet *net, int which, const char *quant)
{
    const QuantCase c = {
        "", {widths[which], groups[which], "net.shortcut='B'", quant}, -1, false, ""};
    quant_net_open(net, &c);
}

static float *number(const QuantNet *net, const char *name)
{
    for (int i = 0; i < net->config.net.tensor_count; i++)
        if (strcmp(net->config.net.tensors[i].name, name) == 0)
            return quant_number(net, i);
    ck_abort_msg("no %s", name);
}

/* Weights and statistics that both networks have. */
static void copy_numbers(const QuantNet *from, const QuantNet *to)
{
    for (int i = 0; i < from->config.net.tensor_count; i++) {
        const Tensor *t = &from->config.net.tensors[i];
        for (int j = 0; j < to->config.net.tensor_count; j++)
            if ((t->role == ROLE_PARAM || t->role == ROLE_STAT) &&
                strcmp(to->config.net.tensors[j].name, t->name) == 0)
                memcpy(quant_number(to, j), quant_number(from, i),
                       tensor_count(t) * sizeof(float));
    }
}

/* In double; free() them. */
static double *scores_of(const QuantNet *net, const uint8_t *images)
{
    QuantOracle o = {.net = net,
                     .images = images,
                     .count = IMAGES,
                     .logits = rt_alloc(IMAGES * net->classes * sizeof(double))};
    quant_oracle_run(&o);
    return o.logits;
}

/* Largest |weight| of output channel k of weights [rows][channels]. */
static float range_of_channel(const float *weights, long rows, int channels, int k)
{
    float range = 0;
    for (long row = 0; row < rows; row++)
        range = fmaxf(range, fabsf(weights[row * channels + k]));
    return range;
}

START_TEST(networks_stay_the_same)
{
    QuantNet fp, q;
    open_net(&fp, _i, none);
    open_net(&q, _i, eight);
    copy_numbers(&fp, &q);
    uint8_t *images = rt_alloc(IMAGES * fp.pixels);
    random_bytes(images, IMAGES * fp.pixels);
    double *before = scores_of(&fp, images);

    Net fused = net_copy(&q.config.net);
    pass_fuse(&fused, false);
    equalise(&fused, q.params, q.stats);
    net_free(&fused);
    ck_assert_mem_ne(number(&fp, "b0_b.weight"), number(&q, "b0_b.weight"), 64);
    copy_numbers(&q, &fp);

    double *after = scores_of(&fp, images);
    for (int i = 0; i < IMAGES * fp.classes; i++)
        ck_assert_msg(fabs(after[i] - before[i]) < 1e-5 * (1 + fabs(before[i])),
                      "score %d: %.9g, was %.9g", i, after[i], before[i]);
    for (int i = 0; i < q.config.net.op_count; i++) {
        const Op *op = &q.config.net.ops[i];
        if (op->kind != OP_CONV)
            continue;
        const Tensor *w = op_in(&q.config.net, op, "w");
        const float *weights = quant_number(&q, op->in[CONV_w]);
        float first = range_of_channel(weights, tensor_count(w) / w->k, w->k, 0);
        for (int k = 1; k < w->k; k++) {
            float range = range_of_channel(weights, tensor_count(w) / w->k, w->k, k);
            ck_assert_msg(fabsf(range - first) < 1e-5f * first,
                          "%s: %g in channel %d, %g", op->name, range, k, first);
        }
    }
    free(images);
    free(before);
    free(after);
    quant_net_close(&fp);
    quant_net_close(&q);
}
END_TEST

/* Signal over noise of the scores, in decibels, that ptq reports. */
static double quantised(const QuantNet *fp, int which)
{
    random_checkpoint(&fp->config, fp->params, fp->stats, in_folder("fp.ckpt"));
    char *config = net_path("quant_family");
    LATHE_OK("ptq", config, "--set", widths[which], "--set", groups[which], "--set",
             "net.shortcut='B'", "--set", eight, "--weights", in_folder("fp.ckpt"),
             "--data", "random:24", "--images", "24", "-o", in_folder("q.ckpt"));
    free(config);
    const char *line = strstr(out, "\nlast ");
    ck_assert_msg(line != NULL, "%s", out);
    return strtod(strstr(line, " bits ") + strlen(" bits "), NULL);
}

/* Behind the first block's ReLU one channel a thousand times as large and one as small,
 * which the second convolution undoes; and one of its outputs, which BN undoes. */
static void make_wild(QuantNet *net, int which)
{
    static const float factors[] = {1000, 0.001f};
    int k = which == 0 ? 4 : 8, each = which == 0 ? 4 : 1; /* inputs of a channel */
    float *weights = number(net, "b0_b.weight");
    for (int i = 0; i < 2; i++) {
        number(net, "b0_a_bn.scale")[i] *= factors[i];
        number(net, "b0_a_bn.shift")[i] *= factors[i];
        for (int tap = 0; tap < 9; tap++)
            for (int out = 0; out < k; out++)
                if (each == k || out == i)
                    weights[(tap * each + (each == 1 ? 0 : i)) * k + out] /= factors[i];
    }
    for (int row = 0; row < 9 * each; row++)
        weights[row * k + k - 1] *= 1000;
    number(net, "b0_b_bn.mean")[k - 1] *= 1000;
    number(net, "b0_b_bn.var")[k - 1] *= 1e6f;
}

START_TEST(a_scale_that_is_undone_costs_nothing)
{
    QuantNet fp;
    open_net(&fp, _i, none);
    double tame = quantised(&fp, _i);
    make_wild(&fp, _i);
    double wild = quantised(&fp, _i);
    ck_assert_msg(tame > 45 && wild > 35, "%g dB, and with wild scales %g", tame, wild);
    quant_net_close(&fp);
}
END_TEST

Suite *equalise_suite(void)
{
    TCase *tests = tcase_create("equalise");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, networks_stay_the_same, 0, 2);
    tcase_add_loop_test(tests, a_scale_that_is_undone_costs_nothing, 0, 2);
    Suite *suite = suite_create("equalise");
    suite_add_tcase(suite, tests);
    return suite;
}
