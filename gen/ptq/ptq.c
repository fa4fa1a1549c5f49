/* Post-training quantisation, layer by layer: see ptq.h. Values of all images are kept
 * twice, as the float network has them and as the quantised one does, only as long as a
 * layer to come reads them. */
#include "gen/ptq/ptq.h"

#include "gen/emit/constants.h"
#include "gen/passes/passes.h"
#include "gen/ptq/calibrate.h"
#include "gen/ptq/equalise.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Calibration base; /* what calibrate.c works on */
    const ImageSet *images;
    float *float_stats; /* BN statistics as they were */
    PtqResult *result;
    const PtqOptions *options;
} Ptq;

static double image_deviation(const Config *config, int channels)
{
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += config->std[c];
    return sum / channels;
}

/* Pixels in units of the mean deviation; what deviations differ by is in the stem's
 * weights. */
static void run_image(Ptq *ptq, const Op *op)
{
    Calibration *c = &ptq->base;
    const Tensor *y = op_out(c->net, op, "y");
    Values *out = calibration_values(c, op->out[IMAGE_y]);
    double deviation = image_deviation(c->config, y->c);
    long count = tensor_count(y);
    for (int n = 0; n < c->images; n++) {
        const uint8_t *pixels = image_kept(ptq->images, n).pixels;
        for (long i = 0; i < count; i++)
            out->f[n * count + i] = out->q[n * count + i] =
                (float)((pixels[i] - c->config->mean[i % y->c]) / deviation);
    }
    for (int i = 0; i < y->c; i++) {
        out->pad[i] =
            (float)((floor(c->config->mean[i] + 0.5) - c->config->mean[i]) / deviation);
        out->factor[i] = (float)(deviation / c->config->std[i]);
    }
    out->is_image = true;
}

static float activation(const Op *op, float x)
{
    if (op->ceiling > 0 && x > op->ceiling)
        return (float)op->ceiling;
    return x > 0 ? x : (float)op->slope * x;
}

/* y = x coef[k] + coef[K + k] (+ residual), the activation; of one network. */
static void point_values(const Op *op, long count, int channels, const float *coef,
                         const float *x, const float *residual, float *y)
{
    for (long i = 0; i < count; i++) {
        int k = (int)(i % channels);
        float value = x[i] * coef[k] + coef[channels + k] + (residual ? residual[i] : 0);
        y[i] = op->relu ? activation(op, value) : value;
    }
}

/* The affine of the POINT with these statistics; 1 and 0 without BN. */
static float *point_affine(const Calibration *c, const Op *op, int channels,
                           const float *stats)
{
    float *coef = rt_alloc(2 * channels * sizeof(float));
    for (int i = 0; i < channels; i++)
        coef[i] = 1;
    if (op->in[POINT_coef] == NONE)
        return coef;
    constants_affine(c->net, net_writer(&c->links, op->in[POINT_coef]), c->params, stats,
                     coef);
    return coef;
}

/* Both networks; the quantised one's activation is quantised. */
static void run_point(Ptq *ptq, const Op *op)
{
    Calibration *c = &ptq->base;
    const Tensor *y = op_out(c->net, op, "y");
    int added = op->in[POINT_residual];
    const Values *x = calibration_values(c, op->in[POINT_x]);
    const Values *residual = added == NONE ? NULL : calibration_values(c, added);
    Values *out = calibration_values(c, op->out[POINT_y]);
    float *coef_f = point_affine(c, op, y->c, ptq->float_stats);
    float *coef_q = point_affine(c, op, y->c, c->stats);
    long count = (long)c->images * tensor_count(y);
    point_values(op, count, y->c, coef_f, x->f, residual ? residual->f : NULL, out->f);
    point_values(op, count, y->c, coef_q, x->q, residual ? residual->q : NULL, out->q);
    free(coef_f);
    free(coef_q);
    if (op->own.quantizer != RT_QUANT_NONE)
        out->step = calibrate_activation(c, op, out->q, count);
}

/* One pixel of an op that goes through windows of x: rows x columns from there, cut off
 * at the image's border. */
typedef struct {
    int top, left, bottom, right;
} Area;

