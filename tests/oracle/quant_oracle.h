/* Quantised training as quantization.md has it, layer by layer in double: quantisers
 * round on the way forward and hand back the gradients the formulas define. */
#ifndef LATHE_QUANT_ORACLE_H
#define LATHE_QUANT_ORACLE_H

#include "tests/tools/quant_net.h"

/* The gradient of one value x through a quantiser, from that by its result; adds to what
 * trained step and range get (before LSQ's scaling and the exponent's). */
double quant_oracle_value(const Quantiser *q, double x, double step, double range,
                          double g, double *by_step, double *by_range);
/* q(x). */
double quant_oracle_quantise(const Quantiser *q, double x, double step, double range);
/* What the optimiser gets of the sums over n numbers. */
void quant_oracle_finish(const Quantiser *q, double n, double step, double range,
                         double *by_step, double *by_range);

typedef struct {
    const QuantNet *net;
    const uint8_t *images;
    const int32_t *labels;
    int count;
    bool training; /* batch statistics; else running ones, and no gradient */
    double smoothing, loss_scale;
    double *gradient, *size; /* by parameter: out; size: of what it is the sum of */
    double *logits;          /* out [count][classes] */
    double loss;             /* out */
} QuantOracle;

void quant_oracle_run(QuantOracle *o);

#endif
