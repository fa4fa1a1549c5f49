/* One value through a quantiser and back: see quant_oracle.h. */
#include "tests/oracle/quant_oracle.h"

#include <math.h>

typedef struct {
    double step, most; /* largest value */
    int codes;
} Grid;

static Grid grid_of(const Quantiser *q, double step, double range)
{
    Grid g;
    g.step = quant_formula_step(q, step, range, &g.codes);
    g.most = g.codes * g.step;
    if (q->quantizer == RT_QUANT_STATIC)
        g.most = q->ceiling > 0 ? fmin(range, q->ceiling) : range;
    if (q->quantizer == RT_QUANT_STEP_RANGE)
        g.most = fmin(fmax(range, 1 / 256.0), quant_formula_most(q));
    return g;
}

double quant_oracle_quantise(const Quantiser *q, double x, double step, double range)
{
    Grid g = grid_of(q, step, range);
    double low = q->is_signed ? -g.most : -q->zero * g.step;
    double clipped = fmin(fmax(x, low), q->zero ? low + g.most : g.most);
    return rint(clipped / g.step) * g.step;
}

/* 1 + a sign(g) f(r) */
static double rounding(const Quantiser *q, double g, double r)
{
    double a = q->gradient_scale, k = q->steepness, f = 0;
    if (q->gradient == 1)
        f = r;
    else if (q->gradient == 2)
        f = fabs(r);
    else if (q->gradient == 3)
        f = tanh(4 * k * r) / 2;
    else if (q->gradient == 4)
        f = atanh(1.9 * k * r) / atanh(0.95 * k) / 2;
    return g * (1 + a * (g > 0 ? 1 : g < 0 ? -1 : 0) * f);
}

double quant_oracle_value(const Quantiser *q, double x, double step, double range,
                          double g, double *by_step, double *by_range)
{
    Grid grid = grid_of(q, step, range);
    double v = x / grid.step;
    double zero = q->zero * grid.step; /* of codes of both signs */
    bool above = x + zero > grid.most;
    bool below = q->is_signed ? x < -grid.most : x + zero <= 0;
    if (above || below) {
        if (q->quantizer == RT_QUANT_STEP)
            *by_step += g * (above ? grid.codes : q->is_signed ? -grid.codes : 0);
        *by_range += above ? g : q->is_signed ? -g : 0;
        return 0;
    }
    *by_step += g * (rint(v) - v);
    return rounding(q, g, v - rint(v));
}

void quant_oracle_finish(const Quantiser *q, double n, double step, double range,
                         double *by_step, double *by_range)
{
    Grid grid = grid_of(q, step, range);
    if (q->quantizer == RT_QUANT_STEP) {
        *by_step = fmin(fmax(*by_step / sqrt(grid.codes * n), -step), step);
        *by_range = 0;
    } else if (q->quantizer == RT_QUANT_STEP_RANGE) {
        *by_step *= grid.step / step;
    }
}
