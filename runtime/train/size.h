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

/* A line: bits from least to most, sizes, whether the budget is kept. Nothing where no
 * bits are learned; neither here nor there: */
void size_print(const Model *model, const Recipe *recipe, const float *params);
/* A table of every tensor by its layer's name: bits, KiB. */
void size_print_layers(const Model *model, const float *params);
/* A line for each budget that is not kept, in words; whether all are. */
bool size_print_verdict(const Model *model, const Recipe *recipe, const float *params);

#endif
