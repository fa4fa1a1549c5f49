/* Seeded randomness without state: a number follows from a key and an index. All
 * randomness of training is derived so, which is why resuming needs no generator state.
 * */
#ifndef LATHE_RANDOM_H
#define LATHE_RANDOM_H

#include <stdint.h>

/* Independent 64-bit numbers from a key and an index (splitmix64). */
uint64_t random_bits(uint64_t key, uint64_t index);
/* 0..bound-1 from the same. */
int random_below(uint64_t key, uint64_t index, int bound);
/* Evenly from low to high, a number from the same. */
double random_between(uint64_t key, uint64_t index, double low, double high);
/* A standard normal number from the same (Box-Muller). */
double random_normal(uint64_t key, uint64_t index);
/* From Beta(alpha, alpha), alpha > 0, by numbers that the key alone says (two gamma
 * variates of Marsaglia and Tsang 2000). */
double random_beta(uint64_t key, double alpha);
/* A seeded permutation of 0..count-1 (Fisher-Yates). */
void random_permutation(uint64_t key, int count, int *order);

#endif
