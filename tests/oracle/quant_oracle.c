/* See quant_oracle.h; pools and concatenations are in quant_joins.c. */
#include "tests/oracle/quant_pass.h"

#include "runtime/base/support.h"
#include "tests/oracle/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The network ---- */

static double mean_deviation(const Config *config, int channels)
{
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += config->std[c] / channels;
    return sum;
}

static const Op *image_of(const Pass *p)
{
    return &p->net->ops[0];
}

/* A convolution of the image in its quantised form: pixels in units of the mean
 * deviation, pixels about them where there are none, the channels' own deviations in the
 * weights. */
static bool in_units(const Pass *p, const Op *op)
{
    return op->kind == OP_CONV && op->in[0] == image_of(p)->out[0] &&
           op->own.quantizer != RT_QUANT_NONE;
}

static double factor_of(const Pass *p, const Op *op, long weight)
{
    if (!in_units(p, op))
        return 1;
    const Tensor *w = &p->net->tensors[op->in[1]];
    const Config *config = &p->o->net->config;
    return mean_deviation(config, w->c) / config->std[weight / w->k % w->c];
}

/* Quantised values of a parameter. */
static double *quantised(const Pass *p, const Op *op, const Quantiser *q, int param)
{
    long count = count_of(p, param);
    int k = p->net->tensors[param].k, number_of = q->step != NONE ? q->step : q->range;
    double *values = rt_alloc(count * sizeof(double));
    for (long i = 0; i < count; i++) {
        double x = number(p, param, i) * factor_of(p, op, i);
        int which =
            number_of == NONE || p->net->tensors[number_of].k == 1 ? 0 : (int)(i % k);
        values[i] = q->quantizer == RT_QUANT_NONE
                        ? x
                        : quant_oracle_quantise(q, x, number(p, q->step, which),
                                                number(p, q->range, which));
    }
    return values;
}

static Window window_of(const Pass *p, const Op *op)
{
    const Tensor *x = &p->net->tensors[op->in[0]], *y = &p->net->tensors[op->out[0]];
    Window g = {x->h,       x->w,        x->c,         y->h,
                y->w,       y->c,        op->kernel_h, op->kernel_w,
                op->stride, op->pad_top, op->pad_left, op->groups};
    if (in_units(p, op)) { /* the border is part of what it reads */
        g.h += op->pad_top + op->kernel_h;
        g.w += op->pad_left + op->kernel_w;
        g.top = g.left = 0;
    }
    return g;
}

/* What the convolution reads of image n; free(). */
static double *input_of(const Pass *p, const Op *op, int n)
{
    const Tensor *x = &p->net->tensors[op->in[0]];
    const Config *config = &p->o->net->config;
    Window g = window_of(p, op);
    long count = (long)g.h * g.w * g.c;
    double *values = rt_alloc(count * sizeof(double));
    if (!in_units(p, op))
        return memcpy(values, p->values[op->in[0]] + n * count, count * sizeof(double));
    for (long i = 0; i < count; i++) {
        int c = (int)(i % g.c);
        long row = i / g.c / g.w - op->pad_top, column = i / g.c % g.w - op->pad_left;
        bool inside = row >= 0 && row < x->h && column >= 0 && column < x->w;
        double byte = inside ? p->o->images[((n * x->h + row) * x->w + column) * x->c + c]
                             : floor(config->mean[c] + 0.5);
        values[i] = (byte - config->mean[c]) / mean_deviation(config, g.c);
    }
    return values;
}

/* What is normalised together: the batch, or in training each chunk of it; values of a
 * tensor. */
typedef struct {
    long first, end;
} Part;

static int part_count(const Pass *p)
{
    return p->o->training && p->net->norm == NORM_CHUNK ? p->net->chunks : 1;
}

static Part part_of(const Pass *p, const Op *op, int part)
{
    long count = count_of(p, op->out[0]);
    return (Part){p->o->count * part / part_count(p) * count,
                  p->o->count * (part + 1) / part_count(p) * count};
}

