/* Plain loops: see reference.h. Nothing here is meant to be fast. */
#include "tests/oracle/reference.h"

#include "runtime/base/random.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One value of the image under the window of one output: indices of all three. */
typedef struct {
    size_t x, w, y; /* of channel 0 */
} Tap;
typedef void Visit(const Window *g, const Tap *tap, const double *a, const double *b,
                   double *to);

static int groups_of(const Window *g)
{
    return g->groups > 1 ? g->groups : 1;
}

/* Input channels that an output channel sees. */
static int own_inputs(const Window *g)
{
    return g->c / groups_of(g);
}

/* Every pixel under every window, windows in rows. */
static void each_tap(const Window *g, Visit *visit, const double *a, const double *b,
                     double *to)
{
    for (int oh = 0; oh < g->out_h; oh++)
        for (int ow = 0; ow < g->out_w; ow++)
            for (int r = 0; r < g->kernel_h; r++)
                for (int s = 0; s < g->kernel_w; s++) {
                    int h = oh * g->stride + r - g->top, w = ow * g->stride + s - g->left;
                    if (h < 0 || h >= g->h || w < 0 || w >= g->w)
                        continue;
                    const Tap tap = {((size_t)h * g->w + w) * g->c,
                                     ((size_t)r * g->kernel_w + s) * own_inputs(g) * g->k,
                                     ((size_t)oh * g->out_w + ow) * g->k};
                    visit(g, &tap, a, b, to);
                }
}

static void clear(double *values, size_t count)
{
    memset(values, 0, count * sizeof *values);
}

static size_t inputs(const Window *g)
{
    return (size_t)g->h * g->w * g->c;
}

static size_t outputs(const Window *g)
{
    return (size_t)g->out_h * g->out_w * g->k;
}

/* The j-th output channel that sees input channel c, and the weight between them. */
static size_t seen_by(const Window *g, int c, int j)
{
    return (size_t)(c / own_inputs(g)) * (g->k / groups_of(g)) + j;
}

static size_t weight_of(const Window *g, int c, int j)
{
    return (size_t)(c % own_inputs(g)) * g->k + seen_by(g, c, j);
}

static void visit_forward(const Window *g, const Tap *at, const double *x,
                          const double *w, double *y)
{
    for (int c = 0; c < g->c; c++)
        for (int j = 0; j < g->k / groups_of(g); j++)
            y[at->y + seen_by(g, c, j)] += x[at->x + c] * w[at->w + weight_of(g, c, j)];
}

void ref_dropout(int index, int layer, double rate, long count, const double *x,
                 double *y)
{
    uint64_t key = random_bits(random_bits(0, (uint64_t)index), (uint64_t)layer);
    double least = floor(rate * 65536 + 0.5);
    for (long i = 0; i < count; i++) {
        uint64_t drawn = random_bits(key, (uint64_t)i / 4) >> 16 * (i % 4) & 65535;
        y[i] = (double)drawn < least ? 0 : x[i] / (1 - least / 65536);
    }
}

double ref_activation(double ceiling, double slope, double x)
{
    if (ceiling > 0 && x > ceiling)
        return ceiling;
    return x > 0 ? x : slope * x;
}

void ref_conv(const Window *g, const double *x, const double *w, double *y)
{
    clear(y, outputs(g));
    each_tap(g, visit_forward, x, w, y);
}

static void visit_input(const Window *g, const Tap *at, const double *dy, const double *w,
                        double *dx)
{
    for (int c = 0; c < g->c; c++)
        for (int j = 0; j < g->k / groups_of(g); j++)
            dx[at->x + c] += dy[at->y + seen_by(g, c, j)] * w[at->w + weight_of(g, c, j)];
}

void ref_conv_by_input(const Window *g, const double *dy, const double *w, double *dx)
{
    clear(dx, inputs(g));
    each_tap(g, visit_input, dy, w, dx);
}

static void visit_weight(const Window *g, const Tap *at, const double *x,
                         const double *dy, double *dw)
{
    for (int c = 0; c < g->c; c++)
        for (int j = 0; j < g->k / groups_of(g); j++)
            dw[at->w + weight_of(g, c, j)] += x[at->x + c] * dy[at->y + seen_by(g, c, j)];
}

void ref_conv_by_weight(const Window *g, const double *x, const double *dy, double *dw)
{
    clear(dw, (size_t)g->kernel_h * g->kernel_w * own_inputs(g) * g->k);
    each_tap(g, visit_weight, x, dy, dw);
}

static void visit_largest(const Window *g, const Tap *at, const double *x,
                          const double *b, double *y)
{
    (void)b;
    for (int c = 0; c < g->c; c++)
        y[at->y + c] = fmax(y[at->y + c], x[at->x + c]);
}

void ref_maxpool(const Window *g, const double *x, double *y)
{
    for (size_t i = 0; i < outputs(g); i++)
        y[i] = -INFINITY;
    each_tap(g, visit_largest, x, NULL, y);
}