static Area window_of(const Op *op, const Tensor *x, int h, int w)
{
    int top = h * op->stride - op->pad_top, left = w * op->stride - op->pad_left;
    int bottom = top + op->kernel_h, right = left + op->kernel_w;
    return (Area){top > 0 ? top : 0, left > 0 ? left : 0, bottom < x->h ? bottom : x->h,
                  right < x->w ? right : x->w};
}

/* What the ops below do for one pixel of the output: x and y are its image and pixel. */
typedef void PixelFunction(const Op *op, const Tensor *x, int h, int w, const float *from,
                           float *to);

static void subsample_pixel(const Op *op, const Tensor *x, int h, int w,
                            const float *from, float *to)
{
    from += ((long)h * op->stride * x->w + (long)w * op->stride) * x->c;
    memcpy(to + op->channel_offset, from, x->c * sizeof(float));
}

static void maxpool_pixel(const Op *op, const Tensor *x, int h, int w, const float *from,
                          float *to)
{
    const Area area = window_of(op, x, h, w);
    for (int k = 0; k < x->c; k++)
        to[k] = -INFINITY;
    for (int row = area.top; row < area.bottom; row++)
        for (int column = area.left; column < area.right; column++)
            for (int k = 0; k < x->c; k++)
                to[k] = fmaxf(to[k], from[((long)row * x->w + column) * x->c + k]);
}

static void avgpool_pixel(const Op *op, const Tensor *x, int h, int w, const float *from,
                          float *to)
{
    const Area area = window_of(op, x, h, w);
    int pixels = op->count_pad ? op->kernel_h * op->kernel_w
                               : (area.bottom - area.top) * (area.right - area.left);
    for (int row = area.top; row < area.bottom; row++)
        for (int column = area.left; column < area.right; column++)
            for (int k = 0; k < x->c; k++)
                to[k] += from[((long)row * x->w + column) * x->c + k] / (float)pixels;
}

/* Pixel by pixel, the same for both networks. */
static void run_pixels(Ptq *ptq, const Op *op, PixelFunction *pixel)
{
    Calibration *c = &ptq->base;
    const Tensor *x = op_in(c->net, op, "x"), *y = op_out(c->net, op, "y");
    const Values *in = calibration_values(c, op->in[LAYER_x]);
    Values *out = calibration_values(c, op->out[LAYER_y]);
    long inputs = tensor_count(x), pixels = (long)y->h * y->w;
    out->step = in->step;
    for (long i = 0; i < c->images * pixels; i++) {
        long image = i / pixels, at = i % pixels;
        int h = (int)(at / y->w), w = (int)(at % y->w);
        pixel(op, x, h, w, in->f + image * inputs, out->f + i * y->c);
        pixel(op, x, h, w, in->q + image * inputs, out->q + i * y->c);
    }
}

/* A mean of codes is rounded to a code; or, before a dense layer, exact. */
static void run_avgpool(Ptq *ptq, const Op *op)
{
    run_pixels(ptq, op, avgpool_pixel);
    Values *out = calibration_values(&ptq->base, op->out[AVGPOOL_y]);
    if (mean_is_exact(&ptq->base.links, op))
        out->step = 0;
    if (out->step == 0)
        return;
    const Tensor *y = op_out(ptq->base.net, op, "y");
    for (long i = 0; i < ptq->base.images * tensor_count(y); i++)
        out->q[i] = floorf(out->q[i] / out->step + 0.5f) * out->step;
}

/* Channels of one after those of the other, in both networks. */
static void run_concat(Ptq *ptq, const Op *op)
{
    Calibration *c = &ptq->base;
    const Tensor *y = op_out(c->net, op, "y");
    Values *out = calibration_values(c, op->out[CONCAT_y]);
    long pixels = (long)c->images * y->h * y->w, before = 0;
    for (int i = 0; i < OP_INPUTS && op->in[i] != NONE; i++) {
        const Values *in = calibration_values(c, op->in[i]);
        long k = c->net->tensors[op->in[i]].c;
        for (long p = 0; p < pixels; p++) {
            memcpy(out->f + p * y->c + before, in->f + p * k, k * sizeof(float));
            memcpy(out->q + p * y->c + before, in->q + p * k, k * sizeof(float));
        }
        before += k;
    }
}

