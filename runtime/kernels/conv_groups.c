/* Plain loops whose innermost goes along the output's channels: see conv_groups.h. */
#include "runtime/kernels/conv_groups.h"

/* What of one pixel meets in a group: `own` input channels, and `step` output
 * channels. */
typedef struct {
    int groups, own, step;
} Groups;

static Groups groups_of(const ConvCall *conv)
{
    return (Groups){conv->groups, conv->own, conv->k / conv->groups};
}

/* y [k] += x [c] times one tap's weights [own][k]. */
static void add_tap(const Groups *at, int k, const float *x, const float *w, float *y)
{
    for (int i = 0; i < at->own; i++, w += k)
        if (at->own == 1 && at->step == 1) {
#pragma omp simd
            for (int j = 0; j < k; j++)
                y[j] += x[j] * w[j];
        } else {
            for (int g = 0; g < at->groups; g++) {
                const float value = x[g * at->own + i];
                const float *from = w + g * at->step;
                float *to = y + g * at->step;
#pragma omp simd
                for (int j = 0; j < at->step; j++)
                    to[j] += value * from[j];
            }
        }
}

void conv_groups(const ConvCall *conv, const float *x, const float *w, float *y)
{
    const Groups groups = groups_of(conv);
    size_t tap = (size_t)groups.own * conv->k;
    for (int h = 0; h < conv->h; h++)
        for (int p = 0; p < conv->w; p++) {
            const float *from = x + (size_t)h * conv->stride * conv->x_row +
                                (size_t)p * conv->stride * conv->c;
            float *to = y + (size_t)h * conv->y_row + (size_t)p * conv->y_pixel;
            if (!conv->add)
                memset(to, 0, (size_t)conv->k * sizeof *to);
            for (int r = 0; r < conv->kernel_h; r++)
                for (int s = 0; s < conv->kernel_w; s++)
                    add_tap(&groups, conv->k,
                            from + (size_t)r * conv->x_row + (size_t)s * conv->c,
                            w + (size_t)(r * conv->kernel_w + s) * tap, to);
        }
}

/* One row of dw [k] += the channel of each group that x is at, times dy [k]. */
static void add_row(const Groups *at, int k, const float *x, const float *dy, float *dw)
{
    if (at->own == 1 && at->step == 1) {
#pragma omp simd
        for (int j = 0; j < k; j++)
            dw[j] += x[j] * dy[j];
        return;
    }
    for (int g = 0; g < at->groups; g++) {
        const float value = x[g * at->own], *from = dy + g * at->step;
        float *to = dw + g * at->step;
#pragma omp simd
        for (int j = 0; j < at->step; j++)
            to[j] += value * from[j];
    }
}

void conv_groups_weight(const ConvCall *conv, const float *x, const float *dy, float *dw,
                        int first, int count)
{
    const Groups groups = groups_of(conv);
    int tap = first / groups.own;
    x += (size_t)(tap / conv->kernel_w) * conv->x_row +
         (size_t)(tap % conv->kernel_w) * conv->c;
    for (int row = first; row < first + count; row++)
        for (int h = 0; h < conv->h; h++)
            for (int p = 0; p < conv->w; p++)
                add_row(&groups, conv->k,
                        x + (size_t)h * conv->stride * conv->x_row +
                            (size_t)p * conv->stride * conv->c + row % groups.own,
                        dy + (size_t)h * conv->y_row + (size_t)p * conv->k,
                        dw + (size_t)row * conv->k);
}