void ref_maxpool_by_input(const Window *g, const double *x, const double *dy, double *dx)
{
    clear(dx, inputs(g));
    for (int oh = 0; oh < g->out_h; oh++)
        for (int ow = 0; ow < g->out_w; ow++)
            for (int c = 0; c < g->c; c++) {
                size_t best = inputs(g);
                for (int r = 0; r < g->kernel_h; r++)
                    for (int s = 0; s < g->kernel_w; s++) {
                        int h = oh * g->stride + r - g->top;
                        int w = ow * g->stride + s - g->left;
                        if (h < 0 || h >= g->h || w < 0 || w >= g->w)
                            continue;
                        size_t at = ((size_t)h * g->w + w) * g->c + c;
                        if (best == inputs(g) || x[at] > x[best])
                            best = at;
                    }
                dx[best] += dy[((size_t)oh * g->out_w + ow) * g->c + c];
            }
}

/* Index of input channel 0 that output pixel (oh, ow) is taken from. */
static size_t taken(const Window *g, int oh, int ow)
{
    return ((size_t)oh * g->stride * g->w + (size_t)ow * g->stride) * g->c;
}

void ref_subsample(const Window *g, int offset, const double *x, double *y)
{
    clear(y, outputs(g));
    for (int oh = 0; oh < g->out_h; oh++)
        for (int ow = 0; ow < g->out_w; ow++)
            for (int c = 0; c < g->c; c++)
                y[((size_t)oh * g->out_w + ow) * g->k + offset + c] =
                    x[taken(g, oh, ow) + c];
}

void ref_subsample_by_input(const Window *g, int offset, const double *dy, double *dx)
{
    clear(dx, inputs(g));
    for (int oh = 0; oh < g->out_h; oh++)
        for (int ow = 0; ow < g->out_w; ow++)
            for (int c = 0; c < g->c; c++)
                dx[taken(g, oh, ow) + c] +=
                    dy[((size_t)oh * g->out_w + ow) * g->k + offset + c];
}

void ref_join(long pixels, int c, int k, int before, const double *x, double *y)
{
    for (long i = 0; i < pixels * c; i++)
        y[i / c * k + before + i % c] = x[i];
}

static void visit_sum(const Window *g, const Tap *at, const double *x, const double *b,
                      double *y)
{
    (void)b;
    for (int c = 0; c < g->c; c++)
        y[at->y + c] += x[at->x + c];
}

static double counted(const Window *g, bool count_pad, size_t output)
{
    int oh = (int)(output / g->k / g->out_w), ow = (int)(output / g->k % g->out_w);
    int rows = 0, columns = 0;
    for (int r = 0; r < g->kernel_h; r++) {
        int h = oh * g->stride + r - g->top;
        rows += count_pad || (h >= 0 && h < g->h);
    }
    for (int s = 0; s < g->kernel_w; s++) {
        int w = ow * g->stride + s - g->left;
        columns += count_pad || (w >= 0 && w < g->w);
    }
    return (double)rows * columns;
}

void ref_avgpool(const Window *g, bool count_pad, const double *x, double *y)
{
    clear(y, outputs(g));
    each_tap(g, visit_sum, x, NULL, y);
    for (size_t i = 0; i < outputs(g); i++)
        y[i] /= counted(g, count_pad, i);
}

static void visit_share(const Window *g, const Tap *at, const double *dy,
                        const double *divisors, double *dx)
{
    for (int c = 0; c < g->c; c++)
        dx[at->x + c] += dy[at->y + c] / divisors[at->y + c];
}

void ref_avgpool_by_input(const Window *g, bool count_pad, const double *dy, double *dx)
{
    double *divisors = rt_alloc(outputs(g) * sizeof(double));
    for (size_t i = 0; i < outputs(g); i++)
        divisors[i] = counted(g, count_pad, i);
    clear(dx, inputs(g));
    each_tap(g, visit_share, dy, divisors, dx);
    free(divisors);
}

void ref_dense(int c, int k, const double *x, const double *w, const double *b, double *y)
{
    for (int j = 0; j < k; j++) {
        y[j] = b[j];
        for (int i = 0; i < c; i++)
            y[j] += x[i] * w[(size_t)i * k + j];
    }
}

void ref_dense_by_input(int c, int k, const double *dy, const double *w, double *dx)
{
    for (int i = 0; i < c; i++) {
        dx[i] = 0;
        for (int j = 0; j < k; j++)
            dx[i] += dy[j] * w[(size_t)i * k + j];
    }
}

void ref_dense_by_weight(int c, int k, const double *x, const double *dy, double *dw)
{
    for (int i = 0; i < c; i++)
        for (int j = 0; j < k; j++)
            dw[(size_t)i * k + j] = x[i] * dy[j];
}

double ref_loss(int classes, const double *scores, int label, double smoothing,
                double *gradient)
{
    double total = 0, loss = 0;
    for (int k = 0; k < classes; k++)
        total += exp(scores[k]);
    for (int k = 0; k < classes; k++) {
        double probability = exp(scores[k]) / total;
        double target = smoothing / classes + (1 - smoothing) * (k == label);
        loss -= target * log(probability);
        if (gradient)
            gradient[k] = probability - target;
    }
    return loss;
}
