/* Ranges of quantisers from the values they will meet: see ranges.h. */
#include "gen/ptq/ranges.h"

#include "runtime/base/elementary.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 4096, CANDIDATES = 90 };

typedef struct {
    double most, mean, deviation; /* of |x|; of x; of x */
    double bins[BINS];            /* |x| over 0..most */
    long count;
} Histogram;

static double magnitude(float x, bool is_signed)
{
    return is_signed ? fabs(x) : x > 0 ? x : 0;
}

static Histogram *histogram_of(const float *values, long count, int stride,
                               bool is_signed)
{
    Histogram *h = rt_alloc(sizeof *h);
    double sum = 0, squares = 0;
    h->count = count;
    for (long i = 0; i < count; i++) {
        double x = values[i * stride];
        h->most = fmax(h->most, magnitude((float)x, is_signed));
        sum += x;
        squares += x * x;
    }
    h->mean = sum / count;
    h->deviation = sqrt(fmax(squares / count - h->mean * h->mean, 0));
    for (long i = 0; i < count && h->most > 0; i++) {
        double x = magnitude(values[i * stride], is_signed);
        int bin = (int)(x / h->most * BINS);
        h->bins[bin < BINS ? bin : BINS - 1]++;
    }
    return h;
}

static double percentile_of(const Histogram *h, double percentile)
{
    double below = 0;
    for (int i = 0; i < BINS; i++) {
        below += h->bins[i];
        if (below >= percentile / 100 * (double)h->count)
            return h->most * (i + 1) / BINS;
    }
    return h->most;
}

/* The bins that have values in them, and what each candidate's error comes to. */
typedef struct {
    const Histogram *h;
    int codes, count;
    double centres[BINS], weights[BINS];
    double errors[CANDIDATES];
} Search;

static double candidate(const Histogram *h, int i)
{
    return h->most * (0.1 + 0.9 * (i + 1) / CANDIDATES);
}

static void error_of(void *context, int i, int worker)
{
    (void)worker;
    Search *search = context;
    double step = candidate(search->h, i) / search->codes, error = 0;
    for (int b = 0; b < search->count; b++) {
        double x = search->centres[b];
        double q = fmin(rint(x / step), search->codes) * step;
        error += search->weights[b] * (x - q) * (x - q);
    }
    search->errors[i] = error;
}

/* The range whose quantisation has the least squared error, bin centres standing for
 * values. */
static double least_error(const Histogram *h, int codes)
{
    enum { SOME = 1024 }; /* fewer bins are not worth the threads */
    Search *search = rt_alloc(sizeof *search);
    search->h = h;
    search->codes = codes;
    for (int b = 0; b < BINS; b++) {
        if (h->bins[b] == 0)
            continue;
        search->centres[search->count] = h->most * (b + 0.5) / BINS;
        search->weights[search->count++] = h->bins[b];
    }
    if (search->count >= SOME)
        rt_parallel_for(CANDIDATES, error_of, search);
    else
        for (int i = 0; i < CANDIDATES; i++)
            error_of(search, i, 0);
    double best = h->most, least = INFINITY;
    for (int i = 0; i < CANDIDATES; i++)
        if (search->errors[i] < least) {
            least = search->errors[i];
            best = candidate(h, i);
        }
    free(search);
    return best;
}

double range_of(const float *values, long count, int stride, bool is_signed, int bits,
                RangeRule rule, double percentile)
{
    Histogram *h = histogram_of(values, count, stride, is_signed);
    double range = h->most, sum = 0;
    for (int i = 0; i < BINS; i++)
        sum += h->bins[i] * (i + 0.5) / BINS * h->most;
    if (rule == RANGE_MEAN)
        range = 2 * sum / count;
    else if (rule == RANGE_GAUSSIAN)
        range = fmax(fabs(h->mean - 3 * h->deviation), fabs(h->mean + 3 * h->deviation));
    else if (rule == RANGE_PERCENTILE)
        range = percentile_of(h, percentile);
    else if (rule == RANGE_MSE)
        range = least_error(h, rt_quant_codes(bits, is_signed));
    free(h);
    return range > 0 ? range : ldexp(1, -bits);
}

void range_to_quantiser(RtQuantizer quantizer, int bits, bool is_signed, double range,
                        double mean, float *step, float *limit)
{
    int codes = rt_quant_codes(bits, is_signed);
    if (quantizer == RT_QUANT_STATIC) {
        *limit = (float)range;
    } else if (quantizer == RT_QUANT_STEP) {
        *step = (float)(2 * mean / sqrt(codes)); /* LSQ, section 2.1 */
    } else if (is_signed) {
        double least = range / codes; /* powers of two, as Uhlich et al. */
        int exponent = bits > 4 ? rt_ceil_log2(least) : rt_floor_log2(least);
        *step = ldexpf(1, exponent);
        *limit = *step * (float)codes;
    } else {
        *limit = (float)range;
        *step = (float)(range / codes);
    }
    const RtQuant quant = {.quantizer = quantizer, .bits = bits, .is_signed = is_signed};
    float unused = 1;
    rt_quant_clamp(&quant, 1, step ? step : &unused, limit ? limit : &unused);
}