/* Mean and variance of a channel: the part's, or the running ones. */
static void moments(const Pass *p, const Op *op, Part part, int c, double *mean,
                    double *var)
{
    int channels = p->net->tensors[op->out[0]].c;
    long all = part.end - part.first;
    const double *x = p->values[op->in[0]];
    *mean = *var = 0;
    for (long i = part.first + c; i < part.end; i += channels)
        *mean += x[i] * channels / all;
    for (long i = part.first + c; i < part.end; i += channels)
        *var += (x[i] - *mean) * (x[i] - *mean) * channels / all;
    if (!p->o->training) {
        *mean = number(p, op->in[op_input(OP_BN, "mean")], c);
        *var = number(p, op->in[op_input(OP_BN, "var")], c);
    }
}

static void forward_part(const Pass *p, const Op *op, Part part)
{
    int channels = p->net->tensors[op->out[0]].c;
    for (int c = 0; c < channels; c++) {
        double mean, var;
        moments(p, op, part, c, &mean, &var);
        for (long i = part.first + c; i < part.end; i += channels)
            p->values[op->out[0]][i] = (p->values[op->in[0]][i] - mean) /
                                           sqrt(var + op->eps) * number(p, op->in[1], c) +
                                       number(p, op->in[2], c);
    }
}

static void forward_bn(const Pass *p, const Op *op)
{
    for (int part = 0; part < part_count(p); part++)
        forward_part(p, op, part_of(p, op, part));
}

/* Through a leaky ReLU; other activations are the quantiser's. */
static double leaked(const Op *op, double x)
{
    return x > 0 || op->slope == 0 ? x : op->slope * x;
}

static void forward_each(const Pass *p, const Op *op)
{
    const Config *config = &p->o->net->config;
    double *y = p->values[op->out[0]],
           *x = op->kind == OP_IMAGE ? NULL : p->values[op->in[0]];
    int channels = p->net->tensors[op->out[0]].c;
    for (long i = 0; i < p->o->count * count_of(p, op->out[0]); i++) {
        int c = (int)(i % channels);
        if (op->kind == OP_IMAGE)
            y[i] = (p->o->images[i] - config->mean[c]) / config->std[c];
        else if (op->kind == OP_ADD)
            y[i] = x[i] + p->values[op->in[1]][i];
        else if (op->own.quantizer == RT_QUANT_NONE)
            y[i] = ref_activation(op->ceiling, op->slope, x[i]);
        else
            y[i] = quant_oracle_quantise(&op->own, leaked(op, x[i]),
                                         number(p, op->own.step, 0),
                                         number(p, op->own.range, 0));
    }
}

/* What a sum without ReLU puts out, where a convolution of codes reads it. */
static void quantise_sum(const Pass *p, const Op *op)
{
    double *y = p->values[op->out[0]];
    for (long i = 0; i < p->o->count * count_of(p, op->out[0]); i++)
        y[i] = quant_oracle_quantise(&op->own, y[i], number(p, op->own.step, 0),
                                     number(p, op->own.range, 0));
}

static bool is_quantised_sum(const Op *op)
{
    return (op->kind == OP_BN || op->kind == OP_ADD) &&
           op->own.quantizer != RT_QUANT_NONE;
}

static void forward_sum(const Pass *p, const Op *op)
{
    if (op->kind == OP_BN)
        forward_bn(p, op);
    else
        forward_each(p, op);
}

/* Its gradient on the way back through the quantiser, in place. */
static void backward_sum(const Pass *p, const Op *op)
{
    double *y = p->values[op->out[0]], *dy = p->gradients[op->out[0]], none[2] = {0};
    long all = p->o->count * count_of(p, op->out[0]);
    p->values[op->out[0]] = rt_alloc(all * sizeof(double));
    forward_sum(p, op);
    for (long i = 0; i < all; i++)
        dy[i] = quant_oracle_value(
            &op->own, p->values[op->out[0]][i], number(p, op->own.step, 0),
            number(p, op->own.range, 0), dy[i], &none[0], &none[1]);
    free(p->values[op->out[0]]);
    p->values[op->out[0]] = y;
}

