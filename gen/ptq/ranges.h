/* Where quantisers begin: ranges found from values (max, 2 mean, gaussian, percentile,
 * least squared error). */
#ifndef LATHE_RANGES_H
#define LATHE_RANGES_H

#include "gen/ir/ir.h"

/* The largest value to represent of `count` values, `stride` apart; activations count as
 * 0 below 0. `codes` is the largest code. A zero tensor gets 2^-bits. */
double range_of(const float *values, long count, int stride, bool is_signed, int bits,
                RangeRule rule, double percentile);

/* Step and range (what the quantiser has of them) for values of that range. */
void range_to_quantiser(RtQuantizer quantizer, int bits, bool is_signed, double range,
                        double mean, float *step, float *limit);

#endif
