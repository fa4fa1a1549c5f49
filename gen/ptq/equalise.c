/* Scales of channels moved across ReLU and BN: see equalise.h. */
#include "gen/ptq/equalise.h"

#include "gen/ir/links.h"
#include "gen/ir/params.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 10 }; /* each changes what the next one sees; these are enough */

typedef struct {
    const Net *net;
    Links links;
    float *params, *stats;
} Equaliser;

/* What a BN_FOLD reads, [k]. bias may be NULL. */
typedef struct {
    float *scale, *shift, *mean, *var, *bias;
    double eps;
    int k;
} Bn;

static float *numbers(const Equaliser *e, int tensor)
{
    return params_numbers(e->net, tensor, e->params, e->stats);
}

/* The BN of all the channels that a POINT's affine is for. */
static bool bn_of(const Equaliser *e, const Op *point, Bn *bn)
{
    if (point->kind != OP_POINT || point->in[POINT_coef] == NONE)
        return false;
    const Op *fold = net_writer(&e->links, point->in[POINT_coef]);
    if (fold->in[BN_FOLD_scale] == NONE)
        return false;
    const Tensor *scale = op_in(e->net, fold, "scale");
    *bn = (Bn){.scale = numbers(e, fold->in[BN_FOLD_scale]),
               .shift = numbers(e, fold->in[BN_FOLD_shift]),
               .mean = numbers(e, fold->in[BN_FOLD_mean]),
               .var = numbers(e, fold->in[BN_FOLD_var]),
               .bias = numbers(e, fold->in[BN_FOLD_bias]),
               .eps = fold->eps,
               .k = scale->k};
    return scale->k == op_out(e->net, point, "y")->c;
}

/* The only op that reads the tensor, or NULL. */
static const Op *only_reader(const Equaliser *e, int tensor)
{
    return net_readers(&e->links, tensor) == 1 ? net_reader(&e->links, tensor, 0) : NULL;
}

/* Weights of one channel of a convolution, runs of `length` floats `stride` apart. All of
 * them are [rows][columns][in of a group][out]. */
typedef struct {
    float *first;
    long runs, stride, length;
} Slice;

static bool is_depthwise(const Tensor *x, const Op *conv)
{
    return conv->groups == x->c;
}

static Slice input_slice(const Equaliser *e, const Op *conv, int channel)
{
    const Tensor *x = op_in(e->net, conv, "x"), *w = op_in(e->net, conv, "w");
    float *weights = numbers(e, conv->in[CONV_w]);
    long taps = (long)conv->kernel_h * conv->kernel_w, each = w->k / x->c;
    if (is_depthwise(x, conv))
        return (Slice){weights + channel * each, taps, w->k, each};
    return (Slice){weights + (long)channel * w->k, taps, (long)x->c * w->k, w->k};
}

static Slice output_slice(const Equaliser *e, const Op *conv, int channel)
{
    const Tensor *w = op_in(e->net, conv, "w");
    return (Slice){numbers(e, conv->in[CONV_w]) + channel, tensor_count(w) / w->k, w->k,
                   1};
}

static float slice_range(const Slice *s)
{
    float range = 0;
    for (long run = 0; run < s->runs; run++)
        for (long i = 0; i < s->length; i++)
            range = fmaxf(range, fabsf(s->first[run * s->stride + i]));
    return range;
}

static void slice_scale(const Slice *s, float factor)
{
    for (long run = 0; run < s->runs; run++)
        for (long i = 0; i < s->length; i++)
            s->first[run * s->stride + i] *= factor;
}

/* Where the channel's values end behind BN and ReLU: three deviations above the mean. */
static float activation_range(const Bn *bn, int channel)
{
    return fmaxf(bn->shift[channel] + 3 * fabsf(bn->scale[channel]), 0);
}

/* The geometric mean of the positive ones; 0: there is none. */
static double typical(const float *values, int count)
{
    double sum = 0;
    int positive = 0;
    for (int i = 0; i < count; i++)
        if (values[i] > 0) {
            sum += log(values[i]);
            positive++;
        }
    return positive ? exp(sum / positive) : 0;
}

