/* Integer convolutions for any geometry: see conv_codes.h. A tile of pixels x vectors of
 * output channels is summed in registers, its size known to the compiler; what becomes of
 * the sums is a function of its own. */
#include "runtime/kernels/conv_codes.h"

#include "runtime/kernels/dots.h"
#include "runtime/kernels/quant.h"

#define INLINE static inline __attribute__((always_inline))
enum { LANES = DOT_LANES, MOST_PIXELS = 8, MOST_VECTORS = 4 };

/* Sums of `pixels` outputs side by side and `width` channels, [pixels][width]. */
typedef int32_t Sums[MOST_PIXELS * MOST_VECTORS * LANES];

/* The first word of output channel k. */
INLINE const uint32_t *words_of(const ConvCall *conv, const uint32_t *w, int k)
{
    int block = rt_code_block(conv->k), taps = conv->kernel_h * conv->kernel_w;
    int words = rt_code_words(taps, conv->groups > 1 ? conv->own : conv->c, conv->groups);
    return w + (size_t)(k / block) * words * block + k % block;
}

INLINE void sum_tile(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int k,
                     int pixels, int vectors, int32_t *sums)
{
    DotSums s[MOST_PIXELS][MOST_VECTORS];
    int words = conv->kernel_w * conv->c / 4, pixel = conv->stride * conv->c;
    int block = rt_code_block(conv->k);
    const uint32_t *from[MOST_VECTORS];
    for (int v = 0; v < vectors; v++)
        from[v] = words_of(conv, w, k + v * LANES);
    for (int p = 0; p < pixels; p++)
        for (int v = 0; v < vectors; v++)
            s[p][v] = (DotSums){0};
    for (int t = 0; t < conv->kernel_h; t++, x += conv->x_row)
        for (int j = 0; j < words; j++)
            for (int v = 0; v < vectors; v++) {
                const DotSums four = *(const DotSums *)from[v];
                from[v] += block;
                for (int p = 0; p < pixels; p++)
                    s[p][v] = dot(s[p][v], x + 4 * j + p * pixel, four);
            }
    for (int p = 0; p < pixels; p++)
        for (int v = 0; v < vectors; v++)
            *(DotSums *)(sums + (p * vectors + v) * LANES) = s[p][v];
}

/* Channels that do not fill a vector, one at a time. */
static void sum_one(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int k,
                    int32_t *sums)
{
    int words = conv->kernel_w * conv->c / 4, block = rt_code_block(conv->k);
    *sums = 0;
    w = words_of(conv, w, k);
    for (int t = 0; t < conv->kernel_h; t++, x += conv->x_row)
        for (int j = 0; j < words; j++, w += block)
            *sums = dot_i1(*sums, x + 4 * j, *w);
}

/* A vector of depthwise channels: each meets its own code of a word, tap by tap. */
static void sum_each(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int k,
                     int32_t *sums)
{
    int block = rt_code_block(conv->k), tap = 0;
    DotSums s = {0};
    w = words_of(conv, w, k);
    for (int t = 0; t < conv->kernel_h; t++, x += conv->x_row)
        for (int u = 0; u < conv->kernel_w; u++, tap++) {
            const DotSums four = *(const DotSums *)(w + (size_t)(tap / 4) * block);
            s = each(s, x + u * conv->c + k, (DotSums)(four << (24 - tap % 4 * 8)) >> 24);
        }
    *(DotSums *)sums = s;
}

/* One channel of a group, product by product. */
static void sum_group(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int k,
                      int32_t *sums)
{
    int block = rt_code_block(conv->k), at = 0;
    *sums = 0;
    w = words_of(conv, w, k);
    x += k / (conv->k / conv->groups) * conv->own;
    for (int t = 0; t < conv->kernel_h; t++, x += conv->x_row)
        for (int u = 0; u < conv->kernel_w; u++)
            for (int i = 0; i < conv->own; i++, at++)
                *sums += x[u * conv->c + i] *
                         (int8_t)(w[(size_t)(at / 4) * block] >> at % 4 * 8);
}

#define TILE(pixels, vectors)                                                            \
    static void sum_##pixels##x##vectors(const ConvCall *conv, const uint8_t *x,         \
                                         const uint32_t *w, int k, int32_t *sums)        \
    {                                                                                    \
        sum_tile(conv, x, w, k, pixels, vectors, sums);                                  \
    }
TILE(8, 1)
TILE(4, 1)
TILE(2, 1)
TILE(1, 1)
TILE(8, 2)
TILE(4, 2)
TILE(2, 2)
TILE(1, 2)
TILE(4, 4) TILE(2, 4) TILE(1, 4)
#undef TILE

    typedef void SumTile(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int k,
                         int32_t *sums);

/* Tiles from large to small, for as many vectors as divide the channels. */
typedef struct {
    int pixels, width;
    SumTile *sum;
} Tile;
static const Tile by_1[] = {
    {8, LANES, sum_8x1}, {4, LANES, sum_4x1}, {2, LANES, sum_2x1}, {1, LANES, sum_1x1}};
static const Tile by_2[] = {{8, 2 * LANES, sum_8x2},
                            {4, 2 * LANES, sum_4x2},
                            {2, 2 * LANES, sum_2x2},
                            {1, 2 * LANES, sum_1x2}};
