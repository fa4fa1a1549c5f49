/* Ranges, rounding and corrections of one layer: see calibrate.h. Layers are matrix
 * products of windows: y [pixels][k] = columns [pixels][d] w [d][k]; in groups of
 * channels, one product for each, with the windows of its own inputs and weights
 * [d][each]. */
#include "gen/ptq/calibrate.h"

#include "gen/ir/params.h"
#include "gen/ptq/ranges.h"
#include "gen/ptq/rounding.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/quant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_BITS = 6 };   /* up to here rounding is learned */
enum { TOGETHER = 128 }; /* output channels rounded together */
enum { ROWS = 1024 }; /* at most, of a matrix product, where an image has fewer pixels */

/* One layer at work. */
typedef struct {
    Calibration *c;
    const Op *op;
    const Tensor *x, *y, *w;
    Values *in, *out;
    int d, k, pixels;
    int groups, each;     /* k = groups x each */
    float *weights;       /* [groups][d][each], the image's factor in them */
    float *rounded;       /* the same, quantised */
    float *gram, *target; /* copies [parts][groups][d][d], [parts][groups][d][each] */
    int parts;
    float step[1 << 16]; /* by output channel */
    int largest;
} Layer;

void calibration_begin(Calibration *c, const Config *config, const Net *net, int images,
                       float *params, float *stats)
{
    *c = (Calibration){.config = config,
                       .net = net,
                       .links = links_of(net),
                       .images = images,
                       .params = params,
                       .stats = stats,
                       .values = rt_alloc(net->tensor_count * sizeof(Values))};
}

static void release(Values *values)
{
    free(values->f);
    free(values->q);
    values->f = values->q = NULL;
}

void calibration_end(Calibration *c)
{
    for (int i = 0; i < c->net->tensor_count; i++)
        release(&c->values[i]);
    free(c->values);
    links_free(&c->links);
}

Values *calibration_values(Calibration *c, int tensor)
{
    Values *values = &c->values[tensor];
    if (values->f == NULL) {
        size_t bytes =
            (size_t)c->images * tensor_count(&c->net->tensors[tensor]) * sizeof(float);
        values->f = rt_alloc(bytes);
        values->q = rt_alloc(bytes);
    }
    return values;
}

/* Whether no op behind `done` reads the tensor. */
static bool is_past(const Calibration *c, int tensor, int done)
{
    int readers = net_readers(&c->links, tensor);
    return readers > 0 &&
           net_reader(&c->links, tensor, readers - 1) <= &c->net->ops[done];
}

void calibration_release(Calibration *c, int done)
{
    const Op *op = &c->net->ops[done];
    for (int i = 0; i < OP_INPUTS; i++)
        if (op->in[i] != NONE && is_past(c, op->in[i], done))
            release(&c->values[op->in[i]]);
}

/* The windows of one image as a group sees them, [pixels][d]; outside the image lies
 * `pad`. */
static void columns_of(const Layer *l, int group, const float *x, const float *pad,
                       float *columns)
{
    const Op *op = l->op;
    int c = l->x->c / l->groups, rows = op->kernel_h ? op->kernel_h : 1,
        width = op->kernel_h ? op->kernel_w : 1;
    int stride = op->stride ? op->stride : 1;
    for (int h = 0; h < l->y->h; h++)
        for (int p = 0; p < l->y->w; p++)
            for (int r = 0; r < rows; r++)
                for (int s = 0; s < width; s++, columns += c) {
                    int row = h * stride - op->pad_top + r,
                        column = p * stride - op->pad_left + s;
                    bool inside =
                        row >= 0 && row < l->x->h && column >= 0 && column < l->x->w;
                    if (inside)
                        memcpy(columns,
                               x + ((size_t)row * l->x->w + column) * l->x->c + group * c,
                               c * sizeof(float));
                    for (int i = 0; !inside && i < c; i++)
                        columns[i] = pad ? pad[group * c + i] : 0;
                }
}

/* The images of one part, in batches of about ROWS pixels. */
typedef struct {
    int first, end, batch;
    float *columns; /* of a batch */
    float *product; /* of a batch and a group */
} Part;

static Part part_of(const Layer *l, int part)
{
    Part p = {.first = l->c->images * part / l->parts,
              .end = l->c->images * (part + 1) / l->parts};
    p.batch = l->pixels < ROWS ? ROWS / l->pixels : 1;
    p.batch = p.batch < p.end - p.first ? p.batch : p.end - p.first;
    p.columns = rt_alloc(((size_t)p.batch * l->pixels * l->d + 1) * sizeof(float));
    p.product = rt_alloc(((size_t)p.batch * l->pixels * l->each + 1) * sizeof(float));
    return p;
}

static void part_free(Part *p)
{
    free(p->columns);
    free(p->product);
}

