/* Rounding by coordinate descent: see rounding.h. With r = target - gram (step q), changing
 * q_i by n lowers the error by n step (2 r_i - n step gram_ii). */
#include "rounding.h"

#include "support.h"

#include <math.h>
#include <stdlib.h>

enum { SWEEPS = 30 };

void round_channel(int d, const float *gram, const double *target, float step, int largest,
                   int *q)
{
    double *residual = rt_alloc(d * sizeof(double));
    for (int i = 0; i < d; i++) {
        double sum = 0;
        for (int j = 0; j < d; j++)
            sum += (double)gram[(size_t)i * d + j] * q[j];
        residual[i] = target[i] - sum * step;
    }
    bool changed = true;
    for (int sweep = 0; sweep < SWEEPS && changed; sweep++) {
        changed = false;
        for (int i = 0; i < d; i++) {
            double curvature = gram[(size_t)i * d + i] * (double)step;
            int n = curvature > 0 ? (int)lrint(residual[i] / curvature) : 0;
            n = n > largest - q[i] ? largest - q[i] : n < -largest - q[i] ? -largest - q[i] : n;
            if (n == 0)
                continue;
            changed = true;
            q[i] += n;
            for (int j = 0; j < d; j++)
                residual[j] -= (double)gram[(size_t)i * d + j] * n * step;
        }
    }
    free(residual);
}
