/* Every function of a generated program on its own, against plain loops. */
#ifndef LATHE_OP_CHECK_H
#define LATHE_OP_CHECK_H

#include "tests/tools/built_net.h"

/* Run each op on random inputs in memory that holds NaN everywhere else: outputs must be
 * as reference.h computes them, their halos zero, and no other byte may have changed.
 * Returns the largest error of a convolution's result, in units of the sum of its terms'
 * sizes. */
double check_ops(const BuiltNet *built);

#endif