static void batch_columns(const Layer *l, const Part *p, int group, int first, int count,
                          bool quantised)
{
    size_t in = tensor_count(l->x), windows = (size_t)l->pixels * l->d;
    const float *x = quantised ? l->in->q : l->in->f;
    const float *pad = quantised && l->in->is_image ? l->in->pad : NULL;
    for (int n = 0; n < count; n++)
        columns_of(l, group, x + (first + n) * in, pad, p->columns + n * windows);
}

/* The part's columns times a group's weights, into its channels of y [rows][k]. */
static void multiply_group(const Layer *l, const Part *p, int group, int rows,
                           const float *weights, float *y)
{
    rt_matmul(false, rows, l->each, l->d, p->columns,
              weights + (size_t)group * l->d * l->each, 0, p->product);
    for (int row = 0; row < rows; row++)
        memcpy(y + (size_t)row * l->k + group * l->each,
               p->product + (size_t)row * l->each, l->each * sizeof(float));
}

/* Float outputs of one group for some images of a part, and the sums that
 * rounding needs. */
static void float_group(const Layer *l, const Part *p, int part, int group, int first,
                        int count)
{
    int rows = count * l->pixels, d = l->d;
    size_t at = (size_t)part * l->groups + group;
    batch_columns(l, p, group, first, count, false);
    multiply_group(l, p, group, rows, l->weights, l->out->f + first * tensor_count(l->y));
    if (l->gram == NULL)
        return;
    batch_columns(l, p, group, first, count, true);
    rt_matmul(true, d, d, rows, p->columns, p->columns, 1, l->gram + at * d * d);
    rt_matmul(true, d, l->each, rows, p->columns, p->product, 1,
              l->target + at * d * l->each);
}

static void float_part(void *context, int part, int worker)
{
    (void)worker;
    const Layer *l = context;
    Part p = part_of(l, part);
    for (int n = p.first; n < p.end; n += p.batch)
        for (int group = 0; group < l->groups; group++)
            float_group(l, &p, part, group, n, p.end - n < p.batch ? p.end - n : p.batch);
    part_free(&p);
}

static void quantised_part(void *context, int part, int worker)
{
    (void)worker;
    const Layer *l = context;
    Part p = part_of(l, part);
    for (int n = p.first; n < p.end; n += p.batch) {
        int count = p.end - n < p.batch ? p.end - n : p.batch;
        for (int group = 0; group < l->groups; group++) {
            batch_columns(l, &p, group, n, count, true);
            multiply_group(l, &p, group, count * l->pixels, l->rounded,
                           l->out->q + n * tensor_count(l->y));
        }
    }
    part_free(&p);
}

/* The numbers of a quantiser's parameter; NULL when it has no such parameter. */
static float *numbers_of(const Calibration *c, int tensor)
{
    return params_numbers(c->net, tensor, c->params, c->stats);
}

/* Set a quantiser's index-th numbers for values of that range and mean; returns the step
 * in use, and its largest code. */
static float set_quantiser(const Calibration *c, const Quantiser *q, int index,
                           double range, double mean, int *largest)
{
    float *step = numbers_of(c, q->step), *limit = numbers_of(c, q->range);
    step = step ? step + index : NULL;
    limit = limit ? limit + index : NULL;
    range_to_quantiser(q->quantizer, q->bits, q->is_signed, range, mean, step, limit);
    const RtQuant quant = quantiser_rt(q);
    return rt_quant_step(&quant, step ? *step : 0, limit ? *limit : 0, largest);
}

/* Range and step of the weights, per tensor or channel, into the quantiser's
 * parameters. */
static void find_steps(Layer *l)
{
    const Quantiser *own = &l->op->own;
    const Quant *quant = &l->op->quant;
    int steps = params_steps(l->c->net, own);
    int channels = steps == 1 ? l->k : 1; /* that share a step */
    int stride = steps == 1 ? 1 : l->each;
    long count = (long)l->d * channels;
    for (int s = 0; s < steps; s++) {
        const float *values =
            l->weights + (size_t)(s / l->each) * l->d * l->each + s % l->each;
        double range = range_of(values, count, stride, true, own->bits, quant->w_range,
                                quant->percentile);
        double mean = range_of(values, count, stride, true, own->bits, RANGE_MEAN, 0) / 2;
        float step = set_quantiser(l->c, own, s, range, mean, &l->largest);
        for (int k = 0; k < channels; k++)
            l->step[s + k] = step;
    }
}

/* Codes of output channels that are rounded together, nearest or learned, times their
 * steps: those of a group, or a part of all. */
