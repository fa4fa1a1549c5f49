/* What the layers compute, as plain loops in double over dense arrays ([h][w][c] of one
 * image, weights [kernel_h][kernel_w][c][k]): the measure of every kernel. Only tests
 * call these. All functions write, none adds. */
#ifndef LATHE_REFERENCE_H
#define LATHE_REFERENCE_H

#include <stdbool.h>

/* A window over an image of h x w x c; out_h x out_w x k values come out. */
typedef struct {
    int h, w, c;
    int out_h, out_w, k;
    int kernel_h, kernel_w, stride, top,
        left;   /* top, left: zero rows and columns before */
    int groups; /* of a convolution's channels; weights are [..][c / groups][k] */
} Window;

/* x where it is above 0, else slope x; at most the ceiling, unless that is 0. */
double ref_activation(double ceiling, double slope, double x);

/* Dropout with a key of 0 of the index-th image: where random_bits(key of the image and
 * the layer, place / 4) has 16 bits of rate * 65536 and above, x / (1 - rate), else 0. */
void ref_dropout(int index, int layer, double rate, long count, const double *x,
                 double *y);

void ref_conv(const Window *g, const double *x, const double *w, double *y);
void ref_conv_by_input(const Window *g, const double *dy, const double *w, double *dx);
void ref_conv_by_weight(const Window *g, const double *x, const double *dy, double *dw);

/* Pixels outside the image take no part; of equal ones the first gets the gradient. */
void ref_maxpool(const Window *g, const double *x, double *y);
void ref_maxpool_by_input(const Window *g, const double *x, const double *dy, double *dx);

/* y[h][w][offset + c] = x[h stride][w stride][c], other channels zero. */
void ref_subsample(const Window *g, int offset, const double *x, double *y);
void ref_subsample_by_input(const Window *g, int offset, const double *dy, double *dx);

/* y's channels from `before` on are x's, pixel by pixel. */
void ref_join(long pixels, int c, int k, int before, const double *x, double *y);

/* The mean of each window: of all of it, or of the pixels inside the image. */
void ref_avgpool(const Window *g, bool count_pad, const double *x, double *y);
void ref_avgpool_by_input(const Window *g, bool count_pad, const double *dy, double *dx);

void ref_dense(int c, int k, const double *x, const double *w, const double *b,
               double *y);
void ref_dense_by_input(int c, int k, const double *dy, const double *w, double *dx);
void ref_dense_by_weight(int c, int k, const double *x, const double *dy, double *dw);

/* Cross-entropy of softmax(scores) with the target's share `smoothing` spread over all
 * classes; its gradient by the scores (or NULL). */
double ref_loss(int classes, const double *scores, int label, double smoothing,
                double *gradient);

#endif