static void forward_image(const Pass *p, const Op *op, int index, int n)
{
    Window g = window_of(p, op);
    const double *x = p->values[op->in[0]] + n * count_of(p, op->in[0]);
    double *y = p->values[op->out[0]] + n * count_of(p, op->out[0]);
    if (op->kind == OP_DROPOUT) {
        ref_dropout(n, op->layer, p->o->training ? op->rate : 0, count_of(p, op->out[0]),
                    x, y);
    } else if (op->kind == OP_CONV) {
        double *input = input_of(p, op, n);
        ref_conv(&g, input, p->weights[index], y);
        for (long i = 0; op->in[CONV_b] != NONE && i < count_of(p, op->out[0]); i++)
            y[i] += number(p, op->in[CONV_b], i % g.k);
        free(input);
    } else if (op->kind == OP_MAXPOOL) {
        ref_maxpool(&g, x, y);
    } else if (op->kind == OP_SUBSAMPLE) {
        ref_subsample(&g, op->channel_offset, x, y);
    } else if (op->kind == OP_AVGPOOL) {
        ref_avgpool(&g, op->count_pad, x, y);
        round_mean(p, op, y);
    } else {
        ref_dense(g.c, g.k, x, p->weights[index], p->biases[index], y);
    }
}

static void forward(const Pass *p, int index)
{
    const Op *op = &p->net->ops[index];
    p->values[op->out[0]] =
        rt_alloc(p->o->count * count_of(p, op->out[0]) * sizeof(double));
    p->gradients[op->out[0]] =
        rt_alloc(p->o->count * count_of(p, op->out[0]) * sizeof(double));
    if (op->kind == OP_CONV || op->kind == OP_DENSE)
        p->weights[index] = quantised(p, op, &op->own, op->in[1]);
    if (op->kind == OP_DENSE)
        p->biases[index] = quantised(p, op, &op->bias, op->in[2]);
    if (op->kind == OP_BN)
        forward_bn(p, op);
    else if (op->kind == OP_CONCAT)
        forward_concat(p, op);
    else if (op->kind == OP_IMAGE || op->kind == OP_ADD || op->kind == OP_RELU)
        forward_each(p, op);
    else
        for (int n = 0; n < p->o->count; n++)
            forward_image(p, op, index, n);
    if (is_quantised_sum(op))
        quantise_sum(p, op);
}

/* ---- Backward ---- */

static void add_to(const Pass *p, int param, long i, double value)
{
    long at = p->net->tensors[param].offset + i;
    p->o->gradient[at] += value;
    p->o->size[at] += fabs(value);
}

void add_numbers(const Pass *p, const Quantiser *q, double n, int which, double by_step,
                 double by_range, const double size[2])
{
    double step = number(p, q->step, which), range = number(p, q->range, which);
    double size_step = size[0], size_range = size[1];
    quant_oracle_finish(q, n, step, range, &by_step, &by_range);
    quant_oracle_finish(q, n, step, range, &size_step, &size_range);
    if (q->quantizer == RT_QUANT_STATIC || q->step == NONE)
        return;
    p->o->gradient[p->net->tensors[q->step].offset + which] += by_step;
    p->o->size[p->net->tensors[q->step].offset + which] += size_step;
    if (q->range == NONE)
        return;
    p->o->gradient[p->net->tensors[q->range].offset + which] += by_range;
    p->o->size[p->net->tensors[q->range].offset + which] += size_range;
}

