/* Integer convolutions with their geometry as an argument (the `call` lowering), in the
 * vectors the runtime is built for (dots.h); all give the same integers.
 * ConvCall's c are the channels stored for a pixel of codes, its rows and pixels are in
 * elements. */
#ifndef LATHE_CONV_CODES_H
#define LATHE_CONV_CODES_H

#include "runtime/kernels/kernels.h"

/* w: words of four input channels, see rt_quant_weights. y = (sum + scales1) *
 * scales0 * step, scales [2][k]: see RtWeights. */
void rt_q_conv(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
               const float *scales, float step, float *y);

/* What is added to a sum before it is rescaled: a residual's codes, or a projection's
 * sums. */
typedef struct {
    const uint8_t *codes; /* or NULL */
    const int32_t *sums;  /* or NULL */
    int row, pixel;       /* elements from one row, one pixel to the next */
} ConvOther;

/* y = clamp((sum m + other r + b) >> shift[0], 0, shift[1]): see RtRequant. */
void rt_i_conv(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
               const int64_t *b, const int32_t *m, const int32_t *r, const int32_t *shift,
               const ConvOther *other, uint8_t *y);
/* y: the sums themselves. */
void rt_i_conv_sums(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
                    int32_t *y);

#endif
