/* Rounding weights for what a layer puts out instead of for themselves. */
#ifndef LATHE_ROUNDING_H
#define LATHE_ROUNDING_H

/* Codes -largest..largest of `k` output channels that make |X (step q) - Y|^2 small:
 * AdaRound's objective (Nagel et al. 2020), by exact minimisation over one code after the
 * other until none changes. gram = X'X [d][d]; target = X'Y and codes q are [d][k], their
 * rows `stride` apart; q starts as the nearest codes. step is [k]. */
void round_channels(int d, int k, int stride, const float *gram, const float *target,
                    const float *step, int largest, float *codes);

#endif
