/* Learned bitwidths: what weights and activations take at their bits, the penalty that holds
 * them to a budget (Uhlich et al. 2019, section 3), and a picture of them. */
#ifndef LATHE_SIZE_H
#define LATHE_SIZE_H

#include "quant.h"

typedef struct RtSized {
    const char *name; /* the layer */
    RtQuant quant;
    long numbers; /* weights in all, or activations per image */
    int steps;    /* quantisers: 1, or one per output channel */
    bool is_activation;
    long step, range; /* floats into params, -1 when not trained */
} RtSized;

/* KiB at the bits in use. */
typedef struct {
    double weights, activations, largest_activation;
} Sizes;
Sizes size_of(const Model *model, const float *params);

/* Add the gradient of penalty * relu(KiB - budget)^2, for weights and activations, to that of
 * steps and ranges; bits = log2(range / step + 1) with straight-through rounding. Then keep
 * each of these gradients within a tenth of its number: a budget, or one bad batch, must not
 * move a quantiser faster than weights can follow. */
void size_penalty(const Model *model, const Recipe *recipe, const float *params,
                  float *gradient);

/* A line: sizes, whether the budget is kept, bits of every layer when they are learned.
 * Nothing for a network that is not quantised. */
void size_print(const Model *model, const Recipe *recipe, const float *params);

/* bits.png: bits of each layer's weights and activations; nothing without quantisers. */
bool size_write_picture(const char *path, const Model *model, const float *params);

#endif
