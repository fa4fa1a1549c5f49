/* Elementary functions: see elementary.h. SLEEF's deterministic ones (Shibata and
 * Petrogalli 2020) in their form for any machine, without fused multiply-adds. */
#include "runtime/base/elementary.h"

#include <math.h>
#include <sleef.h>

double rt_exp(double x)
{
    return Sleef_cinz_expd1_u10purec(x);
}

double rt_log(double x)
{
    return Sleef_cinz_logd1_u10purec(x);
}

double rt_cos(double x)
{
    return Sleef_cinz_cosd1_u10purec(x);
}

float rt_tanh(float x)
{
    return Sleef_cinz_tanhf1_u10purec(x);
}

float rt_atanh(float x)
{
    return Sleef_cinz_atanhf1_u10purec(x);
}

int rt_floor_log2(double x)
{
    int exponent;
    frexp(x, &exponent); /* x = m 2^exponent, m in [1/2, 1) */
    return exponent - 1;
}

int rt_ceil_log2(double x)
{
    int exponent;
    return frexp(x, &exponent) == 0.5 ? exponent - 1 : exponent;
}

float rt_nearest_power(float x)
{
    const double root_half = 0x1.6a09e667f3bcdp-1; /* log2 is -1/2 there */
    int exponent;
    double m = frexpf(x, &exponent);
    return ldexpf(1, m < root_half ? exponent - 1 : exponent);
}
