/* Antialiased bilinear resampling: see resize.h. Weights are whole numbers, so that every
 * machine gets the same bytes. */
#include "runtime/draw/resize.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>

enum {
    FRACTION = 22,
    HALF = 1 << (FRACTION - 1)
}; /* bits of a weight behind the point */

/* Output i is the sum of `count` inputs from `first[i]` on, times weights[i *
 * most ...]. */
typedef struct {
    int most;
    int *first, *count;
    int32_t *weights;
} Taps;

/* From `size` inputs to `outputs`: a triangle around each output's centre that reaches
 * over one input to each side, or, when there are fewer outputs, over one output. */
static Taps make_taps(int size, int outputs)
{
    double scale = (double)size / outputs, reach = scale > 1 ? scale : 1;
    Taps taps = {.most = (int)ceil(reach) * 2 + 1};
    taps.first = rt_alloc((size_t)outputs * sizeof *taps.first);
    taps.count = rt_alloc((size_t)outputs * sizeof *taps.count);
    taps.weights = rt_alloc((size_t)outputs * (size_t)taps.most * sizeof *taps.weights);
    double *shares = rt_alloc((size_t)taps.most * sizeof *shares);
    for (int i = 0; i < outputs; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int first = (int)(centre - reach + 0.5), end = (int)(centre + reach + 0.5);
        first = centre - reach + 0.5 < 0 ? 0 : first;
        end = end > size ? size : end;
        for (int k = first; k < end; k++) {
            double share = 1 - fabs((k + 0.5 - centre) / reach);
            sum += shares[k - first] = share > 0 ? share : 0;
        }
        for (int k = first; k < end; k++)
            taps.weights[(size_t)i * (size_t)taps.most + (size_t)(k - first)] =
                (int32_t)floor(shares[k - first] / sum * (1 << FRACTION) + 0.5);
        taps.first[i] = first;
        taps.count[i] = end - first;
    }
    free(shares);
    return taps;
}

static void free_taps(Taps *taps)
{
    free(taps->first);
    free(taps->count);
    free(taps->weights);
}

static uint8_t to_byte(int32_t sum)
{
    sum >>= FRACTION;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* A row of pixels, made narrower or wider. Weights add up to about one: no sum
 * overflows. */
static void resize_row(const Taps *taps, int width, int channels, const uint8_t *row,
                       uint8_t *to)
{
    for (int x = 0; x < width; x++) {
        const int32_t *weights = taps->weights + (size_t)x * (size_t)taps->most;
        const uint8_t *from = row + (size_t)taps->first[x] * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            int32_t sum = HALF;
            for (int k = 0; k < taps->count[x]; k++)
                sum += from[(size_t)k * (size_t)channels + (size_t)c] * weights[k];
            *to++ = to_byte(sum);
        }
    }
}

/* Output row y of rows of `stride` values; `sums` is room for one. */
static void add_rows(const Taps *taps, int y, size_t stride, const uint8_t *rows,
                     int32_t *sums, uint8_t *to)
{
    const int32_t *weights = taps->weights + (size_t)y * (size_t)taps->most;
    const uint8_t *row = rows + (size_t)taps->first[y] * stride;
    for (size_t x = 0; x < stride; x++)
        sums[x] = HALF;
    for (int k = 0; k < taps->count[y]; k++, row += stride)
        for (size_t x = 0; x < stride; x++)
            sums[x] += row[x] * weights[k];
    for (size_t x = 0; x < stride; x++)
        to[x] = to_byte(sums[x]);
}

void resize(const Cut *from, int width, int height, uint8_t *to)
{
    int rows = from->bottom - from->top, channels = from->channels;
    size_t stride = (size_t)width * (size_t)channels;
    Taps across = make_taps(from->right - from->left, width);
    Taps down = make_taps(rows, height);
    uint8_t *narrow = rt_alloc((size_t)rows * stride);
    int32_t *sums = rt_alloc(stride * sizeof *sums);
    for (int y = 0; y < rows; y++) {
        size_t place = (size_t)(from->top + y) * (size_t)from->width + (size_t)from->left;
        resize_row(&across, width, channels, from->pixels + place * (size_t)channels,
                   narrow + (size_t)y * stride);
    }
    for (int y = 0; y < height; y++)
        add_rows(&down, y, stride, narrow, sums, to + (size_t)y * stride);
    free(sums);
    free(narrow);
    free_taps(&across);
    free_taps(&down);
}
