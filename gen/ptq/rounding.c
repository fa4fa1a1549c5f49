/* Rounding by coordinate descent: see rounding.h. With r = target / step - gram q,
 * changing q_i by n lowers the error by n (2 r_i - n gram_ii), in units of step^2.
 * Changes within a block of rows reach the other rows' r together, as one matrix
 * product. */
#include "gen/ptq/rounding.h"

#include "runtime/base/support.h"
#include "runtime/kernels/matmul.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 30, BLOCK = 64 };

typedef struct {
    int d, k, stride;
    const float *gram;
    float largest;
    float *codes;    /* [d], rows stride apart */
    float *residual; /* [d][k] */
    float *local;    /* [BLOCK][k] of the block's rows, up to date */
    float *back;     /* [BLOCK][k] changes of the block's codes, negative */
} Descent;

/* The best change of each channel's code i; whether there is any. */
static bool change_row(const Descent *s, int i, const float *residual, float *codes,
                       float *back)
{
    float curvature = s->gram[(size_t)i * s->d + i], largest = s->largest, sum = 0;
    if (!(curvature > 0))
        return false;
#pragma omp simd reduction(+ : sum)
    for (int c = 0; c < s->k; c++) {
        float code = codes[c] + rintf(residual[c] / curvature);
        code = code > largest ? largest : code < -largest ? -largest : code;
        back[c] = codes[c] - code;
        codes[c] = code;
        sum += fabsf(back[c]);
    }
    return sum > 0;
}

static bool sweep_block(const Descent *s, int first, int rows)
{
    bool changed = false;
    memcpy(s->local, s->residual + (size_t)first * s->k,
           (size_t)rows * s->k * sizeof(float));
    memset(s->back, 0, (size_t)rows * s->k * sizeof(float));
    for (int i = 0; i < rows; i++) {
        const float *gram = s->gram + (size_t)(first + i) * s->d + first;
        float *back = s->back + (size_t)i * s->k;
        if (!change_row(s, first + i, s->local + (size_t)i * s->k,
                        s->codes + (size_t)(first + i) * s->stride, back))
            continue;
        changed = true;
        for (int j = i; j < rows; j++) {
            float *local = s->local + (size_t)j * s->k, g = gram[j];
#pragma omp simd
            for (int c = 0; c < s->k; c++)
                local[c] += g * back[c];
        }
    }
    if (changed)
        rt_matmul(true, s->d, s->k, rows, s->gram + (size_t)first * s->d, s->back, 1,
                  s->residual);
    return changed;
}

void round_channels(int d, int k, int stride, const float *gram, const float *target,
                    const float *step, int largest, float *codes)
{
    size_t count = (size_t)d * k, block = (size_t)BLOCK * k;
    Descent s = {.d = d,
                 .k = k,
                 .stride = stride,
                 .gram = gram,
                 .largest = (float)largest,
                 .codes = codes,
                 .residual = rt_alloc(count * sizeof(float)),
                 .local = rt_alloc(block * sizeof(float)),
                 .back = rt_alloc(block * sizeof(float))};
    float *negative = rt_alloc(count * sizeof(float));
    for (int i = 0; i < d; i++)
        for (int c = 0; c < k; c++) {
            negative[(size_t)i * k + c] = -codes[(size_t)i * stride + c];
            s.residual[(size_t)i * k + c] = target[(size_t)i * stride + c] / step[c];
        }
    rt_matmul(false, d, k, d, gram, negative, 1, s.residual);
    bool changed = true;
    for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
        changed = false;
        for (int first = 0; first < d; first += BLOCK)
            changed |= sweep_block(&s, first, d - first < BLOCK ? d - first : BLOCK);
    }
    free(negative);
    free(s.residual);
    free(s.local);
    free(s.back);
}