/* From the gradient by quantised values of a parameter to its own and its quantiser's. */
static void backward_param(const Pass *p, const Op *op, const Quantiser *q, int param,
                           const double *gradient)
{
    long count = count_of(p, param);
    int of = q->step != NONE ? q->step : q->range;
    int steps = of == NONE ? 1 : p->net->tensors[of].k;
    for (int s = 0; s < steps; s++) {
        double by[2] = {0}, size[2] = {0};
        for (long i = s; i < count; i += steps) {
            double factor = factor_of(p, op, i), x = number(p, param, i) * factor, back;
            double before[2] = {by[0], by[1]};
            back = q->quantizer == RT_QUANT_NONE
                       ? gradient[i]
                       : quant_oracle_value(q, x, number(p, q->step, s),
                                            number(p, q->range, s), gradient[i], &by[0],
                                            &by[1]);
            add_to(p, param, i, back * factor);
            size[0] += fabs(by[0] - before[0]);
            size[1] += fabs(by[1] - before[1]);
        }
        add_numbers(p, q, (double)count / steps, s, by[0], by[1], size);
    }
}

static void backward_part(const Pass *p, const Op *op, Part part)
{
    int channels = p->net->tensors[op->out[0]].c;
    long all = part.end - part.first;
    const double *x = p->values[op->in[0]], *dy = p->gradients[op->out[0]];
    for (int c = 0; c < channels; c++) {
        double mean, var, sum = 0, product = 0, scale = number(p, op->in[1], c);
        moments(p, op, part, c, &mean, &var);
        double inverse = 1 / sqrt(var + op->eps), each = (double)all / channels;
        for (long i = part.first + c; i < part.end; i += channels) {
            sum += dy[i];
            product += dy[i] * (x[i] - mean) * inverse;
            add_to(p, op->in[1], c, dy[i] * (x[i] - mean) * inverse);
            add_to(p, op->in[2], c, dy[i]);
        }
        for (long i = part.first + c; i < part.end; i += channels)
            p->gradients[op->in[0]][i] +=
                scale * inverse *
                (dy[i] - sum / each - (x[i] - mean) * inverse * product / each);
    }
}

static void backward_bn(const Pass *p, const Op *op)
{
    for (int part = 0; part < part_count(p); part++)
        backward_part(p, op, part_of(p, op, part));
}

static void backward_relu(const Pass *p, const Op *op)
{
    const Quantiser *q = &op->own;
    long all = p->o->count * count_of(p, op->out[0]);
    const double *x = p->values[op->in[0]], *dy = p->gradients[op->out[0]];
    double by[2] = {0}, size[2] = {0};
    for (long i = 0; i < all; i++) {
        double before[2] = {by[0], by[1]}, g = dy[i];
        if (q->quantizer != RT_QUANT_NONE)
            g = quant_oracle_value(q, leaked(op, x[i]), number(p, q->step, 0),
                                   number(p, q->range, 0), g, &by[0], &by[1]);
        else if (x[i] <= 0 || (op->ceiling > 0 && x[i] >= op->ceiling))
            g = x[i] > 0 ? 0 : op->slope * g;
        if (q->quantizer != RT_QUANT_NONE && op->slope > 0 && x[i] <= 0)
            g *= op->slope;
        p->gradients[op->in[0]][i] += g;
        size[0] += fabs(by[0] - before[0]);
        size[1] += fabs(by[1] - before[1]);
    }
    add_numbers(p, q, (double)count_of(p, op->out[0]), 0, by[0], by[1], size);
}

static void accumulate(double *to, const double *from, long count)
{
    for (long i = 0; to && i < count; i++)
        to[i] += from[i];
}

