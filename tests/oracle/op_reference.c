/* The ops in terms of reference.h: see op_reference.h. */
#include "tests/oracle/op_reference.h"

#include "tests/oracle/reference.h"

#include <math.h>
#include <string.h>

static const double *input(const OpView *v, const char *slot)
{
    return v->in[op_input(v->op->kind, slot)];
}

static double *output(const OpView *v, const char *slot)
{
    return v->out[op_output(v->op->kind, slot)];
}

/* The window of an op that goes from x to y (or makes dx from dy). */
static Window window(const OpView *v, const Tensor *x, const Tensor *y)
{
    const Op *op = v->op;
    return (Window){x->h,       x->w,        x->c,         y->h,
                    y->w,       y->c,        op->kernel_h, op->kernel_w,
                    op->stride, op->pad_top, op->pad_left, op->groups};
}

static Window forward_window(const OpView *v)
{
    return window(v, op_in(v->net, v->op, "x"), op_out(v->net, v->op, "y"));
}

static Window backward_window(const OpView *v)
{
    return window(v, op_out(v->net, v->op, "dx"), op_in(v->net, v->op, "dy"));
}

static void image(const OpView *v)
{
    const Tensor *y = op_out(v->net, v->op, "y");
    const double *pixels = input(v, "pixels");
    for (long i = 0; i < tensor_count(y); i++)
        output(v, "y")[i] =
            (pixels[i] - v->config->mean[i % y->c]) / v->config->std[i % y->c];
}

static void point(const OpView *v)
{
    const Tensor *y = op_out(v->net, v->op, "y");
    const double *x = input(v, "x"), *coef = input(v, "coef"), *r = input(v, "residual");
    for (long i = 0; i < tensor_count(y); i++) {
        int c = i % y->c;
        double value = coef ? x[i] * coef[c] + coef[y->c + c] : x[i];
        value += r ? r[i] : 0;
        output(v, "y")[i] =
            v->op->relu ? ref_activation(v->op->ceiling, v->op->slope, value) : value;
    }
}

static void bn_fold(const OpView *v)
{
    int channels = op_out(v->net, v->op, "coef")->k;
    const double *bias = input(v, "bias");
    double *coef = output(v, "coef");
    for (int c = 0; c < channels; c++) {
        coef[c] = 1;
        coef[channels + c] = bias ? bias[c] : 0;
        if (input(v, "scale") == NULL)
            continue;
        coef[c] = input(v, "scale")[c] / sqrt(input(v, "var")[c] + v->op->eps);
        coef[channels + c] =
            input(v, "shift")[c] + (coef[channels + c] - input(v, "mean")[c]) * coef[c];
    }
}

static void add_statistics(const Tensor *like, const double *x, double *sums)
{
    for (long i = 0; i < tensor_count(like); i++) {
        sums[i % like->c] += x[i];
        sums[like->c + i % like->c] += x[i] * x[i];
    }
}

static void bn_stats(const OpView *v)
{
    add_statistics(op_in(v->net, v->op, "x"), input(v, "x"), output(v, "partial"));
}

/* Running statistics towards these. */
static void move(const OpView *v, int c, double mean, double var)
{
    double *running_mean = v->in[op_input(v->op->kind, "mean")];
    double *running_var = v->in[op_input(v->op->kind, "var")];
    running_mean[c] += v->op->momentum * (mean - running_mean[c]);
    running_var[c] += v->op->momentum * (var - running_var[c]);
}

static void bn_finish(const OpView *v)
{
    int channels = op_in(v->net, v->op, "scale")->k;
    double count = (double)v->images * v->op->samples;
    const double *bias = input(v, "bias");
    double *coef = output(v, "coef"), *saved = output(v, "saved"),
           *moments = output(v, "moments");
    for (int c = 0; c < channels; c++) {
        double mean = input(v, "partial")[c] / count;
        double var = input(v, "partial")[channels + c] / count - mean * mean;
        saved[c] = mean;
        saved[channels + c] = 1 / sqrt(var + v->op->eps);
        coef[c] = input(v, "scale")[c] * saved[channels + c];
        coef[channels + c] = input(v, "shift")[c] - mean * coef[c];
        double unbiased = count > 1 ? var * count / (count - 1) : var;
        mean += bias ? bias[c] : 0;
        if (moments) {
            moments[c] = mean * v->images / v->all_images;
            moments[channels + c] = unbiased * v->images / v->all_images;
        } else
            move(v, c, mean, unbiased);
    }
}

static void bn_running(const OpView *v)
{
    const int channels = op_in(v->net, v->op, "mean")->k;
    for (int c = 0; c < channels; c++)
        move(v, c, input(v, "total")[c], input(v, "total")[channels + c]);
}

