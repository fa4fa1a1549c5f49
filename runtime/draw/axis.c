/* The axis of a plot: see axis.h. */
#include "runtime/draw/axis.h"

#include <math.h>
#include <stdio.h>

double axis_round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double factors[] = {1, 2, 5, 10};
    for (int i = 0; i < 3; i++)
        if (factors[i] * power >= least * (1 - 1e-9))
            return factors[i] * power;
    return 10 * power;
}

void axis_set_range(Axis *axis, double low, double high, int marks)
{
    double spread = fmax(high - low, 1e-2 * fmax(fabs(high), 1));
    axis->step = axis_round_step(spread / marks);
    axis->low = floor(low / axis->step + 1e-9) * axis->step;
    axis->high = ceil(high / axis->step - 1e-9) * axis->step;
    if (axis->high <= axis->low)
        axis->high = axis->low + axis->step;
}

double axis_place(const Axis *axis, double value)
{
    double share = (value - axis->low) / (axis->high - axis->low);
    return axis->start + share * (axis->end - axis->start);
}

void axis_format_mark(const Axis *axis, double value, char text[32])
{
    int decimals = (int)fmax(0, ceil(-log10(axis->step) - 1e-9));
    if (axis->high >= 1e5 || decimals > 4)
        snprintf(text, 32, "%.1e", value);
    else
        snprintf(text, 32, "%.*f", decimals, value);
}