/* One image of an op with a window or a pool: dx is added to; weights' gradient too. */
static void backward_image(const Pass *p, const Op *op, int index, int n, double *dw,
                           double *db)
{
    Window g = window_of(p, op);
    long inputs = (long)g.h * g.w * g.c, outputs = count_of(p, op->out[0]);
    const double *dy = p->gradients[op->out[0]] + n * outputs;
    const double *x = p->values[op->in[0]] + n * count_of(p, op->in[0]);
    double *dx = rt_alloc(inputs * sizeof(double)), *more = NULL;
    if (op->kind == OP_DROPOUT) {
        ref_dropout(n, op->layer, op->rate, outputs, dy, dx);
    } else if (op->kind == OP_CONV) {
        double *input = input_of(p, op, n);
        more = rt_alloc(count_of(p, op->in[1]) * sizeof(double));
        ref_conv_by_weight(&g, input, dy, more);
        accumulate(dw, more, count_of(p, op->in[1]));
        for (long i = 0; db && i < outputs; i++)
            db[i % g.k] += dy[i];
        if (!in_units(p, op))
            ref_conv_by_input(&g, dy, p->weights[index], dx);
        free(input);
    } else if (op->kind == OP_DENSE) {
        more = rt_alloc(count_of(p, op->in[1]) * sizeof(double));
        ref_dense_by_weight(g.c, g.k, x, dy, more);
        accumulate(dw, more, count_of(p, op->in[1]));
        accumulate(db, dy, g.k);
        ref_dense_by_input(g.c, g.k, dy, p->weights[index], dx);
    } else if (op->kind == OP_MAXPOOL) {
        ref_maxpool_by_input(&g, x, dy, dx);
    } else if (op->kind == OP_SUBSAMPLE) {
        ref_subsample_by_input(&g, op->channel_offset, dy, dx);
    } else {
        ref_avgpool_by_input(&g, op->count_pad, dy, dx);
    }
    if (!in_units(p, op))
        accumulate(p->gradients[op->in[0]] + n * inputs, dx, inputs);
    free(dx);
    free(more);
}

static void backward(const Pass *p, int index)
{
    const Op *op = &p->net->ops[index];
    long all = p->o->count * count_of(p, op->out[0]);
    if (op->kind == OP_IMAGE)
        return;
    if (is_quantised_sum(op))
        backward_sum(p, op);
    if (op->kind == OP_BN) {
        backward_bn(p, op);
    } else if (op->kind == OP_CONCAT) {
        backward_concat(p, op);
    } else if (op->kind == OP_RELU) {
        backward_relu(p, op);
    } else if (op->kind == OP_ADD) {
        accumulate(p->gradients[op->in[0]], p->gradients[op->out[0]], all);
        accumulate(p->gradients[op->in[1]], p->gradients[op->out[0]], all);
    } else {
        bool weighs = op->kind == OP_CONV || op->kind == OP_DENSE;
        double *dw = weighs ? rt_alloc(count_of(p, op->in[1]) * sizeof(double)) : NULL;
        double *db = weighs && op->in[2] != NONE
                         ? rt_alloc(count_of(p, op->in[2]) * sizeof(double))
                         : NULL;
        for (int n = 0; n < p->o->count; n++)
            backward_image(p, op, index, n, dw, db);
        if (dw)
            backward_param(p, op, &op->own, op->in[1], dw);
        if (db)
            backward_param(p, op, &op->bias, op->in[2], db);
        free(dw);
        free(db);
    }
}

static void free_all(double **lists, int count)
{
    for (int i = 0; i < count; i++)
        free(lists[i]);
    free(lists);
}

void quant_oracle_run(QuantOracle *o)
{
    const Net *net = &o->net->config.net;
    const Pass p = {.o = o,
                    .net = net,
                    .values = rt_alloc(net->tensor_count * sizeof(double *)),
                    .gradients = rt_alloc(net->tensor_count * sizeof(double *)),
                    .weights = rt_alloc(net->op_count * sizeof(double *)),
                    .biases = rt_alloc(net->op_count * sizeof(double *))};
    for (int i = 0; i < net->op_count; i++)
        forward(&p, i);
    int classes = o->net->classes, output = o->net->config.output;
    memcpy(o->logits, p.values[output], (size_t)o->count * classes * sizeof(double));
    o->loss = 0;
    for (int n = 0; o->training && n < o->count; n++) {
        double *dy = p.gradients[output] + (long)n * classes;
        o->loss += ref_loss(classes, p.values[output] + (long)n * classes, o->labels[n],
                            o->smoothing, dy);
        for (int k = 0; k < classes; k++)
            dy[k] *= o->loss_scale;
    }
    for (int i = net->op_count - 1; o->training && i >= 0; i--)
        backward(&p, i);
    free_all(p.values, net->tensor_count);
    free_all(p.gradients, net->tensor_count);
    free_all(p.weights, net->op_count);
    free_all(p.biases, net->op_count);
}
