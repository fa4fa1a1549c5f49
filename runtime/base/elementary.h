/* Elementary functions with the same bits on every machine: the C library's differ in
 * the last place by processor and version. */
#ifndef LATHE_ELEMENTARY_H
#define LATHE_ELEMENTARY_H

/* Within one unit of the last place. */
double rt_exp(double x);
double rt_log(double x);
double rt_cos(double x);
float rt_tanh(float x);
float rt_atanh(float x);

/* floor(log2(x)) and ceil(log2(x)) of x > 0, exactly. */
int rt_floor_log2(double x);
int rt_ceil_log2(double x);
/* 2 to the whole number nearest to log2(x), x > 0. */
float rt_nearest_power(float x);

#endif