static void round_together(void *context, int which, int worker)
{
    (void)worker;
    Layer *l = context;
    bool grouped = l->groups > 1;
    int first = grouped ? 0 : which * TOGETHER, left = l->each - first;
    int k = grouped || left < TOGETHER ? left : TOGETHER;
    size_t begin = grouped ? (size_t)which * l->d * l->each : (size_t)first;
    const float *step = l->step + (grouped ? which * l->each : first);
    float *codes = l->rounded + begin;
    for (int i = 0; i < l->d; i++)
        for (int c = 0; c < k; c++) {
            size_t at = (size_t)i * l->each + c;
            float code = rintf(l->weights[begin + at] / step[c]);
            codes[at] = fminf(fmaxf(code, (float)-l->largest), (float)l->largest);
        }
    if (l->gram)
        round_channels(l->d, k, l->each,
                       l->gram + (grouped ? (size_t)which * l->d * l->d : 0),
                       l->target + begin, step, l->largest, codes);
    for (int i = 0; i < l->d; i++)
        for (int c = 0; c < k; c++)
            codes[(size_t)i * l->each + c] *= step[c];
}

/* Damp a group's gram on the diagonal a little: a few images must not decide for the
 * rest. */
static void damp(Layer *l, int group)
{
    float *gram = l->gram + (size_t)group * l->d * l->d;
    size_t begin = (size_t)group * l->d * l->each;
    double trace = 0;
    for (int i = 0; i < l->d; i++)
        trace += gram[(size_t)i * l->d + i];
    float damping = (float)(0.01 * trace / l->d);
    for (int i = 0; i < l->d; i++)
        gram[(size_t)i * l->d + i] += damping;
    for (size_t i = begin; i < begin + (size_t)l->d * l->each; i++)
        l->target[i] += damping * l->weights[i];
}

/* Add the parts' sums up in the first. */
static void total_sums(Layer *l)
{
    size_t grams = (size_t)l->groups * l->d * l->d, targets = (size_t)l->d * l->k;
    for (int part = 1; part < l->parts; part++) {
        for (size_t i = 0; i < grams; i++)
            l->gram[i] += l->gram[part * grams + i];
        for (size_t i = 0; i < targets; i++)
            l->target[i] += l->target[part * targets + i];
    }
    for (int group = 0; group < l->groups; group++)
        damp(l, group);
}

/* Mean and variance over all images and pixels of channel k. */
static void moments(const Layer *l, const float *values, int k, double *mean,
                    double *variance)
{
    double sum = 0, squares = 0;
    long count = (long)l->c->images * l->pixels;
    for (long i = 0; i < count; i++) {
        double x = values[i * l->k + k];
        sum += x;
        squares += x * x;
    }
    *mean = sum / count;
    *variance = fmax(squares / count - *mean * *mean, 0);
}

/* The BN_FOLD whose affine a POINT applies to what the layer puts out, or NULL. */
static const Op *normalisation_of(const Calibration *c, const Op *layer)
{
    int y = layer->out[LAYER_y];
    for (int i = net_readers(&c->links, y) - 1; i >= 0; i--) {
        const Op *op = net_reader(&c->links, y, i);
        if (op->kind == OP_POINT && op->in[POINT_x] == y && op->in[POINT_coef] != NONE)
            return net_writer(&c->links, op->in[POINT_coef]);
    }
    return NULL;
}

/* Bias correction (Nagel et al. 2019): the BN behind sees what quantised sums really
 * are. */
static void correct_statistics(const Layer *l)
{
    const Net *net = l->c->net;
    const Op *fold = normalisation_of(l->c, l->op);
    for (int k = 0; k < l->k; k++) {
        double mean_f, mean_q, var_f, var_q;
        moments(l, l->out->f, k, &mean_f, &var_f);
        moments(l, l->out->q, k, &mean_q, &var_q);
        if (fold && fold->in[BN_FOLD_scale] == NONE) {
            l->c->params[op_in(net, fold, "bias")->offset + k] +=
                (float)(mean_f - mean_q);
        } else if (fold) {
            l->c->stats[op_in(net, fold, "mean")->offset + k] += (float)(mean_q - mean_f);
            if (var_f > 0)
                l->c->stats[op_in(net, fold, "var")->offset + k] *=
                    (float)(var_q / var_f);
        } else if (op_is(l->op, BIAS)) {
            l->c->params[op_in(net, l->op, "b")->offset + k] += (float)(mean_f - mean_q);
        }
    }
}

