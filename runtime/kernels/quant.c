/* Quantisers: see quant.h. Gradients of rounding take r = x - round(x), x in steps, and
 * multiply g by: ewgs 1 + a sign(g) r (Lee et al. 2021); psgd 1 + a sign(g) |r| (Kim et
 * al. 2020); tanh 1 + a/2 sign(g) tanh(4 k r); invtanh 1 + a/2 sign(g) atanh(1.9 k r) /
 * atanh(0.95 k). */
#include "runtime/kernels/quant.h"

#include "runtime/base/elementary.h"

#include <math.h>
#include <string.h>

static const float least_step = 1.0f / 256;

int rt_quant_codes(int bits, bool is_signed)
{
    return (1 << (is_signed ? bits - 1 : bits)) - 1;
}

static float clamp(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static float power_step(float step)
{
    return rt_nearest_power(clamp(step, least_step, 1));
}

/* The largest value that a range may have. */
static float most_range(const RtQuant *quant)
{
    float most = quant->is_signed ? 127 : 255;
    return quant->ceiling > 0 && quant->ceiling < most ? quant->ceiling : most;
}

/* What a number is held to below the ceiling's `share`-th part. */
static float below_ceiling(const RtQuant *quant, float number, int share)
{
    float most = quant->ceiling / (float)share;
    return quant->ceiling > 0 && number > most ? most : number;
}

float rt_quant_step(const RtQuant *quant, float step, float range, int *largest)
{
    int codes = rt_quant_codes(quant->bits, quant->is_signed);
    *largest = codes;
    if (quant->quantizer == RT_QUANT_STATIC)
        return below_ceiling(quant, range, 1) / (float)codes;
    if (quant->quantizer == RT_QUANT_STEP)
        return below_ceiling(quant, step, codes);
    float d = power_step(step);
    int most = rt_quant_codes(8, quant->is_signed);
    float top = clamp(range, least_step, most_range(quant));
    *largest = (int)clamp(rintf(top / d), 1, (float)most);
    return d;
}

float rt_quant_top(const RtQuant *quant, float step, float range)
{
    int largest;
    float d = rt_quant_step(quant, step, range, &largest);
    if (quant->quantizer != RT_QUANT_STEP_RANGE)
        return (float)largest;
    return clamp(clamp(range, least_step, most_range(quant)) / d, 1,
                 (float)rt_quant_codes(8, quant->is_signed));
}

void rt_quant_clamp(const RtQuant *quant, int count, float *step, float *range)
{
    for (int i = 0; i < count; i++) {
        if (quant->quantizer == RT_QUANT_STEP)
            step[i] = below_ceiling(quant, step[i] < 1e-8f ? 1e-8f : step[i],
                                    rt_quant_codes(quant->bits, quant->is_signed));
        if (quant->quantizer != RT_QUANT_STEP_RANGE)
            continue;
        step[i] = clamp(step[i], least_step, 1);
        float d = power_step(step[i]), top = most_range(quant);
        float most = (float)rt_quant_codes(8, quant->is_signed) * d;
        range[i] = clamp(range[i], d, most < top ? most : top);
    }
}

int rt_quant_bits(const RtQuant *quant, float step, float range)
{
    if (quant->quantizer != RT_QUANT_STEP_RANGE)
        return quant->bits;
    int largest, bits = 0, least = quant->is_signed ? 2 : 1;
    rt_quant_step(quant, step, range, &largest);
    while ((1 << bits) - 1 < largest)
        bits++;
    bits += quant->is_signed;
    return bits < least ? least : bits;
}

float rt_rounding_gradient(const RtQuant *quant, float g, float r)
{
    float a = g < 0 ? -quant->scale : quant->scale, k = quant->steepness;
    switch (quant->rounding) {
    case ROUND_EWGS:
        return g * (1 + a * r);
    case ROUND_PSGD:
        return g * (1 + a * fabsf(r));
    case ROUND_TANH:
        return g * (1 + a / 2 * rt_tanh(4 * k * r));
    case ROUND_INVTANH:
        return g * (1 + a / 2 * rt_atanh(1.9f * k * r) / rt_atanh(0.95f * k));
    default:
        return g;
    }
}

/* The input's channel that the i-th weight of a tap multiplies, of output channel o. */
static int channel_of(const RtWeights *weights, int o, int i)
{
    return weights->groups > 1 ? o / (weights->k / weights->groups) * weights->c + i : i;
}

static float factor_of(const RtWeights *weights, int o, int i)
{
    return weights->factor ? weights->factor[channel_of(weights, o, i)] : 1;
}

static double zero_of(const RtWeights *weights, int o, int i)
{
    return weights->zero ? weights->zero[channel_of(weights, o, i)]
                         : weights->zero_of_all;
}

/* Where the code of output channel o goes: its word, and the byte in it. */
static uint32_t *word_of(const RtWeights *weights, uint32_t *codes, int o, int tap, int i,
                         int *byte)
{
    int c = weights->c, block = rt_code_block(weights->k);
    int words = rt_code_words(weights->taps, c, weights->groups);
    int at = weights->groups > 1 ? tap * c + i : tap * ((c + 3) / 4 * 4) + i;
    *byte = at % 4;
    return codes + ((size_t)(o / block) * words + at / 4) * block + o % block;
}

void rt_quant_weights(const RtWeights *weights, const float *w, const float *step,
                      const float *range, uint32_t *codes, float *values, float *scales)
{
    int c = weights->c, k = weights->k, byte;
    if (codes)
        memset(codes, 0,
               (size_t)rt_code_words(weights->taps, c, weights->groups) * k *
                   sizeof *codes);
    for (int o = 0; o < k; o++) {
        int which = weights->steps == 1 ? 0 : o, largest;
        float s = rt_quant_step(&weights->quant, step ? step[which] : 0,
                                range ? range[which] : 0, &largest);
        double offset = 0;
        for (int t = 0; t < weights->taps; t++) {
            for (int i = 0; i < c; i++) {
                size_t at = ((size_t)t * c + i) * k + o;
                float x = w[at] * factor_of(weights, o, i);
                float code = rintf(clamp(x / s, (float)-largest, (float)largest));
                offset -= (double)code * zero_of(weights, o, i);
                if (values)
                    values[at] = code * s;
                if (codes) {
                    uint32_t *word = word_of(weights, codes, o, t, i, &byte);
                    *word |= (uint32_t)((int)code & 255) << 8 * byte;
                }
            }
        }
        if (scales) {
            scales[o] = s;
            scales[k + o] = (float)offset;
        }
    }
}

/* The gradient by one value x with quantised gradient g; adds the derivatives by step and
 * range to sums. LSQ's by step: round(v) - v inside, the end code outside. Step and
 * range: (q(x) - x) / d inside, by range +-1 outside. */
static float value_gradient(const RtQuant *quant, float x, float s, float top, float g,
                            double *dstep, double *drange)
{
    float v = x / s, low = quant->is_signed ? -top : 0, high = top;
    float r = v - rintf(v);
    if (v >= low && v <= high) {
        *dstep += g * -r;
        return rt_rounding_gradient(quant, g, r);
    }
    float end = v > high ? high : low;
    if (quant->quantizer == RT_QUANT_STEP)
        *dstep += g * end;
    *drange += v > high ? g : quant->is_signed ? -g : 0;
    return 0;
}

/* Scales summed derivatives to what the optimiser gets. LSQ: times 1 / sqrt(Q n), kept
 * within the step; step and range: times d / step, from the straight-through exponent. */
static void add_quantizer_gradient(const RtQuant *quant, double n, float step,
                                   float range, double by_step, double by_range,
                                   float *dstep, float *drange)
{
    int largest;
    float s = rt_quant_step(quant, step, range, &largest);
    if (quant->quantizer == RT_QUANT_STEP) {
        double scaled = by_step / sqrt(largest * n);
        *dstep += (float)fmin(fmax(scaled, -step), step);
    } else if (quant->quantizer == RT_QUANT_STEP_RANGE) {
        *dstep += (float)(by_step * s / clamp(step, least_step, 1));
        *drange += (float)by_range;
    }
}

void rt_quant_weights_backward(const RtWeights *weights, const float *w,
                               const float *step, const float *range,
                               const float *dvalues, float *dw, float *dstep,
                               float *drange)
{
    int c = weights->c, k = weights->k;
    double by_step = 0, by_range = 0;
    for (int o = 0; o < k; o++) {
        int which = weights->steps == 1 ? 0 : o, largest;
        float s = rt_quant_step(&weights->quant, step ? step[which] : 0,
                                range ? range[which] : 0, &largest);
        float top = rt_quant_top(&weights->quant, step ? step[which] : 0,
                                 range ? range[which] : 0);
        for (size_t i = 0; i < (size_t)weights->taps * c; i++) {
            float factor = factor_of(weights, o, (int)(i % c));
            dw[i * k + o] +=
                factor * value_gradient(&weights->quant, w[i * k + o] * factor, s, top,
                                        dvalues[i * k + o], &by_step, &by_range);
        }
        if (dstep == NULL || (weights->steps == 1 && o + 1 < k))
            continue;
        double n = (double)weights->taps * c * (weights->steps == 1 ? k : 1);
        float unused = 0;
        add_quantizer_gradient(&weights->quant, n, step[which], range ? range[which] : 0,
                               by_step, by_range, dstep + which,
                               drange ? drange + which : &unused);
        by_step = by_range = 0;
    }
}

void rt_quant_activation_finish(const RtQuant *quant, double n, const double *sums,
                                const float *step, const float *range, float *dstep,
                                float *drange)
{
    float unused = 0;
    add_quantizer_gradient(quant, n, *step, range ? *range : 0, sums[0], sums[1], dstep,
                           drange ? drange : &unused);
}
