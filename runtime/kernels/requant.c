/* The integers of the shipped arithmetic, derived in this one place: see quant.h.
 * Compiled with -ffp-contract=off, or one channel in hundreds would differ from build to
 * build. */
#include "runtime/kernels/quant.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether this shift keeps every product and sum in its type, with half of int64 to
 * spare. */
static bool fits(int k, const RtReal *real, int shift)
{
    for (int i = 0; i < k; i++) {
        double m = fabs(ldexp(real->gain[i], shift)),
               b = fabs(ldexp(real->offset[i], shift));
        double r = fabs(ldexp(real->other_gain[i], shift));
        double sum =
            (m + 1) * real->most_acc + (r + 1) * real->most_other + b + ldexp(1, shift);
        double code = ldexp(sum, -shift); /* before it is clamped */
        if (!(m < 2147483647.0 && r < 2147483647.0 && code < 2147483647.0 &&
              sum < 4611686018427387904.0))
            return false;
    }
    return true;
}

bool rt_requant_derive(int k, const RtReal *real, int largest, RtRequant *requant)
{
    int shift = 62;
    while (shift > 0 && !fits(k, real, shift))
        shift--;
    if (shift == 0)
        return false;
    requant->shift = shift;
    requant->largest = largest;
    int64_t half = (int64_t)1 << (shift - 1);
    for (int i = 0; i < k; i++) {
        requant->m[i] = (int32_t)llrint(ldexp(real->gain[i], shift));
        requant->b[i] = llrint(ldexp(real->offset[i], shift)) + half;
        if (requant->r)
            requant->r[i] = (int32_t)llrint(ldexp(real->other_gain[i], shift));
    }
    return true;
}

/* gain and offset of one sum, in units of the output's step. */
static void real_of(int k, const RtSum *sum, double step, double *gain, double *offset)
{
    for (int i = 0; i < k; i++) {
        double unit = sum->scales ? sum->step * sum->scales[i] : sum->step;
        double factor = sum->coef ? sum->coef[i] : 1;
        double zero = sum->scales ? sum->scales[k + i] : -sum->zero;
        gain[i] = unit * factor / step;
        offset[i] += (unit * zero * factor + (sum->coef ? sum->coef[k + i] : 0)) / step;
    }
}

static void real_of_both(int k, const RtSum *sum, const RtSum *other, double step,
                         RtReal *real)
{
    memset(real->offset, 0, (size_t)k * sizeof *real->offset);
    memset(real->other_gain, 0, (size_t)k * sizeof *real->other_gain);
    real_of(k, sum, step, real->gain, real->offset);
    if (other)
        real_of(k, other, step, real->other_gain, real->offset);
}

/* The largest that a sum can come to, in units of the step. */
static double most_of(int k, const RtReal *real)
{
    double most = 0;
    for (int i = 0; i < k; i++)
        most = fmax(most, fabs(real->gain[i]) * real->most_acc +
                              fabs(real->other_gain[i]) * real->most_other +
                              fabs(real->offset[i]));
    return most;
}

/* Behind those of the values, the gains and offsets of slope times the values. */
static void add_slope(int k, double slope, RtReal *real)
{
    for (int i = 0; i < k; i++) {
        real->gain[k + i] = slope * real->gain[i];
        real->offset[k + i] = slope * real->offset[i];
        real->other_gain[k + i] = slope * real->other_gain[i];
    }
}

/* Constants for codes of step *step; or, where that is 0, for a stream, whose unit it
 * becomes. */
static bool make_constants(int k, const RtSum *sum, const RtSum *other, double *step,
                           int zero, double slope, int largest, int64_t *b, int32_t *m,
                           int32_t *r, int32_t *shift)
{
    int all = slope > 0 ? 2 * k : k;
    double *numbers = rt_alloc(3 * (size_t)all * sizeof(double));
    RtReal real = {numbers, numbers + all, numbers + 2 * all, sum->most,
                   other ? other->most : 0};
    if (*step == 0) {
        real_of_both(k, sum, other, 1, &real);
        double most = most_of(k, &real);
        *step = most > 0 ? most / RT_STREAM_MOST : 1;
    }
    real_of_both(k, sum, other, *step, &real);
    if (slope > 0)
        add_slope(k, slope, &real);
    for (int i = 0; i < all; i++)
        real.offset[i] += zero;
    RtRequant requant = {.b = b, .m = m, .r = r};
    bool ok = rt_requant_derive(all, &real, largest, &requant);
    if (!ok) { /* codes of 0, until whoever called the pass looks at what it returned */
        memset(b, 0, (size_t)all * sizeof *b);
        memset(m, 0, (size_t)all * sizeof *m);
        if (r)
            memset(r, 0, (size_t)all * sizeof *r);
    }
    shift[0] = requant.shift;
    shift[1] = requant.largest;
    free(numbers);
    return ok ||
           rt_fail("scales differ so much that its integer constants overflow 64 bits");
}

bool rt_layer_constants(int k, const RtSum *sum, const RtSum *other, double step,
                        int zero, double slope, int largest, int64_t *b, int32_t *m,
                        int32_t *r, int32_t *shift)
{
    return make_constants(k, sum, other, &step, zero, slope, largest, b, m, r, shift);
}

bool rt_stream_constants(int k, const RtSum *sum, const RtSum *other, double *unit,
                         int64_t *b, int32_t *m, int32_t *r, int32_t *shift)
{
    *unit = 0;
    return make_constants(k, sum, other, unit, 0, 0, RT_STREAM_MOST, b, m, r, shift);
}

bool rt_dense_constants(int k, const float *scales, const float *bias, double step,
                        int pixels, double most, int32_t *narrow, int64_t *wide,
                        float *scale)
{
    double unit = step * scales[0] / pixels;
    double room = wide ? 4611686018427387904.0 : 2147483647.0;
    bool ok = true;
    *scale = (float)unit;
    for (int i = 0; i < k; i++) {
        double units = rint(bias[i] / unit);
        if (!(fabs(units) + most <= room)) {
            ok =
                rt_fail("score %d: bias %g, %.4g in units of its weights, and sums of up "
                        "to %.4g overflow %d bits",
                        i, (double)bias[i], units, most, wide ? 64 : 32);
            units = 0; /* sums still fit */
        }
        if (wide)
            wide[i] = (int64_t)units;
        else
            narrow[i] = (int32_t)units;
    }
    return ok;
}

void rt_require(Step *step, bool ok, const char *layer)
{
    if (ok || step->failed)
        return;
    char *why = rt_format("%s: %s", layer, rt_error());
    rt_error_clear();
    rt_fail("%s", why);
    free(why);
    step->failed = true;
}
