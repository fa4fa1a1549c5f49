/* Rounding weights for what a layer puts out instead of for themselves. */
#ifndef LATHE_ROUNDING_H
#define LATHE_ROUNDING_H

/* Codes of one output channel's `d` weights, -largest..largest, that make |X (step q) - y|^2
 * small: AdaRound's objective (Nagel et al. 2020), by exact minimisation over one code after
 * the other until none changes. gram = X'X [d][d], target = X'y [d]; q starts as nearest
 * codes. */
void round_channel(int d, const float *gram, const double *target, float step, int largest,
                   int *q);

#endif
