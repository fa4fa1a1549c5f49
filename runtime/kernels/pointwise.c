/* Pixel by pixel ops on floats, for any geometry: see pointwise.h and blocks.h. */
#include "runtime/kernels/pointwise.h"

#include "runtime/kernels/blocks.h"

INLINE f16 activated(const PointCall *p, f16 v)
{
    if (p->slope > 0)
        return choose(v > 0, v, v * p->slope);
    v = keep(v > 0, v);
    return p->ceiling > 0 ? choose(v < p->ceiling, v, p->ceiling - (f16){0}) : v;
}

INLINE void point_block(const PointCall *p, const float *restrict x,
                        const float *restrict coef, const float *restrict r,
                        float *restrict y, int k, int width)
{
    f16 a = {0}, b = {0};
    if (coef) {
        a = load(coef + k, width);
        b = load(coef + p->c + k, width);
    }
    for (int h = 0; h < p->h; h++)
        for (int w = 0; w < p->w; w++) {
            f16 v = load(x + offset_of(p, p->x_row, h, w, k), width);
            if (coef)
                v = v * a + b;
            if (r)
                v += load(r + offset_of(p, p->r_row, h, w, k), width);
            if (p->relu)
                v = activated(p, v);
            store(y + offset_of(p, p->y_row, h, w, k), width, v);
        }
}

void rt_point(const PointCall *p, const float *x, const float *coef, const float *r,
              float *y){
#define BODY(k, width) point_block(p, x, coef, r, y, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}

INLINE void stats_block(const PointCall *p, const float *restrict x, double *partial,
                        int k, int width)
{
    Sums sums = {0};
    for (int h = 0; h < p->h; h++, end_row(&sums))
        for (int w = 0; w < p->w; w++) {
            f16 v = load(x + offset_of(p, p->x_row, h, w, k), width);
            sums.row[0] += v;
            sums.row[1] += v * v;
        }
    add_sums(&sums, partial, p->c, k, width);
}

void rt_bn_stats(const PointCall *p, const float *x, double *partial){
#define BODY(k, width) stats_block(p, x, partial, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}

/* g: what of dy goes back through the activation, by its output y. */
INLINE f16 load_g(const PointCall *p, const float *restrict dy, const float *restrict y,
                  int h, int w, int k, int width)
{
    f16 g = load(dy + offset_of(p, p->dy_row, h, w, k), width);
    if (y == NULL)
        return g;
    f16 out = load(y + offset_of(p, p->y_row, h, w, k), width);
    if (p->slope > 0)
        return choose(out > 0, g, g * p->slope);
    g = keep(out > 0, g);
    return p->ceiling > 0 ? keep(out < p->ceiling, g) : g;
}

INLINE void sums_block(const PointCall *p, float *restrict dy,
                       const float *restrict y, const float *restrict x,
                       const float *restrict saved, double *partial, int k, int width)
{
    const f16 mean = x ? load(saved + k, width) : (f16){0};
    Sums sums = {0};
    for (int h = 0; h < p->h; h++, end_row(&sums))
        for (int w = 0; w < p->w; w++) {
            f16 g = load_g(p, dy, y, h, w, k, width);
            if (y)
                store(dy + offset_of(p, p->dy_row, h, w, k), width, g);
            sums.row[0] += g;
            if (x)
                sums.row[1] +=
                    g * (load(x + offset_of(p, p->x_row, h, w, k), width) - mean);
        }
    add_sums(&sums, partial, p->c, k, width);
}

void rt_point_sums(const PointCall *p, float *dy, const float *y, const float *x,
                   const float *saved, double *partial){
#define BODY(k, width) sums_block(p, dy, y, x, saved, partial, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}

INLINE void backward_block(const PointCall *p, const float *restrict dy,
                           const float *restrict y, const float *restrict x,
                           const float *restrict coef, float *restrict dx,
                           float *restrict dr, int k, int width)
{
    const Affine affine = load_affine(coef, p->c, k, width);
    for (int h = 0; h < p->h; h++)
        for (int w = 0; w < p->w; w++)
            store_gradients(p, &affine, load_g(p, dy, y, h, w, k, width), x, dx, dr, h, w,
                            k, width);
}

void rt_point_backward(const PointCall *p, const float *dy, const float *y,
                       const float *x, const float *coef, float *dx, float *dr)
{
#define BODY(k, width) backward_block(p, dy, y, x, coef, dx, dr, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}
