/* Convolutions in groups of channels, for calls: see ConvCall. A matrix product has
 * nothing to gain where few channels meet. */
#ifndef LATHE_CONV_GROUPS_H
#define LATHE_CONV_GROUPS_H

#include "runtime/kernels/kernels.h"

/* y (+)= x * w, each value one sum in the order of taps and input channels. */
void conv_groups(const ConvCall *conv, const float *x, const float *w, float *y);
/* Rows first .. first + count - 1 of dw, [kernel_h * kernel_w * own][k], all of one
 * tap: += x correlated with dy. */
void conv_groups_weight(const ConvCall *conv, const float *x, const float *dy, float *dw,
                        int first, int count);

#endif