/* What one channel of the activation has to be divided by, and its weights multiplied
 * with, so that both ranges are their geometric mean, or `middle` where one is 0. */
static float balance(float values, float weights, double middle)
{
    if (values > 0 && weights > 0)
        return sqrtf(values / weights);
    return values > 0    ? (float)(values / middle)
           : weights > 0 ? (float)(middle / weights)
                         : 1;
}

/* Channels of the activation against those of the weights of `conv`, its only reader. */
static void equalise_activation(const Equaliser *e, const Bn *bn, const Op *conv)
{
    float *both = rt_alloc(bn->k * sizeof(float)),
          *factor = rt_alloc(bn->k * sizeof(float));
    for (int i = 0; i < bn->k; i++) {
        const Slice slice = input_slice(e, conv, i);
        both[i] = sqrtf(activation_range(bn, i) * slice_range(&slice));
    }
    double middle = typical(both, bn->k);
    for (int i = 0; i < bn->k && middle > 0; i++) {
        const Slice slice = input_slice(e, conv, i);
        factor[i] = balance(activation_range(bn, i), slice_range(&slice), middle);
    }
    double common = typical(factor, bn->k);
    for (int i = 0; i < bn->k && middle > 0; i++) {
        const Slice slice = input_slice(e, conv, i);
        float s = (float)(factor[i] / common);
        slice_scale(&slice, s);
        bn->scale[i] /= s;
        bn->shift[i] /= s;
    }
    free(both);
    free(factor);
}

/* Channels of a convolution's weights, whose sums the BN normalises. */
static void equalise_weights(const Equaliser *e, const Op *conv, const Bn *bn)
{
    float largest = 0;
    for (int k = 0; k < bn->k; k++) {
        Slice slice = output_slice(e, conv, k);
        largest = fmaxf(largest, slice_range(&slice));
    }
    for (int k = 0; k < bn->k; k++) {
        Slice slice = output_slice(e, conv, k);
        float range = slice_range(&slice);
        if (range <= 0)
            continue;
        float t = largest / range;
        double var = (double)t * t * bn->var[k];
        slice_scale(&slice, t);
        bn->scale[k] *= (float)(sqrt((var + bn->eps) / (bn->var[k] + bn->eps)) / t);
        bn->mean[k] *= t;
        bn->var[k] = (float)var;
        if (bn->bias)
            bn->bias[k] *= t;
    }
}

/* ReLU and leaky ReLU let a positive factor through; a ceiling does not. */
static bool lets_scales_through(const Op *point)
{
    return point->relu && point->ceiling == 0 && point->in[POINT_residual] == NONE;
}

static bool shares_a_step(const Equaliser *e, const Op *conv)
{
    return conv->own.quantizer != RT_QUANT_NONE && params_steps(e->net, &conv->own) == 1;
}

static void across_relu(const Equaliser *e, const Op *point)
{
    Bn bn;
    if (point->kind != OP_POINT || !lets_scales_through(point) || !bn_of(e, point, &bn))
        return;
    const Op *reader = only_reader(e, point->out[POINT_y]);
    if (reader == NULL || reader->kind != OP_CONV)
        return;
    const Tensor *x = op_in(e->net, reader, "x");
    if (reader->groups <= 1 || is_depthwise(x, reader))
        equalise_activation(e, &bn, reader);
}

static void across_bn(const Equaliser *e, const Op *conv)
{
    if (conv->kind != OP_CONV || !shares_a_step(e, conv))
        return;
    const Op *reader = only_reader(e, conv->out[CONV_y]);
    Bn bn;
    if (reader && reader->in[POINT_x] == conv->out[CONV_y] && bn_of(e, reader, &bn))
        equalise_weights(e, conv, &bn);
}

void equalise(const Net *net, float *params, float *stats)
{
    Equaliser e = {.net = net, .links = links_of(net), .params = params, .stats = stats};
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < net->op_count; i++)
            across_relu(&e, &net->ops[i]);
        for (int i = 0; i < net->op_count; i++)
            across_bn(&e, &net->ops[i]);
    }
    links_free(&e.links);
}
