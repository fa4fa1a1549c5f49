/* Pixel by pixel ops on codes, for any geometry: see pointwise.h and blocks.h. */
#include "runtime/kernels/pointwise.h"

#include "runtime/kernels/blocks.h"

static const float nearest = 0x1.8p23f; /* v + nearest - nearest rounds to even */

/* Whether what a concatenation joins is quantised: codes of other steps. */
INLINE bool joins(const PointCall *p, const PointValue *value)
{
    return !p->relu && value->coef == NULL && value->r == NULL;
}

/* The same of a tensor of codes. */
INLINE size_t code_offset(const PointCall *p, int row, int h, int w, int k)
{
    return (size_t)h * row + (size_t)w * p->stored + k;
}

INLINE f16 load_codes(const uint8_t *from, int width)
{
    typedef uint16_t Wider __attribute__((vector_size(2 * BLOCK)));
    b16 codes = {0};
    if (width == BLOCK)
        codes = *(const b16 *)from;
    else
        memcpy(&codes, from, (size_t)width);
    /* Step by step: gcc 12 makes floats of bytes one by one. */
    const Wider wider = __builtin_convertvector(codes, Wider);
    return __builtin_convertvector(__builtin_convertvector(wider, i16), f16);
}

/* Factors of x for one block. */
typedef struct {
    f16 a, b;
} Factors;

INLINE Factors load_factors(const PointValue *value, int channels, int k, int width)
{
    Factors factors = {{0}, {0}};
    if (value->coef) {
        factors.a = load(value->coef + k, width);
        factors.b = load(value->coef + channels + k, width);
    }
    return factors;
}

/* The values before activation and quantiser of one pixel's block. */
INLINE f16 load_values(const PointCall *p, const PointValue *value,
                       const Factors *factors, int h, int w, int k, int width)
{
    f16 v = load(value->x + offset_of(p, p->x_row, h, w, k), width);
    if (value->coef)
        v = v * factors->a + factors->b;
    if (value->r && p->r_codes)
        v += (load_codes((const uint8_t *)value->r + code_offset(p, p->r_row, h, w, k),
                         width) -
              (float)p->r_zero) *
             value->rstep;
    else if (value->r)
        v += load((const float *)value->r + offset_of(p, p->r_row, h, w, k), width);
    return v;
}

/* x where v > 0, else slope x, of a leaky ReLU; x without one. */
INLINE f16 leak(const PointCall *p, f16 v, f16 x)
{
    return p->slope > 0 ? choose(v > 0, x, x * p->slope) : x;
}

INLINE void q_point_block(const PointCall *p, const PointValue *value, float step,
                          int largest, uint8_t *restrict y, int k, int width)
{
    const float inverse = 1 / step;
    const f16 top = (float)largest + 0.25f - (f16){0};
    const Factors factors = load_factors(value, p->c, k, width);
    for (int h = 0; h < p->h; h++)
        for (int w = 0; w < p->w; w++) {
            f16 v = load_values(p, value, &factors, h, w, k, width);
            v = leak(p, v, v) * inverse + (float)p->zero;
            v = keep(v > 0, v);
            v = keep(v <= top, v) + keep(v > top, top);
            const i16 even = (i16)(v + nearest) & 255; /* of a join, halves go up */
            const i16 up = __builtin_convertvector(v + 0.5f, i16);
            b16 codes = __builtin_convertvector(joins(p, value) ? up : even, b16);
            memcpy(y + code_offset(p, p->y_row, h, w, k), &codes, (size_t)width);
        }
}

/* The channels that fill a pixel of codes up to fours. */
static void clear_rest(const PointCall *p, uint8_t *y)
{
    if (p->stored == p->c)
        return;
    for (int h = 0; h < p->h; h++)
        memset(y + (size_t)h * p->y_row, 0, (size_t)p->w * p->stored);
}

