/* Float matrix products that come out the same on every machine: each result is its own
 * sum, over k in ascending order, a product and an addition rounded apart (the runtime is
 * compiled with -ffp-contract=off), so that vector width, tile and threads only decide
 * how many sums go on side by side. */
#include "runtime/kernels/matmul.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* As wide as this machine's vectors; tiles leave registers for a row of b. */
#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 8, VECTORS = 3 };
#elif defined(__AVX__)
enum { LANES = 8, ROWS = 4, VECTORS = 3 };
#else
enum { LANES = 4, ROWS = 4, VECTORS = 3 };
#endif
enum { COLUMNS = LANES * VECTORS, DEPTH = 256 };
typedef float Vector
    __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* sums [ROWS][vectors] += a b over `depth`: row r of a begins at a[r], `step` floats from
 * one value to the next; b is [depth][vectors]. `vectors` is a constant where this is
 * called. */
static inline __attribute__((always_inline)) void
multiply_tile(int depth, const float *const a[ROWS], size_t step, const Vector *b,
              Vector *sums, int vectors)
{
    Vector s[ROWS][VECTORS];
    for (int i = 0; i < ROWS * vectors; i++)
        s[i / vectors][i % vectors] = sums[i];
    for (int i = 0; i < depth; i++, b += vectors)
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < vectors; v++)
                s[r][v] += a[r][i * step] * b[v];
    for (int i = 0; i < ROWS * vectors; i++)
        sums[i] = s[i / vectors][i % vectors];
}

static void multiply(int depth, const float *const a[ROWS], size_t step, const Vector *b,
                     Vector *sums, int vectors)
{
    if (vectors == 1)
        multiply_tile(depth, a, step, b, sums, 1);
    else if (vectors == 2)
        multiply_tile(depth, a, step, b, sums, 2);
    else
        multiply_tile(depth, a, step, b, sums, VECTORS);
}

static void copy_block(int rows, int columns, const float *from, int from_row, float *to,
                       int to_row)
{
    for (int r = 0; r < rows; r++)
        memcpy(to + (size_t)r * to_row, from + (size_t)r * from_row,
               columns * sizeof(float));
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

void rt_matmul(bool transposed, int m, int n, int k, const float *a, const float *b,
               float beta, float *c)
{
    size_t row_step = transposed ? 1 : k, step = transposed ? m : 1;
    float *block = rt_alloc_aligned(sizeof(float) * COLUMNS * DEPTH);
    float tile[ROWS * COLUMNS] __attribute__((aligned(64))) = {0};
    if (beta == 0)
        memset(c, 0, (size_t)m * n * sizeof *c);
    for (int column = 0; column < n; column += COLUMNS) {
        int wide = least(COLUMNS, n - column), vectors = (wide + LANES - 1) / LANES;
        int stored = vectors * LANES;
        memset(block, 0, sizeof(float) * COLUMNS * DEPTH);
        for (int first = 0; first < k; first += DEPTH) {
            int depth = least(DEPTH, k - first);
            copy_block(depth, wide, b + (size_t)first * n + column, n, block, stored);
            for (int row = 0; row < m; row += ROWS) {
                int rows = least(ROWS, m - row);
                const float *from[ROWS]; /* rows that are none repeat the last */
                for (int r = 0; r < ROWS; r++)
                    from[r] = a + (row + least(r, rows - 1)) * row_step + first * step;
                float *to = c + (size_t)row * n + column;
                copy_block(rows, wide, to, n, tile, stored);
                multiply(depth, from, step, (const Vector *)block, (Vector *)tile,
                         vectors);
                copy_block(rows, wide, tile, stored, to, n);
            }
        }
    }
    free(block);
}
