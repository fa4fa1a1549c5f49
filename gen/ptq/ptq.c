/* Post-training quantisation, layer by layer: see ptq.h. Values of all images are kept
 * twice, as the float network has them and as the quantised one does, only as long as a
 * layer to come reads them. */
#include "gen/ptq/ptq.h"

#include "gen/passes/passes.h"
#include "gen/ptq/calibrate.h"
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
    const Tensor *y = &c->net->tensors[op->out[0]];
    Values *out = calibration_values(c, op->out[0]);
    double deviation = image_deviation(c->config, y->c);
    long count = (long)c->images * tensor_count(y);
    for (long i = 0; i < count; i++)
        out->f[i] = out->q[i] =
            (float)((ptq->images->pixels[i] - c->config->mean[i % y->c]) / deviation);
    for (int i = 0; i < y->c; i++) {
        out->pad[i] =
            (float)((floor(c->config->mean[i] + 0.5) - c->config->mean[i]) / deviation);
        out->factor[i] = (float)(deviation / c->config->std[i]);
    }
    out->is_image = true;
}

/* y = x coef0 + coef1 (+ residual), ReLU, quantise; both networks. */
static void run_point(Ptq *ptq, const Op *op)
{
    Calibration *c = &ptq->base;
    const Tensor *y = &c->net->tensors[op->out[0]];
    const Values *x = calibration_values(c, op->in[0]);
    const Values *residual = op->in[2] == NONE ? NULL : calibration_values(c, op->in[2]);
    Values *out = calibration_values(c, op->out[0]);
    float *coef_f = rt_alloc(2 * y->c * sizeof(float)),
          *coef_q = rt_alloc(2 * y->c * sizeof(float));
    for (int i = 0; i < y->c; i++)
        coef_f[i] = coef_q[i] = 1;
    const Op *fold = op->in[1] == NONE ? NULL : calibration_producer(c, op->in[1]);
    if (fold) {
        const Tensor *p[4];
        for (int i = 0; i < 4; i++)
            p[i] = &c->net->tensors[fold->in[i]];
        rt_bn_fold(y->c, c->params + p[0]->offset, c->params + p[1]->offset,
                   ptq->float_stats + p[2]->offset, ptq->float_stats + p[3]->offset,
                   coef_f);
        rt_bn_fold(y->c, c->params + p[0]->offset, c->params + p[1]->offset,
                   c->stats + p[2]->offset, c->stats + p[3]->offset, coef_q);
    }
    long count = (long)c->images * tensor_count(y);
    for (long i = 0; i < count; i++) {
        int k = (int)(i % y->c);
        float f =
            x->f[i] * coef_f[k] + coef_f[y->c + k] + (residual ? residual->f[i] : 0);
        float q =
            x->q[i] * coef_q[k] + coef_q[y->c + k] + (residual ? residual->q[i] : 0);
        out->f[i] = op->relu && f < 0 ? 0 : f;
        out->q[i] = op->relu && q < 0 ? 0 : q;
    }
    free(coef_f);
    free(coef_q);
    if (op->own.quantizer != RT_QUANT_NONE)
        calibrate_activation(c, op, out->q, count);
}

/* Subsample, pools: the same for both networks. */
static void move_values(const Calibration *c, const Op *op, const float *from, float *to)
{
    const Tensor *x = &c->net->tensors[op->in[0]], *y = &c->net->tensors[op->out[0]];
    for (int n = 0; n < c->images; n++, from += tensor_count(x), to += tensor_count(y)) {
        for (int i = 0; i < tensor_count(y); i++)
            to[i] = op->kind == OP_MAXPOOL ? -INFINITY : 0;
        for (int h = 0; h < y->h; h++)
            for (int w = 0; w < y->w; w++)
                for (int k = 0; k < x->c; k++) {
                    float *out =
                        to + ((long)h * y->w + w) * y->c + k + op->channel_offset;
                    int rows = op->kind == OP_SUBSAMPLE ? 1
                               : op->kind == OP_AVGPOOL ? x->h
                                                        : op->kernel_h;
                    int columns = rows == x->h && op->kind == OP_AVGPOOL ? x->w : rows;
                    for (int r = 0; r < rows; r++)
                        for (int s = 0; s < columns; s++) {
                            int row = h * op->stride - op->pad_top + r;
                            int column = w * op->stride - op->pad_left + s;
                            if (row < 0 || row >= x->h || column < 0 || column >= x->w)
                                continue;
                            float value = from[((long)row * x->w + column) * x->c + k];
                            if (op->kind == OP_MAXPOOL)
                                *out = value > *out ? value : *out;
                            else
                                *out += op->kind == OP_AVGPOOL
                                            ? value / (float)(x->h * x->w)
                                            : value;
                        }
                }
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
    const Values *out = calibration_values(c, op->out[0]);
    long count = (long)c->images * tensor_count(&c->net->tensors[op->out[0]]);
    double snr = decibels(out->f, out->q, count);
    bool weights = op->kind == OP_CONV || op->kind == OP_DENSE;
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
    Calibration *c = &ptq->base;
    const Values *x = op->in[0] == NONE ? NULL : calibration_values(c, op->in[0]);
    switch (op->kind) {
    case OP_IMAGE:
        run_image(ptq, op);
        break;
    case OP_CONV:
    case OP_DENSE:
        calibrate_weights(c, op);
        break;
    case OP_POINT:
        run_point(ptq, op);
        break;
    case OP_SUBSAMPLE:
    case OP_MAXPOOL:
    case OP_AVGPOOL: {
        Values *out = calibration_values(c, op->out[0]);
        move_values(c, op, x->f, out->f);
        move_values(c, op, x->q, out->q);
        break;
    }
    default: /* BN_FOLD: read by its POINT */
        return;
    }
    if (op->own.quantizer != RT_QUANT_NONE)
        report_layer(ptq, op);
}

bool ptq_run(const Config *config, const PtqOptions *options, const ImageSet *images,
             float *params, float *stats, PtqResult *result)
{
    Net net = net_copy(&config->net);
    pass_fuse(&net);
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
        calibration_values(&ptq.base, net.ops[net.op_count - 1].out[0]);
    result->labelled = !images->unlabelled;
    result->float_accuracy = accuracy(images, scores->f, scores->f, config->class_count);
    result->quantised_accuracy =
        accuracy(images, scores->f, scores->q, config->class_count);
    calibration_end(&ptq.base);
    free(ptq.float_stats);
    net_free(&net);
    return !stopped || rt_fail("interrupted");
}
