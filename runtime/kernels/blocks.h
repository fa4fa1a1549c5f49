/* What pointwise.c and pointwise_codes.c share. Channels go by in blocks of 16, a vector
 * each, whose sums and factors stay in registers while all pixels pass. The last block
 * may be narrower: its width is an argument, which is a constant 16 in the text for all
 * others. */
#ifndef LATHE_BLOCKS_H
#define LATHE_BLOCKS_H

#include "runtime/kernels/point_call.h"
#include "runtime/kernels/vectors.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))
enum { BLOCK = 16 };

/* body(first channel, width) for all channels. */
#define FOR_BLOCKS(channels, body)                                                       \
    for (int k = 0; k < (channels); k += BLOCK) {                                        \
        if ((channels)-k >= BLOCK)                                                       \
            body(k, BLOCK);                                                              \
        else                                                                             \
            body(k, (channels)-k);                                                       \
    }

INLINE f16 load(const float *from, int width)
{
    f16 v = {0};
    if (width == BLOCK)
        return *(const f16 *)from;
    memcpy(&v, from, (size_t)width * sizeof(float));
    return v;
}

INLINE void store(float *to, int width, f16 v)
{
    if (width == BLOCK)
        *(f16 *)to = v;
    else
        memcpy(to, &v, (size_t)width * sizeof(float));
}

/* x where the mask is set, else 0. */
INLINE f16 keep(i16 mask, f16 x)
{
    return (f16)((i16)x & mask);
}

/* x where the mask is set, else y. */
INLINE f16 choose(i16 mask, f16 x, f16 y)
{
    return (f16)(((i16)x & mask) | ((i16)y & ~mask));
}

/* Channel k of pixel (h, w) in a float tensor: elements behind the tensor's first. */
INLINE size_t offset_of(const PointCall *p, int row, int h, int w, int k)
{
    return (size_t)h * row + (size_t)w * p->c + k;
}

/* Two sums of one block; a row's are kept apart from the image's, for fewer roundings. */
typedef struct {
    f16 row[2], image[2];
} Sums;

INLINE void end_row(Sums *sums)
{
    for (int s = 0; s < 2; s++) {
        sums->image[s] += sums->row[s];
        sums->row[s] = (f16){0};
    }
}

INLINE void add_sums(const Sums *sums, double *partial, int c, int k, int width)
{
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < width; i++)
            partial[s * c + k + i] += sums->image[s][i];
}

/* Factors of dx = a g + (b x + c) for one block; without them dx = g. */
typedef struct {
    bool used;
    f16 a, b, c;
} Affine;

INLINE Affine load_affine(const float *coef, int channels, int k, int width)
{
    Affine affine = {.used = coef != NULL};
    if (coef) {
        affine.a = load(coef + k, width);
        affine.b = load(coef + channels + k, width);
        affine.c = load(coef + 2 * channels + k, width);
    }
    return affine;
}

/* dx and dr of one pixel's block, from its g. */
INLINE void store_gradients(const PointCall *p, const Affine *affine, f16 g,
                            const float *restrict x, float *restrict dx,
                            float *restrict dr, int h, int w, int k, int width)
{
    if (dx) {
        float *to = dx + offset_of(p, p->dx_row, h, w, k);
        f16 back = g;
        if (affine->used)
            back = affine->a * g +
                   (affine->b * load(x + offset_of(p, p->x_row, h, w, k), width) +
                    affine->c);
        if (p->add)
            back += load(to, width);
        store(to, width, back);
    }
    if (dr) {
        float *to = dr + offset_of(p, p->dr_row, h, w, k);
        if (p->add_residual)
            g += load(to, width);
        store(to, width, g);
    }
}

#endif