static const Tile by_4[] = {
    {4, 4 * LANES, sum_4x4}, {2, 4 * LANES, sum_2x4}, {1, 4 * LANES, sum_1x4}};
static const Tile alone[] = {{1, 1, sum_one}};
static const Tile depthwise[] = {{1, LANES, sum_each}};
static const Tile grouped[] = {{1, 1, sum_group}};

static const Tile *tiles_for(const ConvCall *conv)
{
    int k = conv->k;
    if (conv->groups > 1)
        return conv->own == 1 && conv->groups == k && k % LANES == 0 ? depthwise
                                                                     : grouped;
    return k % LANES              ? alone
           : k % (4 * LANES) == 0 ? by_4
           : k % (2 * LANES) == 0 ? by_2
                                  : by_1;
}

/* What becomes of a tile: outputs (h, p) .. (h, p + pixels - 1), channels k .. k + width
 * - 1. */
typedef void Finish(const ConvCall *conv, const void *how, int h, int p, int pixels,
                    int k, int width, const int32_t *sums);

static void convolve(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
                     Finish *finish, const void *how)
{
    const Tile *tiles = tiles_for(conv);
    Sums sums;
    for (int k = 0; k < conv->k; k += tiles->width)
        for (int h = 0; h < conv->h; h++) {
            const uint8_t *row = x + (size_t)h * conv->stride * conv->x_row;
            const Tile *tile = tiles;
            for (int p = 0; p < conv->w; p += tile->pixels) {
                while (tile->pixels > conv->w - p)
                    tile++;
                tile->sum(conv, row + (size_t)p * conv->stride * conv->c, w, k, sums);
                finish(conv, how, h, p, tile->pixels, k, tile->width, sums);
            }
        }
}

static size_t output(const ConvCall *conv, int h, int p, int k)
{
    return (size_t)h * conv->y_row + (size_t)p * conv->y_pixel + k;
}

typedef struct {
    const float *scales;
    float step;
    float *y;
} ToFloats;

static void to_floats(const ConvCall *conv, const void *how, int h, int p, int pixels,
                      int k, int width, const int32_t *sums)
{
    const ToFloats *to = how;
    const float *scale = to->scales + k, *offset = to->scales + conv->k + k;
    for (int i = 0; i < pixels; i++, sums += width) {
        float *y = to->y + output(conv, h, p + i, k);
        for (int j = 0; j < width; j++)
            y[j] = ((float)sums[j] + offset[j]) * (scale[j] * to->step);
    }
}

void rt_q_conv(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
               const float *scales, float step, float *y)
{
    convolve(conv, x, w, to_floats, &(ToFloats){scales, step, y});
}

typedef struct {
    const int64_t *b;
    const int32_t *m, *r, *shift;
    const ConvOther *other;
    uint8_t *y;
} ToCodes;

/* What is added to the sums of one output, as 32-bit integers. */
static void load_other(const ConvOther *other, int h, int p, int k, int width,
                       int32_t *values)
{
    size_t from = (size_t)h * other->row + (size_t)p * other->pixel + k;
    for (int j = 0; j < width; j++)
        values[j] = other->codes ? other->codes[from + j] : other->sums[from + j];
}

static void to_codes(const ConvCall *conv, const void *how, int h, int p, int pixels,
                     int k, int width, const int32_t *sums)
{
    const ToCodes *to = how;
    int32_t others[MOST_VECTORS * LANES] = {0};
    for (int i = 0; i < pixels; i++, sums += width) {
        uint8_t *y = to->y + output(conv, h, p + i, k);
        if (to->other)
            load_other(to->other, h, p + i, k, width, others);
        for (int j = 0; j < width && width % LANES == 0; j += LANES)
            requantise(*(const DotSums *)(sums + j), *(const DotSums *)(others + j),
                       to->b + k + j, to->m + k + j, to->other ? to->r + k + j : NULL,
                       to->shift[0], to->shift[1], y + j);
        for (int j = 0; j < width && width % LANES != 0; j++)
            requantise_i1(sums[j], others[j], to->b + k + j, to->m + k + j,
                          to->other ? to->r + k + j : NULL, to->shift[0], to->shift[1],
                          y + j);
    }
}

void rt_i_conv(const ConvCall *conv, const uint8_t *x, const uint32_t *w,
               const int64_t *b, const int32_t *m, const int32_t *r, const int32_t *shift,
               const ConvOther *other, uint8_t *y)
{
    convolve(conv, x, w, to_codes, &(ToCodes){b, m, r, shift, other, y});
}

static void to_sums(const ConvCall *conv, const void *how, int h, int p, int pixels,
                    int k, int width, const int32_t *sums)
{
    int32_t *y = *(int32_t *const *)how;
    for (int i = 0; i < pixels; i++, sums += width)
        memcpy(y + output(conv, h, p + i, k), sums, (size_t)width * sizeof *sums);
}

void rt_i_conv_sums(const ConvCall *conv, const uint8_t *x, const uint32_t *w, int32_t *y)
{
    convolve(conv, x, w, to_sums, &y);
}
