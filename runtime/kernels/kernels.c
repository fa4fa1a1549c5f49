/* Work of generated networks whose text does not depend on the network: see kernels.h. */
#include "runtime/kernels/kernels.h"

#include "runtime/base/elementary.h"
#include "runtime/base/random.h"

#include <math.h>

void rt_bn_fold(const BnCall *bn, float *coef)
{
    for (int c = 0; c < bn->channels; c++) {
        double bias = bn->bias ? bn->bias[c] : 0, factor = 1, shift = bias;
        if (bn->scale) {
            factor = bn->scale[c] / sqrt(bn->var[c] + bn->eps);
            shift = bn->shift[c] + (bias - bn->mean[c]) * factor;
        }
        coef[c] = (float)factor;
        coef[bn->channels + c] = (float)shift;
    }
}

/* Of a channel: mean of x + bias, unbiased variance. */
typedef struct {
    double mean, var;
} Moments;

/* From the channel's sums over `count` values: coef and saved, too. */
static Moments normalise(const BnCall *bn, int c, long count, const double *sums,
                         float *coef, float *saved)
{
    int channels = bn->channels;
    double mean = sums[c] / count;
    double square = sums[channels + c] / count;
    double var = fmax(square - mean * mean, 0);
    double factor = 1 / sqrt(var + bn->eps);
    saved[c] = (float)mean;
    saved[channels + c] = (float)factor;
    coef[c] = (float)(bn->scale[c] * factor);
    coef[channels + c] = (float)(bn->shift[c] - mean * bn->scale[c] * factor);
    return (Moments){mean + (bn->bias ? bn->bias[c] : 0),
                     count > 1 ? var * count / (count - 1) : var};
}

static void move(float *running, double momentum, double to)
{
    *running += (float)(momentum * (to - *running));
}

void rt_bn_finish(const BnCall *bn, long count, const double *sums, float *mean,
                  float *var, float *coef, float *saved)
{
    for (int c = 0; c < bn->channels; c++) {
        Moments it = normalise(bn, c, count, sums, coef, saved);
        move(&mean[c], bn->momentum, it.mean);
        move(&var[c], bn->momentum, it.var);
    }
}

void rt_bn_finish_chunk(const At *at, const BnCall *bn, long count, const double *sums,
                        float *coef, float *saved, float *moments)
{
    double images = end_of_chunk(at) - first_of_chunk(at);
    double share = images / at->step->count;
    for (int c = 0; c < bn->channels; c++) {
        Moments it = normalise(bn, c, count, sums, coef, saved);
        moments[c] = (float)(share * it.mean);
        moments[bn->channels + c] = (float)(share * it.var);
    }
}

void rt_bn_running(int channels, double momentum, const float *moments, float *mean,
                   float *var)
{
    for (int c = 0; c < channels; c++) {
        move(&mean[c], momentum, moments[c]);
        move(&var[c], momentum, moments[channels + c]);
    }
}

void rt_point_finish(int channels, long count, const double *sums, const float *scale,
                     const float *saved, float *coef, float *dscale, float *dshift)
{
    for (int c = 0; c < channels; c++) {
        double mean = saved[c], factor = saved[channels + c];
        double sum = sums[c];
        double sum_xhat = sums[channels + c] * factor;
        dshift[c] += (float)sum;
        dscale[c] += (float)sum_xhat;
        double by_g = scale[c] * factor;
        double by_x = -by_g * factor * sum_xhat / count;
        coef[c] = (float)by_g;
        coef[channels + c] = (float)by_x;
        coef[2 * channels + c] = (float)(-by_g * sum / count - by_x * mean);
    }
}

void rt_bias_finish(int channels, const double *sums, float *dbias)
{
    for (int c = 0; c < channels; c++)
        dbias[c] += (float)sums[c];
}

void rt_dropout(const At *at, const DropoutCall *call, const float *x, float *y)
{
    const int *indices = at->step->indices;
    uint64_t image = (uint64_t)(indices ? indices[at->image] : at->image);
    uint64_t key =
        random_bits(random_bits(at->step->dropout_key, image), (uint64_t)call->layer);
    unsigned least = (unsigned)(call->rate * 65536 + 0.5);
    float scale = 65536.0f / (float)(65536 - least);
    uint64_t bits = 0, place = 0; /* four values to a number */
    for (int h = 0; h < call->h; h++, x += call->x_row, y += call->y_row)
        for (int i = 0; i < call->width; i++, place++, bits >>= 16) {
            if (place % 4 == 0)
                bits = random_bits(key, place / 4);
            float value = (bits & 65535) >= least ? x[i] * scale : 0;
            y[i] = call->add ? y[i] + value : value;
        }
}

