/* What generated code calls: convolutions as matrix products (the `call` lowering), and
 * work whose text would be the same for every network. Float32, NHWC. */
#ifndef LATHE_KERNELS_H
#define LATHE_KERNELS_H

#include "runtime/kernels/chunks.h"
#include "runtime/rt.h"

#include <stdlib.h>
#include <string.h>

/* One image of a pass: which one, in which chunk of the batch, by which worker. */
typedef struct {
    Step *step;
    char *arena;
    int image, chunk, worker;
} At;

/* The chunk's images are first_of_chunk(&at) .. end_of_chunk(&at) - 1. */
static inline int first_of_chunk(const At *at)
{
    return (int)((long)at->chunk * at->step->count / at->step->chunks);
}

static inline int end_of_chunk(const At *at)
{
    return (int)((at->chunk + 1L) * at->step->count / at->step->chunks);
}

/* Values that a channel's statistics over the chunk cover, so many to an image; 1 where
 * the pass is too small to have images for it. */
static inline long values_of_chunk(const At *at, int samples)
{
    long values = (long)(end_of_chunk(at) - first_of_chunk(at)) * samples;
    return values > 0 ? values : 1;
}

static inline At begin_chunk(Step *step, int chunk, int worker)
{
    At at = {step, step->arena, 0, chunk, worker};
    at.image = first_of_chunk(&at);
    return at;
}

/* A convolution without border tests: x points at the first window's corner, which may
 * lie in a halo of zeros. */
typedef struct {
    int h, w, k;     /* of the output */
    int c;           /* of the input */
    int groups, own; /* of channels that do not meet, and how many of c each has; groups 0
                        and 1: they all meet */
    int kernel_h, kernel_w; /* w is [kernel_h][kernel_w][own][k] */
    int stride;
    int x_row, y_row; /* floats from one row to the next */
    int y_pixel; /* floats from one output pixel to the next; k where they are dense */
    bool add;    /* to y, instead of overwriting it */
    bool blas;   /* by OpenBLAS, whose sums are in another order on another processor */
} ConvCall;

/* y (+)= x * w, as im2col and a matrix product. */
void rt_conv(const ConvCall *conv, const float *x, const float *w, float *y);
/* dw += x correlated with dy, where dy has y's layout. */
void rt_conv_weight(const ConvCall *conv, const float *x, const float *dy, float *dw);
/* The same for rows first .. first + count - 1 of dw alone, dw as [kernel_h * kernel_w *
 * own][k]; the rows must belong to one row of the window, of groups to one pixel. */
void rt_conv_weight_rows(const ConvCall *conv, const float *x, const float *dy, float *dw,
                         int first, int count);

/* Batch normalisation (Ioffe and Szegedy 2015) of x + bias; or, without scale, x + bias
 * alone. */
typedef struct {
    int channels;
    double eps, momentum;
    const float *scale, *shift, *mean, *var; /* [channels] */
    const float *bias;                       /* [channels] or NULL */
} BnCall;

/* Sums over the pass, or a chunk of it, are [2][channels]; coef is [2][channels]:
 * y = coef0 x + coef1. */
/* coef from running statistics. */
void rt_bn_fold(const BnCall *bn, float *coef);
/* From sums of x and x*x over `count` values per channel: coef, saved = [mean][1 / std],
 * of x; the running statistics, of x + bias, move by `momentum` towards the batch's (its
 * variance unbiased, as PyTorch). */
void rt_bn_finish(const BnCall *bn, long count, const double *sums, float *mean,
                  float *var, float *coef, float *saved);
/* The same of a chunk's `count` values, 0 or more images': moments [2][channels] are the
 * chunk's share, by its images, of the mean and the unbiased variance that the running
 * ones are to move to. */
void rt_bn_finish_chunk(const At *at, const BnCall *bn, long count, const double *sums,
                        float *coef, float *saved, float *moments);
/* With the sum of all chunks' moments. */
void rt_bn_running(int channels, double momentum, const float *moments, float *mean,
                   float *var);
/* From sums of g and g * (x - mean) over `count` values: adds to dscale and dshift, and
 * coef [3][channels] of dx = coef0 g + coef1 x + coef2. */
void rt_point_finish(int channels, long count, const double *sums, const float *scale,
                     const float *saved, float *coef, float *dscale, float *dshift);
/* From sums of g: adds to dbias. */
void rt_bias_finish(int channels, const double *sums, float *dbias);

/* Dropout (Srivastava et al. 2014) of one image's [h][w][c], forward and, the same mask,
 * backward: y (+)= x / (1 - rate) where it is kept, else 0. What is dropped follows from
 * step->dropout_key, the image's index, the layer and the value's place; rate counts in
 * 1 / 65536. Rows are x_row and y_row floats apart. */
typedef struct {
    int layer;
    double rate;
    int h, width, x_row, y_row; /* width: w c */
    bool add;
} DropoutCall;
void rt_dropout(const At *at, const DropoutCall *call, const float *x, float *y);

/* Softmax cross-entropy with label smoothing, and its gradient times loss_scale; of a
 * mixed image its label has its share, that of the other image the rest. Adds the loss
 * and 1 for a hit to sums[0], sums[1]. With teachers' probabilities p it is (Hinton et
 * al. 2015, for a weight of w and temperature T) 1 - w times that, and w T T times the
 * Kullback-Leibler divergence of softmax(scores / T) from p. */
void rt_softmax_loss(const Step *step, int image, int classes, float *dy, double *sums);
/* step->loss and step->correct from the two sums. */
void rt_loss_finish(Step *step, const double *sums);

/* dw [c][k] += x' dy and db [k] += dy over the step's images, rows of piece `task` only.
 * x and dy of one image are x_stride and dy_stride floats apart; sums is
 * [tree_copies(chunks)][c + 1][k]. */
void rt_dense_weight(const Step *step, int task, int tasks, int c, int k, const float *x,
                     size_t x_stride, const float *dy, size_t dy_stride, float *dw,
                     float *db, float *sums);

#endif