static double decibels(const float *f, const float *q, long count)
{
    double signal = 0, noise = 0;
    for (long i = 0; i < count; i++) {
        signal += (double)f[i] * f[i];
        noise += ((double)f[i] - q[i]) * ((double)f[i] - q[i]);
    }
    return noise > 0 ? 10 * log10(signal / noise) : INFINITY;
}

/* The layer's line of the report: how far the quantised network is from the float one. */
static void report_layer(Ptq *ptq, const Op *op)
{
    Calibration *c = &ptq->base;
    const Values *out = calibration_values(c, op->out[LAYER_y]);
    long count = (long)c->images * tensor_count(&c->net->tensors[op->out[LAYER_y]]);
    double snr = decibels(out->f, out->q, count);
    bool weights = op_is(op, WEIGHTS);
    if (snr < ptq->result->worst_decibels) {
        ptq->result->worst_decibels = snr;
        snprintf(ptq->result->worst, sizeof ptq->result->worst, "%s", op->name);
    }
    if (ptq->options->report)
        fprintf(ptq->options->report, "%-20s %-11s %2d bits  %6.1f dB\n", op->name,
                weights ? "weights" : "activation",
                weights ? op->quant.w_bits : op->quant.a_bits, snr);
}

static int best_class(const float *scores, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

/* Without labels, what the float network says is right. */
static double accuracy(const ImageSet *images, const float *reference,
                       const float *scores, int classes)
{
    int right = 0;
    for (long n = 0; n < images->count; n++) {
        int label = images->unlabelled ? best_class(reference + n * classes, classes)
                                       : images->labels[n];
        right += best_class(scores + n * classes, classes) == label;
    }
    return (double)right / images->count;
}

static void run_op(Ptq *ptq, const Op *op)
{
    switch (op->kind) {
    case OP_IMAGE:
        run_image(ptq, op);
        break;
    case OP_CONV:
    case OP_DENSE:
        calibrate_weights(&ptq->base, op);
        break;
    case OP_BN_FOLD:
        return; /* read by its POINT */
    case OP_POINT:
        run_point(ptq, op);
        break;
    case OP_SUBSAMPLE:
        run_pixels(ptq, op, subsample_pixel);
        break;
    case OP_MAXPOOL:
        run_pixels(ptq, op, maxpool_pixel);
        break;
    case OP_CONCAT:
        run_concat(ptq, op);
        break;
    case OP_AVGPOOL:
        run_avgpool(ptq, op);
        break;
    default:
        op_unhandled(ptq->base.net, op, "ptq");
    }
    if (op->own.quantizer != RT_QUANT_NONE)
        report_layer(ptq, op);
}

bool ptq_run(const Config *config, const PtqOptions *options, const ImageSet *images,
             float *params, float *stats, PtqResult *result)
{
    Net net = net_copy(&config->net);
    pass_fuse(&net, false);
    if (options->equalise)
        equalise(&net, params, stats);
    *result = (PtqResult){.worst_decibels = INFINITY};
    size_t stat_bytes = (net.stat_floats + 1) * sizeof(float);
    Ptq ptq = {.images = images,
               .float_stats =
                   memcpy(rt_alloc(stat_bytes), stats, stat_bytes - sizeof(float)),
               .result = result,
               .options = options};
    calibration_begin(&ptq.base, config, &net, images->count, params, stats);
    ptq.base.round = options->round;
    ptq.base.correct = options->correct;
    bool stopped = false;
    for (int i = 0; i < net.op_count && !stopped; i++) {
        run_op(&ptq, &net.ops[i]);
        calibration_release(&ptq.base, i);
        stopped = options->stop && *options->stop;
    }
    const Values *scores =
        calibration_values(&ptq.base, net.ops[net.op_count - 1].out[DENSE_y]);
    result->labelled = !images->unlabelled;
    result->float_accuracy = accuracy(images, scores->f, scores->f, config->class_count);
    result->quantised_accuracy =
        accuracy(images, scores->f, scores->q, config->class_count);
    calibration_end(&ptq.base);
    free(ptq.float_stats);
    net_free(&net);
    return !stopped || rt_fail("interrupted");
}