/* dy times the activation's derivative at value i, by its output y, if there is one. */
static double through_activation(const OpView *v, long i, double dy)
{
    const double *y = input(v, "y");
    if (y == NULL)
        return dy;
    bool cut = v->op->ceiling > 0 && y[i] >= v->op->ceiling;
    return y[i] > 0 ? (cut ? 0 : dy) : v->op->slope * dy;
}

/* g = dy through the activation, and its sums. */
static void add_sums(const OpView *v, const Tensor *like, const double *dy, double *g)
{
    const double *saved = input(v, "saved");
    double *sums = output(v, "partial");
    for (long i = 0; i < tensor_count(like); i++) {
        const int c = i % like->c;
        const double here = through_activation(v, i, dy[i]);
        sums[c] += here;
        if (saved)
            sums[like->c + c] += here * (input(v, "x")[i] - saved[c]);
        if (g)
            g[i] = here;
    }
}

static void point_sums(const OpView *v)
{
    add_sums(v, op_in(v->net, v->op, "dy"), input(v, "dy"), output(v, "g"));
}

/* dx = scale / std (g - mean of g - xhat mean of g xhat), Ioffe and Szegedy 2015, as an
 * affine of g and x. */
static void point_finish(const OpView *v)
{
    int channels = op_in(v->net, v->op, "scale")->k;
    double count = (double)v->images * v->op->samples;
    double *coef = output(v, "coef");
    for (int c = 0; c < channels; c++) {
        double mean = input(v, "saved")[c], over_std = input(v, "saved")[channels + c];
        double g = input(v, "partial")[c];
        double g_xhat = input(v, "partial")[channels + c] * over_std;
        double factor = input(v, "scale")[c] * over_std;
        output(v, "dshift")[c] = g;
        output(v, "dscale")[c] = g_xhat;
        coef[c] = factor;
        coef[channels + c] = -factor * over_std * g_xhat / count;
        coef[2 * channels + c] =
            -factor * g / count + factor * over_std * g_xhat / count * mean;
    }
}

static void bias_finish(const OpView *v)
{
    memcpy(output(v, "dbias"), input(v, "partial"),
           op_out(v->net, v->op, "dbias")->k * sizeof(double));
}

static void point_backward(const OpView *v)
{
    const Tensor *dy = op_in(v->net, v->op, "dy");
    const double *coef = input(v, "coef");
    double *dx = output(v, "dx"), *dresidual = output(v, "dresidual");
    for (long i = 0; i < tensor_count(dy); i++) {
        int c = i % dy->c;
        double g = through_activation(v, i, input(v, "dy")[i]);
        if (dx)
            dx[i] = coef ? coef[c] * g + coef[dy->c + c] * input(v, "x")[i] +
                               coef[2 * dy->c + c]
                         : g;
        if (dresidual)
            dresidual[i] = g;
    }
}

static void dropout(const OpView *v)
{
    bool backward = v->op->kind == OP_DROPOUT_BWD;
    const Tensor *t = &v->net->tensors[v->op->out[0]];
    ref_dropout(v->image, v->op->layer, v->op->rate, tensor_count(t),
                input(v, backward ? "dy" : "x"), v->out[0]);
}

static void loss(const OpView *v)
{
    int classes = op_in(v->net, v->op, "y")->c, best = 0;
    const double *scores = input(v, "y");
    double *dy = output(v, "dy"), *sums = output(v, "partial");
    sums[0] = ref_loss(classes, scores, v->label, v->smoothing, dy);
    for (int k = 0; k < classes; k++) {
        best = scores[k] > scores[best] ? k : best;
        dy[k] *= v->loss_scale;
    }
    sums[1] = best == v->label;
}

static void dense_by_weight(const OpView *v)
{
    int c = op_in(v->net, v->op, "x")->c, k = op_in(v->net, v->op, "dy")->c;
    ref_dense_by_weight(c, k, input(v, "x"), input(v, "dy"), output(v, "dw"));
    memcpy(output(v, "db"), input(v, "dy"), k * sizeof(double));
}

static void conv_by_weight(const OpView *v)
{
    const Window g = window(v, op_in(v->net, v->op, "x"), op_in(v->net, v->op, "dy"));
    double *dw = v->op->scope == SCOPE_TASKS ? output(v, "dw") : output(v, "partial");
    ref_conv_by_weight(&g, input(v, "x"), input(v, "dy"), dw);
}

static void join(const OpView *v)
{
    const Tensor *y = op_out(v->net, v->op, "y");
    for (int i = 0, before = 0; i < OP_INPUTS && v->op->in[i] != NONE; i++) {
        int c = v->net->tensors[v->op->in[i]].c;
        ref_join((long)y->h * y->w, c, y->c, before, v->in[i], v->out[0]);
        before += c;
    }
}

