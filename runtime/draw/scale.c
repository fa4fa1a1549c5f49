/* Axes: see scale.h. Ticks are whole multiples of 1, 2 or 5 times a power of ten; on a
 * logarithmic axis those numbers themselves. */
#include "runtime/draw/scale.h"

#include <math.h>
#include <stdio.h>

static const double margin = 0.04; /* of the axis, at both ends */

void scale_set_range(Scale *scale, double low, double high, bool logarithmic)
{
    scale->logarithmic = logarithmic && low >= SCALE_LEAST;
    if (scale->logarithmic) {
        double middle = sqrt(low) * sqrt(high), half = fmax(log(high / low), 0.1) / 2;
        scale->low = middle * exp(-(1 + 2 * margin) * half);
        scale->high = middle * exp((1 + 2 * margin) * half);
        return;
    }
    double least = fmax(1e-2 * fmax(fabs(low), fabs(high)), 1e-9);
    double middle = (low + high) / 2, half = fmax(high - low, least) / 2;
    scale->low = middle - (1 + 2 * margin) * half;
    scale->high = middle + (1 + 2 * margin) * half;
}

double scale_place(const Scale *scale, double value)
{
    double share = scale->logarithmic
                       ? log(value / scale->low) / log(scale->high / scale->low)
                       : (value - scale->low) / (scale->high - scale->low);
    return scale->start + share * (scale->end - scale->start);
}

/* ---- Ticks ---- */

/* The smallest of 1, 2 and 5 times a power of ten that is at least `least`. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    static const double factors[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (factors[i] * power >= least * (1 - 1e-9))
            return factors[i] * power;
    return 10 * power;
}

static int linear_ticks(const Scale *scale, double step, Tick ticks[MOST_TICKS])
{
    int decimals = (int)fmax(0, ceil(-log10(step) - 1e-9));
    double largest = fmax(fabs(scale->low), fabs(scale->high));
    int count = 0;
    for (double at = ceil(scale->low / step); count < MOST_TICKS; at++) {
        Tick *tick = &ticks[count];
        tick->value = at == 0 ? 0 : at * step; /* never -0 */
        if (tick->value > scale->high)
            break;
        if (largest >= 1e6 || decimals > 5)
            snprintf(tick->text, sizeof tick->text, "%.6g", tick->value);
        else
            snprintf(tick->text, sizeof tick->text, "%.*f", decimals, tick->value);
        count++;
    }
    return count;
}

/* Over few decades 1, 2 and 5 of each, over many every n-th power. */
static int logarithmic_ticks(const Scale *scale, int wanted, Tick ticks[MOST_TICKS])
{
    double decades = log10(scale->high / scale->low);
    int every = (int)fmax(1, ceil(decades / wanted)), count = 0;
    bool between = decades * 3 <= wanted * 1.5;
    static const double factors[] = {1, 2, 5};
    for (int power = (int)floor(log10(scale->low)); power <= log10(scale->high); power++)
        for (int i = 0; i < (between ? 3 : 1) && count < MOST_TICKS; i++) {
            double value = factors[i] * pow(10, power);
            if (value < scale->low || value > scale->high || power % every != 0)
                continue;
            ticks[count].value = value;
            snprintf(ticks[count].text, sizeof ticks[count].text, "%g", value);
            count++;
        }
    return count;
}

int scale_ticks(const Scale *scale, int wanted, bool whole, Tick ticks[MOST_TICKS])
{
    int count = scale->logarithmic ? logarithmic_ticks(scale, wanted, ticks) : 0;
    double spread = scale->high - scale->low;
    for (; count < (scale->logarithmic ? 3 : 2) && wanted < MOST_TICKS / 4; wanted *= 2) {
        double step = round_step(spread / wanted);
        count = linear_ticks(scale, whole ? fmax(step, 1) : step, ticks);
    }
    return count;
}
