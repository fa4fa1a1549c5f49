/* Quantisers: effective steps, codes of weights, gradients, and the integer constants of
 * the shipped arithmetic. Codes are integers times a step; weights are signed and
 * symmetric, activations after ReLU unsigned. */
#ifndef LATHE_QUANT_H
#define LATHE_QUANT_H

#include "runtime/base/elementary.h" /* rt_tanh, rt_atanh: for generated code as well */
#include "runtime/rt.h"

/* Quantisers, and gradients of rounding: X(NAME, word of configs). */
#define RT_QUANTIZERS(X)                                                                 \
    X(NONE, "none")                                                                      \
    X(STATIC, "uniform_static")                                                          \
    X(STEP, "parametric_d")                                                              \
    X(STEP_RANGE, "parametric_d_xmax")
#define RT_ROUNDINGS(X)                                                                  \
    X(STE, "ste")                                                                        \
    X(EWGS, "ewgs")                                                                      \
    X(PSGD, "psgd")                                                                      \
    X(TANH, "tanh")                                                                      \
    X(INVTANH, "invtanh")

typedef enum {
#define QUANTIZER(name, word) RT_QUANT_##name,
    RT_QUANTIZERS(QUANTIZER)
#undef QUANTIZER
} RtQuantizer;
typedef enum {
#define ROUNDING(name, word) ROUND_##name,
    RT_ROUNDINGS(ROUNDING)
#undef ROUNDING
} RtRounding;

typedef struct {
    RtQuantizer quantizer;
    int bits; /* 2..8 for weights, 1..8 for activations; learned: where bits begin */
    bool is_signed; /* weights */
    RtRounding rounding;
    float scale, steepness; /* of the rounding gradient's correction */
    float ceiling; /* activations: ReLU6's 6, which no range goes beyond; else 0 */
} RtQuant;

/* The largest code of `bits` bits: 2^(bits-1) - 1 for weights, 2^bits - 1 for
 * activations. */
int rt_quant_codes(int bits, bool is_signed);

/* The step in use, and its largest code, from the trained or calibrated numbers: static:
 * range / Q. step (LSQ, Esser et al. 2019): step itself. step and range (Uhlich et al.
 * 2019): d = 2^round(log2 step), at most the largest code of 8 bits, at least 1. With a
 * ceiling, step and range are no larger than lets the largest code be that. */
float rt_quant_step(const RtQuant *quant, float step, float range, int *largest);

/* The range in steps: what lies above is clipped. The largest code, but for a trained
 * range, which may lie between two codes. */
float rt_quant_top(const RtQuant *quant, float step, float range);

/* Keep trained numbers where they have a gradient: step in 2^-8..1 and range in d..127
 * (activations 255) and at most 255 (weights 127) codes; a step alone stays positive. */
void rt_quant_clamp(const RtQuant *quant, int count, float *step, float *range);

/* Bits in use (Uhlich et al. 2019): ceil(log2(largest + 1)), plus the sign; at least 1,
 * 2. */
int rt_quant_bits(const RtQuant *quant, float step, float range);

/* A gradient g on its way back through rounding, r = v - round(v) for the value v in
 * steps; the formulas are in the file. */
float rt_rounding_gradient(const RtQuant *quant, float g, float r);

/* Weights [taps][c][k] of one layer; in groups, c are the channels that one output
 * channel sees. `factor` multiplies input channels before quantising (the image's
 * deviations) and `zero` is the code that means 0 (the image's means), by channel of the
 * whole input; NULL: 1, zero_of_all. step and range have `steps` numbers: 1 or k. */
typedef struct {
    RtQuant quant;
    int taps, c, k, groups, steps;
    const float *factor, *zero;
    int zero_of_all; /* instead of zero: the code of every channel that means 0 */
} RtWeights;

/* Words of codes lie in blocks of this many output channels, so that a kernel that takes
 * a block after the other reads them from first to last. */
static inline int rt_code_block(int k)
{
    return k % 32 == 0 ? 32 : k;
}

/* Words of codes of one output channel: channels of each tap in fours, or, in groups, all
 * its weights in fours, so that depthwise ones are four taps. */
static inline int rt_code_words(int taps, int c, int groups)
{
    return groups > 1 ? (taps * c + 3) / 4 : taps * ((c + 3) / 4);
}

