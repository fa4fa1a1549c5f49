/* The axis of a plot: round numbers and where they lie. */
#ifndef LATHE_AXIS_H
#define LATHE_AXIS_H

/* Values from `low` to `high`, marked every `step`, lie on pixels `start` to `end`. */
typedef struct {
    double low, high, step, start, end;
} Axis;

/* The smallest of 1, 2 and 5 times a power of ten that is at least `least`. */
double axis_round_step(double least);
/* Whole steps, about `marks` of them, that hold low..high; start and end stay. */
void axis_set_range(Axis *axis, double low, double high, int marks);
/* The pixel of a value. */
double axis_place(const Axis *axis, double value);
/* The text of a mark, with as many decimals as the step has. */
void axis_format_mark(const Axis *axis, double value, char text[32]);

#endif
