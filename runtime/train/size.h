/* What quantised weights and activations take at their bits. */
#ifndef LATHE_SIZE_H
#define LATHE_SIZE_H

#include "runtime/kernels/quant.h"

/* KiB at the bits in use. */
typedef struct {
    double weights, activations, largest_activation;
} Sizes;
Sizes size_of(const Model *model, const float *params);

/* KiB of one tensor. */
double size_one(const RtSized *sized, const float *params);
/* Its bits, the most of any channel. */
int size_bits(const RtSized *sized, const float *params);
/* Whether its bits follow from a trained step and range. */
bool size_learns(const RtSized *sized);
/* Whether the recipe's budgets are kept; yes where there is none. */
bool size_within(const Model *model, const Recipe *recipe, const float *params);

/* Bits in the order of the model's `sized`, "4 6 4", free() it; NULL where none are
 * learned. */
char *size_bits_text(const Model *model, const float *params);

/* A line: sizes, whether the budget is kept, bits of every layer when they are learned.
 * Nothing for a network that is not quantised. */
void size_print(const Model *model, const Recipe *recipe, const float *params);

#endif