/* Codes as 32-bit words [k / block][words][block], the code 4i + b of a tap, or of a
 * group's output, in bits 8b..8b+7; the quantised values [taps][c][k]; and scales [2][k],
 * the step of each output channel and what `zero` adds to its sum of products. Any of the
 * results may be NULL. */
void rt_quant_weights(const RtWeights *weights, const float *w, const float *step,
                      const float *range, uint32_t *codes, float *values, float *scales);
/* From the gradient by quantised values: adds to those of weights, step and range. The
 * quantisers' formulas are in the file. */
void rt_quant_weights_backward(const RtWeights *weights, const float *w,
                               const float *step, const float *range,
                               const float *dvalues, float *dw, float *dstep,
                               float *drange);

/* An activation's two gradient sums: of g times the derivatives by step and by range.
 * Adds to dstep and drange. n: values per image. */
void rt_quant_activation_finish(const RtQuant *quant, double n, const double *sums,
                                const float *step, const float *range, float *dstep,
                                float *drange);

/* The integer arithmetic of one layer and output channel:
 *   code = clamp((acc * m + other * r + b) >> shift, 0, largest)
 * where b contains 2^(shift - 1), and `other` is the residual's code or a projection's sum. */
typedef struct {
    int64_t *b;     /* [k] */
    int32_t *m, *r; /* [k]; r 0 without a residual */
    int32_t shift, largest;
} RtRequant;

/* What they come from, per channel, in units of the output's step: y = gain * acc +
 * other_gain * other + offset. Bounds are on |acc| and |other|. */
typedef struct {
    double *gain, *offset, *other_gain; /* [k] */
    double most_acc, most_other;
} RtReal;

/* Choose shift (1..62) as large as m and r fit 32 bits and no 64-bit sum can overflow,
 * and round. False when even shift 1 overflows, or a shifted sum does not fit 32 bits. */
bool rt_requant_derive(int k, const RtReal *real, int largest, RtRequant *requant);

/* Something in integers: products of codes with a step of `step` and weights with
 * `scales` [2][k]; or, without scales, codes, or a stream, with that step. Then batch
 * normalisation `coef` [2][k], or NULL. `most` bounds its size. */
typedef struct {
    const float *scales, *coef;
    double step, most;
    int zero; /* of codes alone: the one that means 0 */
} RtSum;

/* b, m, r and shift[2] = {shift, largest} of a layer: sum (and other, or NULL) to codes
 * of step `step`, of which `zero` means 0. With a slope, of a leaky ReLU, there are those
 * of slope times the value as well, b, m and r are [2][k], and of the two sums the larger
 * one is shifted: max(v, slope v) where slope <= 1. Compiled without contraction of a * b + c, so
 * that every build derives the same integers. False and rt_fail when they cannot be
 * represented. */
bool rt_layer_constants(int k, const RtSum *sum, const RtSum *other, double step,
                        int zero, double slope, int largest, int64_t *b, int32_t *m,
                        int32_t *r, int32_t *shift);
/* The same to a stream, 32-bit sums that are not clamped: *unit, what 1 of it
 * stands for, is the smallest with which none can be larger than RT_STREAM_MOST.
 * shift[1] is unused. */
#define RT_STREAM_MOST (1 << 30)
bool rt_stream_constants(int k, const RtSum *sum, const RtSum *other, double *unit,
                         int64_t *b, int32_t *m, int32_t *r, int32_t *shift);
/* The dense layer's integer bias [k], in 64 bits to `wide` where that is not NULL and in
 * 32 to `narrow` otherwise, and what one unit of a score is: the step of the mean over
 * `pixels` codes times the weights' step. `most` bounds a sum of products; false and
 * rt_fail when it and the bias do not fit. */
bool rt_dense_constants(int k, const float *scales, const float *bias, double step,
                        int pixels, double most, int32_t *narrow, int64_t *wide,
                        float *scale);
/* What generated code does when constants cannot be represented: the pass goes on, with
 * scores that mean nothing, and the step is marked failed. */
void rt_require(Step *step, bool ok, const char *layer);

/* A row of the trainer's table of what its quantisers quantise. */
typedef struct RtSized {
    const char *name; /* the layer */
    RtQuant quant;
    long numbers; /* weights in all, or activations per image */
    int steps;    /* quantisers: 1, or one per output channel */
    bool is_activation;
    long step, range; /* floats into params, -1 when not trained */
} RtSized;

#endif
