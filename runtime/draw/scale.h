/* One axis of a plot: which values it shows, where they lie, and its ticks. */
#ifndef LATHE_SCALE_H
#define LATHE_SCALE_H

#include <stdbool.h>

/* Values from `low` to `high` lie on `start` to `end`, by themselves or by their
 * logarithms. */
typedef struct {
    double low, high, start, end;
    bool logarithmic;
} Scale;

/* A scale that shows low..high with a margin; start and end stay. They are between
 * -SCALE_MOST and SCALE_MOST; logarithmic is only what is at least SCALE_LEAST. */
#define SCALE_MOST 1e30
#define SCALE_LEAST 1e-30
void scale_set_range(Scale *scale, double low, double high, bool logarithmic);
double scale_place(const Scale *scale, double value);

/* Round values that the scale shows, about `wanted` of them; `whole`: integers only.
 * Returns how many, at most MOST_TICKS. */
enum { MOST_TICKS = 40 };
typedef struct {
    double value;
    char text[32];
} Tick;
int scale_ticks(const Scale *scale, int wanted, bool whole, Tick ticks[MOST_TICKS]);

#endif
