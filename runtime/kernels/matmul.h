/* Float matrix products with the same bits on every machine. */
#ifndef LATHE_MATMUL_H
#define LATHE_MATMUL_H

#include <stdbool.h>

/* c [m][n] = a b + beta c, row by row, beta 0 or 1; a is [m][k], or [k][m] when
 * transposed, b [k][n]. Every value is one sum: beta c first, then the products in the
 * order of k. */
void rt_matmul(bool transposed, int m, int n, int k, const float *a, const float *b,
               float beta, float *c);

#endif