/* The dense layer's bias, with a quantiser of its own; added to both outputs. */
static void add_bias(Layer *l, const float *before)
{
    const Net *net = l->c->net;
    const Tensor *b = op_in(net, l->op, "b");
    float *bias = l->c->params + b->offset;
    const Quantiser *q = &l->op->bias;
    float *used = rt_alloc(l->k * sizeof(float));
    memcpy(used, bias, l->k * sizeof(float));
    if (q->quantizer != RT_QUANT_NONE) {
        const RtWeights weights = {
            .quant = quantiser_rt(q), .taps = 1, .c = 1, .k = l->k, .steps = 1};
        double range = range_of(bias, l->k, 1, true, q->bits, RANGE_MAX, 0);
        double mean = range_of(bias, l->k, 1, true, q->bits, RANGE_MEAN, 0) / 2;
        int largest;
        set_quantiser(l->c, q, 0, range, mean, &largest);
        rt_quant_weights(&weights, bias, numbers_of(l->c, q->step),
                         numbers_of(l->c, q->range), NULL, used, NULL);
    }
    for (long i = 0; i < (long)l->c->images * l->k; i++) {
        l->out->f[i] += before[i % l->k];
        l->out->q[i] += used[i % l->k];
    }
    free(used);
}

/* Between a parameter [d][k] and the layer's weights, group by group. */
static void copy_weights(Layer *l, float *param, bool back)
{
    int own = l->x->c / l->groups;
    for (size_t i = 0; i < (size_t)l->d * l->k; i++) {
        int row = (int)(i / l->k), k = (int)(i % l->k), group = k / l->each;
        size_t at = ((size_t)group * l->d + row) * l->each + k % l->each;
        float factor = l->in->is_image ? l->in->factor[group * own + row % own] : 1;
        if (back)
            param[i] = l->rounded[at] / factor;
        else
            l->weights[at] = param[i] * factor;
    }
}

static void quantise_layer(Layer *l)
{
    find_steps(l);
    if (l->gram)
        total_sums(l);
    int together = l->groups > 1 ? l->groups : (l->k + TOGETHER - 1) / TOGETHER;
    rt_parallel_for(together, round_together, l);
}

void calibrate_weights(Calibration *c, const Op *op)
{
    const Net *net = c->net;
    Layer *l = rt_alloc(sizeof *l);
    l->c = c;
    l->op = op;
    l->x = op_in(net, op, "x");
    l->y = op_out(net, op, "y");
    l->w = op_in(net, op, "w");
    l->in = calibration_values(c, op->in[LAYER_x]);
    l->out = calibration_values(c, op->out[LAYER_y]);
    l->k = l->w->k;
    l->d = (int)(tensor_count(l->w) / l->k);
    l->pixels = l->y->h * l->y->w;
    l->groups = op->groups > 1 ? op->groups : 1;
    l->each = l->k / l->groups;
    l->parts = l->d > 2048 ? 2 : RT_CHUNKS;
    l->weights = rt_alloc((size_t)l->d * l->k * sizeof(float));
    l->rounded = rt_alloc((size_t)l->d * l->k * sizeof(float));
    copy_weights(l, c->params + l->w->offset, false);
    bool quantised = op->own.quantizer != RT_QUANT_NONE;
    if (quantised && c->round && op->own.bits <= FEW_BITS) {
        l->gram = rt_alloc((size_t)l->parts * l->groups * l->d * l->d * sizeof(float));
        l->target = rt_alloc((size_t)l->parts * l->d * l->k * sizeof(float));
    }
    rt_parallel_for(l->parts, float_part, l);
    if (quantised)
        quantise_layer(l);
    else
        memcpy(l->rounded, l->weights, (size_t)l->d * l->k * sizeof(float));
    rt_parallel_for(l->parts, quantised_part, l);
    float *bias = NULL;
    if (op_is(op, BIAS)) {
        size_t bytes = l->k * sizeof(float);
        bias = memcpy(rt_alloc(bytes), c->params + op_in(net, op, "b")->offset, bytes);
    }
    if (c->correct)
        correct_statistics(l);
    if (bias)
        add_bias(l, bias);
    if (quantised && c->round)
        copy_weights(l, c->params + l->w->offset, true);
    free(bias);
    free(l->weights);
    free(l->rounded);
    free(l->gram);
    free(l->target);
    free(l);
}

float calibrate_activation(Calibration *c, const Op *op, float *values, long count)
{
    const Quantiser *own = &op->own;
    bool both = own->zero > 0; /* signs */
    double range = range_of(values, count, 1, both, own->bits, op->quant.a_range,
                            op->quant.percentile);
    int codes = rt_quant_codes(own->bits, false);
    if (both) /* of all codes together; the largest positive one is at the range's end */
        range *= codes / fmax(codes - own->zero, 1);
    double sum = 0;
    for (long i = 0; i < count; i++)
        sum += values[i];
    int largest;
    float step = set_quantiser(c, own, 0, range, sum / count, &largest);
    for (long i = 0; i < count; i++) {
        float code = rintf(values[i] / step) + (float)own->zero;
        code = code > (float)largest ? (float)largest : code < 0 ? 0 : code;
        values[i] = (code - (float)own->zero) * step;
    }
    return step;
}
