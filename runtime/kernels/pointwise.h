/* Pixel by pixel ops with their geometry as an argument: what generated code calls where
 * its compiler does not vectorise (the `call` lowering). They do what the templates'
 * kernels of the same names do; formulas are with those of quantisers in quant.c and BN
 * in kernels.h. */
#ifndef LATHE_POINTWISE_H
#define LATHE_POINTWISE_H

#include "runtime/kernels/point_call.h"
#include "runtime/kernels/quant.h"

/* y = x coef0 + coef1 + r, then the activation; coef [2][c]. coef and r may be NULL. */
void rt_point(const PointCall *p, const float *x, const float *coef, const float *r,
              float *y);
/* Adds the sums of x and x*x per channel to partial [2][c]. */
void rt_bn_stats(const PointCall *p, const float *x, double *partial);
/* Adds the sums of g and g (x - mean) to partial [2][c]; g: what of dy goes back through
 * the activation, by its output y (NULL: all), which takes the place of dy; saved: the
 * means [c]. Without x (and saved) of g alone. */
void rt_point_sums(const PointCall *p, float *dy, const float *y, const float *x,
                   const float *saved, double *partial);
/* dx = coef0 g + (coef1 x + coef2), coef [3][c], or g without coef; dr = g. dx and dr may
 * be NULL. */
void rt_point_backward(const PointCall *p, const float *dy, const float *y,
                       const float *x, const float *coef, float *dx, float *dr);

/* The value before the quantiser: x coef0 + coef1 + r (codes times rstep, or floats). */
typedef struct {
    const float *x, *coef; /* coef NULL: x itself */
    const void *r;         /* or NULL */
    float rstep;
} PointValue;

/* y: codes, round(value / step) within 0..largest. */
void rt_q_point(const PointCall *p, const PointValue *value, float step, int largest,
                uint8_t *y);
/* y = codes * step. */
void rt_q_float(const PointCall *p, const uint8_t *codes, float step, float *y);

/* The quantiser behind a value, on the way back; top: what it clips at, in steps. */
typedef struct {
    RtQuant quant;
    float step, top;
} PointQuantiser;

/* g: dy within the quantiser's range, as its rounding's gradient has it. Adds the sums of
 * g and g (x - mean) to partial [2][c] (NULL: not wanted; without saved of g alone), and
 * of dy times the derivatives by step and by range to learned [2] (NULL: nothing is
 * learned). */
void rt_q_point_sums(const PointCall *p, const PointQuantiser *q, const PointValue *value,
                     const float *dy, const float *saved, double *partial,
                     double *learned);
/* dx and dr as rt_point_backward, for that g; affine [3][c] or NULL. */
void rt_q_point_backward(const PointCall *p, const PointQuantiser *q,
                         const PointValue *value, const float *dy, const float *affine,
                         float *dx, float *dr);

#endif
