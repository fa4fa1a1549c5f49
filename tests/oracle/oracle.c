/* See oracle.h: the ops of a config in order, each over the whole batch. */
#include "tests/oracle/oracle.h"

#include "runtime/base/support.h"
#include "tests/oracle/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Config *config;
    const double *params;
    double *stats;
    bool training;
    const uint8_t *images;
    int count;
    double **values; /* by tensor: [count][h][w][c] */
} Oracle;

static const Tensor *tensor_of(const Oracle *o, int index)
{
    return &o->config->net.tensors[index];
}

static long size_of(const Oracle *o, int index)
{
    return tensor_count(tensor_of(o, index));
}

static const double *param(const Oracle *o, const Op *op, const char *slot)
{
    return o->params + op_in(&o->config->net, op, slot)->offset;
}

static double *stat(const Oracle *o, const Op *op, const char *slot)
{
    return o->stats + op_in(&o->config->net, op, slot)->offset;
}

/* Mean and variance of every channels-th value from x on, as they are; then the variance
 * unbiased. */
static void measure(const double *x, long count, int channels, double found[3])
{
    double mean = 0, var = 0;
    for (long i = 0; i < count; i++)
        mean += x[i * channels] / count;
    for (long i = 0; i < count; i++)
        var += (x[i * channels] - mean) * (x[i * channels] - mean) / count;
    found[0] = mean;
    found[1] = var;
    found[2] = count > 1 ? var * count / (count - 1) : var;
}

/* One channel of images first .. end - 1; in training their statistics, by their share,
 * are added to those of the batch. */
static void normalise_part(const Oracle *o, const Op *op, int c, int first, int end,
                           double batch[2])
{
    int channels = tensor_of(o, op->out[0])->c;
    long size = size_of(o, op->out[0]), count = (end - first) * size / channels;
    const double *x = o->values[op->in[0]] + first * size + c;
    double *y = o->values[op->out[0]] + first * size + c;
    double found[3] = {stat(o, op, "mean")[c], stat(o, op, "var")[c]};
    if (o->training)
        measure(x, count, channels, found);
    for (long i = 0; i < count * channels; i += channels)
        y[i] = (x[i] - found[0]) / sqrt(found[1] + op->eps) * param(o, op, "scale")[c] +
               param(o, op, "shift")[c];
    batch[0] += found[0] * (end - first) / o->count;
    batch[1] += found[2] * (end - first) / o->count;
}

static void normalise(const Oracle *o, const Op *op)
{
    const Net *net = &o->config->net;
    const int parts = net->norm == NORM_CHUNK ? net->chunks : 1;
    for (int c = 0; c < tensor_of(o, op->out[0])->c; c++) {
        double batch[2] = {0};
        for (int part = 0; part < parts; part++)
            normalise_part(o, op, c, part * o->count / parts,
                           (part + 1) * o->count / parts, batch);
        if (!o->training)
            continue;
        stat(o, op, "mean")[c] += op->momentum * (batch[0] - stat(o, op, "mean")[c]);
        stat(o, op, "var")[c] += op->momentum * (batch[1] - stat(o, op, "var")[c]);
    }
}

/* Value by value, over the whole batch. */
static void pointwise(const Oracle *o, const Op *op)
{
    const double *a = op->kind == OP_IMAGE ? NULL : o->values[op->in[0]];
    double *y = o->values[op->out[0]];
    int channels = tensor_of(o, op->out[0])->c;
    for (long i = 0; i < o->count * size_of(o, op->out[0]); i++) {
        int c = i % channels;
        if (op->kind == OP_IMAGE)
            y[i] = (o->images[i] - o->config->mean[c]) / o->config->std[c];
        else if (op->kind == OP_ADD)
            y[i] = a[i] + o->values[op->in[1]][i];
        else
            y[i] = ref_activation(op->ceiling, op->slope, a[i]);
    }
}