static int best_of(const float *scores, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

/* Logarithm of the sum of e^(score / temperature). */
static double log_total(const float *scores, int classes, double most, double temperature)
{
    double total = 0;
    for (int k = 0; k < classes; k++)
        total += rt_exp((scores[k] - most) / temperature);
    return rt_log(total) + most / temperature;
}

/* The teachers' part of loss and gradient, added to the labels'. */
static double taught_loss(const Step *step, int image, int classes, double most,
                          float *dy)
{
    const float *scores = step->logits + (size_t)image * classes;
    const float *taught = step->taught + (size_t)image * classes;
    double t = step->temperature, weight = step->distill;
    double total = log_total(scores, classes, most, t), loss = 0;
    for (int k = 0; k < classes; k++) {
        double log_share = scores[k] / t - total;
        if (taught[k] > 0)
            loss += taught[k] * (rt_log(taught[k]) - log_share);
        dy[k] += (float)(weight * t * (rt_exp(log_share) - taught[k]) * step->loss_scale);
    }
    return weight * t * t * loss;
}

void rt_softmax_loss(const Step *step, int image, int classes, float *dy, double *sums)
{
    const float *scores = step->logits + (size_t)image * classes;
    int label = step->labels[image], best = best_of(scores, classes);
    int other = step->shares ? step->others[image] : label;
    double share = step->shares ? step->shares[image] : 1;
    double mean_score = 0;
    for (int k = 0; k < classes; k++)
        mean_score += scores[k];
    mean_score /= classes;
    double mixed = share * scores[label] + (1 - share) * scores[other];
    double total = log_total(scores, classes, scores[best], 1);
    double smoothing = step->label_smoothing,
           weight = step->taught ? 1 - step->distill : 1;
    sums[0] += weight * (total - (1 - smoothing) * mixed - smoothing * mean_score);
    sums[1] += best == label;
    for (int k = 0; k < classes; k++) {
        double own = (k == label ? share : 0) + (k == other ? 1 - share : 0);
        double target = smoothing / classes + (1 - smoothing) * own;
        dy[k] = (float)(weight * (rt_exp(scores[k] - total) - target) * step->loss_scale);
    }
    if (step->taught)
        sums[0] += taught_loss(step, image, classes, scores[best], dy);
}

void rt_loss_finish(Step *step, const double *sums)
{
    step->loss = sums[0];
    step->correct = (int)sums[1];
}

/* Rows first .. end - 1 of dy with x before it, added to sums. */
static void add_rows(int first, int end, int k, const float *x, const float *dy,
                     float *sums)
{
    for (int i = first; i < end; i++)
        for (int j = 0; j < k; j++)
            sums[(size_t)i * k + j] += x[i] * dy[j];
}

void rt_dense_weight(const Step *step, int task, int tasks, int c, int k, const float *x,
                     size_t x_stride, const float *dy, size_t dy_stride, float *dw,
                     float *db, float *sums)
{
    static const float one = 1;
    int first = (int)((long)c * task / tasks), end = (int)((long)c * (task + 1) / tasks);
    long count = (c + 1L) * k, from = (long)first * k, size = (long)(end - first) * k;
    long bias = (long)c * k, biases = task == 0 ? k : 0;
    At at = {.step = (Step *)step, .chunk = first_own(step)};
    for (int done = 0; at.chunk < end_own(step); done++, at.chunk++) {
        float *to = rt_tree_begin(sums, count, done, from, size);
        rt_tree_begin(sums, count, done, bias, biases);
        for (int i = first_of_chunk(&at); i < end_of_chunk(&at); i++) {
            add_rows(first, end, k, x + i * x_stride, dy + i * dy_stride, to);
            add_rows(0, task == 0, k, &one, dy + i * dy_stride, to + bias);
        }
        rt_tree_end(sums, count, done, from, size);
        rt_tree_end(sums, count, done, bias, biases);
    }
    rt_tree_total(sums, from, size, dw);
    rt_tree_total(sums + bias, 0, biases, db);
}
