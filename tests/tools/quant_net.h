/* Quantised tiny networks with random numbers that make sense: weights, batch
 * normalisation that flips and blanks channels, ranges about what they are to hold. */
#ifndef LATHE_QUANT_NET_H
#define LATHE_QUANT_NET_H

#include "gen/config/config.h"

/* One way to quantise tests/nets/quant_family.lua; bits of layers go round from `turn`.
 */
typedef struct {
    const char *quantizer, *net[6]; /* overrides */
    int turn;
    bool per_channel;
    const char *also; /* more fields of quant, "gradient = 'ewgs', " */
} QuantCase;

typedef struct {
    Config config;
    char *sets[16]; /* the overrides it was loaded with; ended by NULL */
    size_t pixels;  /* bytes of an image */
    int classes;
    float *params, *stats;
} QuantNet;

void quant_net_open(QuantNet *net, const QuantCase *c);
/* Another net of tests/nets, with these overrides. */
void quant_net_open_other(QuantNet *net, const char *name, const char *const *sets);
void quant_net_close(QuantNet *net);

/* The case's overrides alone, in net->sets. */
void quant_net_sets(QuantNet *net, const QuantCase *c);

/* The numbers of a quantiser in params or stats; NULL for what it has not. */
float *quant_number(const QuantNet *net, int tensor);

/* Formulas of quantization.md in double: the step in use, and the largest code. */
double quant_formula_step(const Quantiser *q, double step, double range, int *largest);
/* The largest value there is for a trained range. */
double quant_formula_most(const Quantiser *q);
/* And the bits in use. */
int quant_formula_bits(const Quantiser *q, double step, double range);

#endif