void rt_q_point(const PointCall *p, const PointValue *value, float step, int largest,
                uint8_t *y)
{
    clear_rest(p, y);
#define BODY(k, width) q_point_block(p, value, step, largest, y, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}

void rt_q_float(const PointCall *p, const uint8_t *restrict codes, float step,
                float *restrict y)
{
    for (int h = 0; h < p->h; h++) {
        const uint8_t *from = codes + (size_t)h * p->x_row;
        float *to = y + (size_t)h * p->y_row;
        int pixels = p->stored == p->c ? 1 : p->w, run = p->w * p->c / pixels;
        for (int w = 0; w < pixels; w++, from += p->stored, to += p->c)
            for (int i = 0; i < run; i++)
                to[i] = (float)(from[i] - p->zero) * step;
    }
}

/* ---- Backward ---- */

/* One pixel's block: u, values in steps; e, what rounding takes from them; all, dy; g, dy
 * where u lies within the range. */
typedef struct {
    f16 u, e, all, g;
} Gradient;

INLINE Gradient load_gradient(const PointCall *p, const PointQuantiser *q,
                              const PointValue *value, const Factors *factors,
                              const float *restrict dy, int h, int w, int k, int width)
{
    Gradient it;
    const f16 v = load_values(p, value, factors, h, w, k, width);
    it.u = leak(p, v, v) * (1 / q->step) + (float)p->zero;
    it.all = load(dy + offset_of(p, p->dy_row, h, w, k), width);
    it.e = it.u - (it.u + nearest - nearest);
    const i16 above = joins(p, value) ? it.u >= 0 : it.u > 0;
    it.g = keep(above & (it.u <= q->top), it.all);
    if (q->quant.rounding != ROUND_STE && q->quant.scale > 0)
        for (int i = 0; i < width; i++)
            it.g[i] = rt_rounding_gradient(&q->quant, it.g[i], it.e[i]);
    it.g = leak(p, v, it.g);
    return it;
}

/* dy times the derivatives of the quantised value by step and by range, in steps. */
INLINE void add_learned(const PointQuantiser *q, const Gradient *it, Sums *sums)
{
    const f16 over = keep(it->u > q->top, it->all);
    sums->row[0] -= keep((it->u > 0) & (it->u <= q->top), it->all * it->e);
    if (q->quant.quantizer == RT_QUANT_STEP)
        sums->row[0] += over * q->top;
    sums->row[1] += over;
}

INLINE void q_sums_block(const PointCall *p, const PointQuantiser *q,
                         const PointValue *value, const float *restrict dy,
                         const float *restrict saved, double *partial, double *learned,
                         int k, int width)
{
    const Factors factors = load_factors(value, p->c, k, width);
    Sums sums = {0}, quantiser = {0};
    f16 mean = {0};
    if (saved)
        mean = load(saved + k, width);
    for (int h = 0; h < p->h; h++, end_row(&sums), end_row(&quantiser))
        for (int w = 0; w < p->w; w++) {
            const Gradient it = load_gradient(p, q, value, &factors, dy, h, w, k, width);
            sums.row[0] += it.g;
            if (saved)
                sums.row[1] +=
                    it.g *
                    (load(value->x + offset_of(p, p->x_row, h, w, k), width) - mean);
            if (learned)
                add_learned(q, &it, &quantiser);
        }
    if (partial)
        add_sums(&sums, partial, p->c, k, width);
    for (int s = 0; learned && s < 2; s++)
        for (int i = 0; i < width; i++)
            learned[s] += quantiser.image[s][i];
}

void rt_q_point_sums(const PointCall *p, const PointQuantiser *q, const PointValue *value,
                     const float *dy, const float *saved, double *partial,
                     double *learned){
#define BODY(k, width) q_sums_block(p, q, value, dy, saved, partial, learned, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}

INLINE void q_backward_block(const PointCall *p, const PointQuantiser *q,
                             const PointValue *value, const float *restrict dy,
                             const float *coef, float *restrict dx, float *restrict dr,
                             int k, int width)
{
    const Factors factors = load_factors(value, p->c, k, width);
    const Affine affine = load_affine(coef, p->c, k, width);
    for (int h = 0; h < p->h; h++)
        for (int w = 0; w < p->w; w++) {
            const Gradient it = load_gradient(p, q, value, &factors, dy, h, w, k, width);
            store_gradients(p, &affine, it.g, value->x, dx, dr, h, w, k, width);
        }
}

void rt_q_point_backward(const PointCall *p, const PointQuantiser *q,
                         const PointValue *value, const float *dy, const float *affine,
                         float *dx, float *dr)
{
#define BODY(k, width) q_backward_block(p, q, value, dy, affine, dx, dr, k, width)
    FOR_BLOCKS(p->c, BODY)
#undef BODY
}
