/* Randomness without state: see random.h. */
#include "runtime/base/random.h"

#include "runtime/base/elementary.h"

#include <math.h>

/* The number that splitmix64 (Steele, Lea, Flood 2014), seeded with `key`, returns as its
 * index-th, from 0: its state is key + (index + 1) * golden ratio, finished by a mixer.
 */
uint64_t random_bits(uint64_t key, uint64_t index)
{
    uint64_t z = key + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The upper half of the bits as a fraction, times bound. */
int random_below(uint64_t key, uint64_t index, int bound)
{
    return (int)(((random_bits(key, index) >> 32) * (uint64_t)bound) >> 32);
}

double random_between(uint64_t key, uint64_t index, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(key, index) >> 11) * 0x1p-53);
}

/* sqrt(-2 ln u) cos(2 pi v), u in (0, 1] from number 2 index, v in [0, 1) from the next.
 */
double random_normal(uint64_t key, uint64_t index)
{
    double u = (double)((random_bits(key, 2 * index) >> 11) + 1) * 0x1p-53;
    double v = (double)(random_bits(key, 2 * index + 1) >> 11) * 0x1p-53;
    return sqrt(-2.0 * rt_log(u)) * rt_cos(6.283185307179586477 * v);
}

/* u in (0, 1]. */
static double random_log(uint64_t key, uint64_t index)
{
    return rt_log((double)((random_bits(key, index) >> 11) + 1) * 0x1p-53);
}

/* Gamma(shape + 1) by rejection, and Gamma(shape) from it. */
static double random_gamma(uint64_t key, double shape)
{
    enum { NORMAL, EVEN, POWER };
    double d = shape + 1 - 1.0 / 3, c = 1 / sqrt(9 * d), v;
    uint64_t normal = random_bits(key, NORMAL), even = random_bits(key, EVEN);
    for (uint64_t i = 0;; i++) {
        double x = random_normal(normal, i);
        v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v > 0 && random_log(even, i) < x * x / 2 + d - d * v + d * rt_log(v))
            break;
    }
    return d * v * rt_exp(random_log(key, POWER) / shape);
}

double random_beta(uint64_t key, double alpha)
{
    double x = random_gamma(random_bits(key, 0), alpha);
    double y = random_gamma(random_bits(key, 1), alpha);
    return x + y > 0 ? x / (x + y) : 1;
}

void random_permutation(uint64_t key, int count, int *order)
{
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = random_below(key, (uint64_t)i, i + 1);
        int swap = order[i];
        order[i] = order[other];
        order[other] = swap;
    }
}