static void join(const Oracle *o, const Op *op)
{
    const Tensor *y = tensor_of(o, op->out[0]);
    for (int i = 0, before = 0; i < OP_INPUTS && op->in[i] != NONE; i++) {
        int c = tensor_of(o, op->in[i])->c;
        ref_join((long)o->count * y->h * y->w, c, y->c, before, o->values[op->in[i]],
                 o->values[op->out[0]]);
        before += c;
    }
}

static void one_image(const Oracle *o, const Op *op, const double *x, double *y)
{
    const Tensor *in = tensor_of(o, op->in[0]), *out = tensor_of(o, op->out[0]);
    const Window g = {in->h,      in->w,       in->c,        out->h,
                      out->w,     out->c,      op->kernel_h, op->kernel_w,
                      op->stride, op->pad_top, op->pad_left, op->groups};
    if (op->kind == OP_CONV) {
        ref_conv(&g, x, param(o, op, "w"), y);
        for (long i = 0; op->in[CONV_b] != NONE && i < (long)out->h * out->w * out->c;
             i++)
            y[i] += param(o, op, "b")[i % out->c];
    } else if (op->kind == OP_MAXPOOL)
        ref_maxpool(&g, x, y);
    else if (op->kind == OP_SUBSAMPLE)
        ref_subsample(&g, op->channel_offset, x, y);
    else if (op->kind == OP_AVGPOOL)
        ref_avgpool(&g, op->count_pad, x, y);
    else if (op->kind == OP_DENSE)
        ref_dense(in->c, out->c, x, param(o, op, "w"), param(o, op, "b"), y);
    else
        abort();
}

static void drop(const Oracle *o, const Op *op)
{
    long count = size_of(o, op->out[0]);
    for (int n = 0; n < o->count; n++)
        ref_dropout(n, op->layer, o->training ? op->rate : 0, count,
                    o->values[op->in[0]] + n * count, o->values[op->out[0]] + n * count);
}

static void run_op(const Oracle *o, const Op *op)
{
    o->values[op->out[0]] = rt_alloc(o->count * size_of(o, op->out[0]) * sizeof(double));
    if (op->kind == OP_BN)
        normalise(o, op);
    else if (op->kind == OP_DROPOUT)
        drop(o, op);
    else if (op->kind == OP_IMAGE || op->kind == OP_ADD || op->kind == OP_RELU)
        pointwise(o, op);
    else if (op->kind == OP_CONCAT)
        join(o, op);
    else
        for (int image = 0; image < o->count; image++)
            one_image(o, op, o->values[op->in[0]] + image * size_of(o, op->in[0]),
                      o->values[op->out[0]] + image * size_of(o, op->out[0]));
}

void oracle_forward(const Config *config, const double *params, double *stats,
                    bool training, const uint8_t *images, int count, double *logits)
{
    const Net *net = &config->net;
    Oracle oracle = {config,
                     params,
                     stats,
                     training,
                     images,
                     count,
                     rt_alloc(net->tensor_count * sizeof(double *))};
    for (int i = 0; i < net->op_count; i++)
        run_op(&oracle, &net->ops[i]);
    memcpy(logits, oracle.values[config->output],
           count * size_of(&oracle, config->output) * sizeof(double));
    for (int i = 0; i < net->tensor_count; i++)
        free(oracle.values[i]);
    free(oracle.values);
}

double oracle_loss(const Config *config, const double *params, const double *stats,
                   const uint8_t *images, const int32_t *labels, int count,
                   double smoothing)
{
    int classes = config->net.tensors[config->output].c;
    double *logits = rt_alloc((size_t)count * classes * sizeof(double));
    double *moved = rt_alloc((config->net.stat_floats + 1) * sizeof(double));
    memcpy(moved, stats, config->net.stat_floats * sizeof(double));
    oracle_forward(config, params, moved, true, images, count, logits);
    double loss = 0;
    for (int i = 0; i < count; i++)
        loss +=
            ref_loss(classes, logits + (size_t)i * classes, labels[i], smoothing, NULL);
    free(logits);
    free(moved);
    return loss;
}
