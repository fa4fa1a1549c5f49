/* The network by hand: see tiny_model.h. */
#include "tests/tools/tiny_model.h"

#include <math.h>
#include <signal.h>
#include <string.h>

TinyHooks tiny_hooks;

static void center(const Step *step, int image, const float *mean, float x[TINY_INPUTS])
{
    for (int i = 0; i < TINY_INPUTS; i++)
        x[i] = ((float)step->images[image * TINY_INPUTS + i] - 127) / 128 -
               mean[i % TINY_CHANNELS];
}

static float *score_image(const Step *step, int image, const float x[TINY_INPUTS])
{
    float *scores = step->logits + image * TINY_CLASSES;
    for (int k = 0; k < TINY_CLASSES; k++) {
        scores[k] = step->params[TINY_BIAS + k];
        for (int i = 0; i < TINY_INPUTS; i++)
            scores[k] += x[i] * step->params[i * TINY_CLASSES + k];
    }
    return scores;
}

static void evaluate(Step *step)
{
    float x[TINY_INPUTS];
    if (++tiny_hooks.evaluate_calls == tiny_hooks.raise_in_evaluate)
        raise(tiny_hooks.signal);
    for (int n = 0; n < step->count; n++) {
        center(step, n, step->stats, x);
        score_image(step, n, x);
    }
}

static void track_mean(Step *step, float mean[TINY_CHANNELS])
{
    static const float none[TINY_CHANNELS];
    float x[TINY_INPUTS];
    memset(mean, 0, TINY_CHANNELS * sizeof *mean);
    for (int n = 0; n < step->count; n++) {
        center(step, n, none, x);
        for (int i = 0; i < TINY_INPUTS; i++)
            mean[i % TINY_CHANNELS] +=
                x[i] / (float)(step->count * TINY_SIDE * TINY_SIDE);
    }
    float share = step->bn_share > 0 ? (float)step->bn_share : 0.1f;
    for (int c = 0; c < TINY_CHANNELS; c++)
        step->stats[c] += share * (mean[c] - step->stats[c]);
}

static void backward(Step *step, const float x[TINY_INPUTS], const float *scores,
                     int label)
{
    float total = 0;
    int best = 0;
    for (int k = 0; k < TINY_CLASSES; k++) {
        total += expf(scores[k]);
        best = scores[k] > scores[best] ? k : best;
    }
    step->loss += logf(total) - scores[label];
    step->correct += best == label;
    for (int k = 0; k < TINY_CLASSES; k++) {
        float slope = (expf(scores[k]) / total - (float)(k == label)) * step->loss_scale;
        step->gradient[TINY_BIAS + k] += slope;
        for (int i = 0; i < TINY_INPUTS; i++)
            step->gradient[i * TINY_CLASSES + k] += x[i] * slope;
    }
}

static void train(Step *step)
{
    float mean[TINY_CHANNELS], x[TINY_INPUTS];
    tiny_hooks.counts[tiny_hooks.train_calls++ % 1000] = step->count;
    if (tiny_hooks.train_calls == tiny_hooks.raise_in_train)
        raise(tiny_hooks.signal);
    track_mean(step, mean);
    for (int n = 0; n < step->count; n++) {
        center(step, n, mean, x);
        backward(step, x, score_image(step, n, x), step->labels[n]);
    }
    if (tiny_hooks.train_calls == tiny_hooks.nan_in_train)
        step->loss = step->gradient[TINY_BIAS + 1] = NAN;
}

static const Param params[] = {
    {"fc.weight",
     PARAM_DENSE,
     INIT_LECUN_NORMAL,
     2,
     {TINY_INPUTS, TINY_CLASSES},
     0,
     TINY_INPUTS *TINY_CLASSES,
     TINY_INPUTS},
    {"fc.bias", PARAM_BIAS, INIT_ZERO, 1, {TINY_CLASSES}, TINY_BIAS, TINY_CLASSES, 1},
};
static const Param stats[] = {
    {"norm.mean", PARAM_BN_MEAN, INIT_ZERO, 1, {TINY_CHANNELS}, 0, TINY_CHANNELS, 1},
};
static const char *const class_names[] = {"ant", "bee", "wasp"};

const Model tiny_model = {
    .abi = LATHE_ABI,
    .name = "tiny",
    .arch = "input=2x2x3\nfc=dense 12 3\n",
    .config = "name=tiny\ntrain.epochs=3\ntrain.lr=0.1\ntrain.seed=5\n",
    .height = TINY_SIDE,
    .width = TINY_SIDE,
    .channels = TINY_CHANNELS,
    .classes = TINY_CLASSES,
    .class_names = class_names,
    .zero_pixel = {127, 127, 127},
    .micro_batch = TINY_MICRO,
    .params = params,
    .param_count = 2,
    .param_floats = 64,
    .stats = stats,
    .stat_count = 1,
    .stat_floats = 16,
    .train = train,
    .evaluate = evaluate,
};

const DataWant tiny_data = {.height = TINY_SIDE,
                            .width = TINY_SIDE,
                            .channels = TINY_CHANNELS,
                            .classes = TINY_CLASSES};

const Recipe tiny_recipe = {
    .epochs = 3,
    .batch = 10,
    .lr = 0.1,
    .momentum = 0.9,
    .weight_decay = 1e-3,
    .nesterov = true,
    .schedule = SCHEDULE_COSINE,
    .lr_final = 0.01,
    .ema = 0.99,
    .flip = true,
    .crop = 1,
    .held_out = 13,
    .seed = 5,
};