/* Pools and subsample, forward and backward. */
static void resize(const OpView *v)
{
    const Op *op = v->op;
    bool backward = op->kind == OP_MAXPOOL_BWD || op->kind == OP_SUBSAMPLE_BWD ||
                    op->kind == OP_AVGPOOL_BWD;
    const Window g = backward ? backward_window(v) : forward_window(v);
    double *to = v->out[0];
    if (op->kind == OP_MAXPOOL)
        ref_maxpool(&g, input(v, "x"), to);
    else if (op->kind == OP_MAXPOOL_BWD)
        ref_maxpool_by_input(&g, input(v, "x"), input(v, "dy"), to);
    else if (op->kind == OP_SUBSAMPLE)
        ref_subsample(&g, op->channel_offset, input(v, "x"), to);
    else if (op->kind == OP_SUBSAMPLE_BWD)
        ref_subsample_by_input(&g, op->channel_offset, input(v, "dy"), to);
    else if (op->kind == OP_AVGPOOL)
        ref_avgpool(&g, op->count_pad, input(v, "x"), to);
    else
        ref_avgpool_by_input(&g, op->count_pad, input(v, "dy"), to);
}

static void multiply(const OpView *v)
{
    if (v->op->kind == OP_CONV) {
        const Window g = forward_window(v);
        ref_conv(&g, input(v, "x"), v->weight ? v->weight : input(v, "w"),
                 output(v, "y"));
        if (output(v, "partial"))
            add_statistics(op_out(v->net, v->op, "y"), output(v, "y"),
                           output(v, "partial"));
    } else if (v->op->kind == OP_CONV_BWD_INPUT) {
        const Window g = backward_window(v);
        double *dx = output(v, "dx");
        ref_conv_by_input(&g, input(v, "dy"), v->weight, dx);
        const Tensor *like = op_out(v->net, v->op, "dx");
        for (long i = 0; v->before && i < tensor_count(like); i++)
            dx[i] += v->before[i];
        if (output(v, "partial"))
            add_sums(v, like, dx, dx);
    } else if (v->op->kind == OP_DENSE) {
        ref_dense(op_in(v->net, v->op, "x")->c, op_out(v->net, v->op, "y")->c,
                  input(v, "x"), input(v, "w"), input(v, "b"), output(v, "y"));
    } else {
        ref_dense_by_input(op_out(v->net, v->op, "dx")->c, op_in(v->net, v->op, "dy")->c,
                           input(v, "dy"), input(v, "w"), output(v, "dx"));
    }
}

static void copy_sums(const OpView *v)
{
    memcpy(v->out[0], v->in[0],
           tensor_count(&v->net->tensors[v->op->out[0]]) * sizeof(double));
}

bool reference_op(OpView *v)
{
    typedef void Reference(const OpView *view);
    static Reference *const references[OP_KINDS] = {
        [OP_IMAGE] = image,
        [OP_POINT] = point,
        [OP_BN_FOLD] = bn_fold,
        [OP_BN_STATS] = bn_stats,
        [OP_BN_FINISH] = bn_finish,
        [OP_BN_MOMENTS] = copy_sums,
        [OP_BN_RUNNING] = bn_running,
        [OP_POINT_SUMS] = point_sums,
        [OP_POINT_FINISH] = point_finish,
        [OP_BIAS_FINISH] = bias_finish,
        [OP_ADD_CHUNKS] = copy_sums,
        [OP_POINT_BWD] = point_backward,
        [OP_DROPOUT] = dropout,
        [OP_DROPOUT_BWD] = dropout,
        [OP_LOSS] = loss,
        [OP_DENSE_BWD_WEIGHT] = dense_by_weight,
        [OP_CONV_BWD_WEIGHT] = conv_by_weight,
        [OP_MAXPOOL] = resize,
        [OP_MAXPOOL_BWD] = resize,
        [OP_SUBSAMPLE] = resize,
        [OP_SUBSAMPLE_BWD] = resize,
        [OP_CONCAT] = join,
        [OP_AVGPOOL] = resize,
        [OP_AVGPOOL_BWD] = resize,
        [OP_CONV] = multiply,
        [OP_CONV_BWD_INPUT] = multiply,
        [OP_DENSE] = multiply,
        [OP_DENSE_BWD_INPUT] = multiply,
    };
    if (v->op->kind == OP_LOSS_FINISH) {
        v->loss = input(v, "partial")[0];
        v->correct = input(v, "partial")[1];
    } else if (references[v->op->kind]) {
        references[v->op->kind](v);
    }
    return references[v->op->kind] || v->op->kind == OP_LOSS_FINISH;
}
