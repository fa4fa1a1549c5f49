/* The same float network with weights and activations that quantise better. */
#ifndef LATHE_EQUALISE_H
#define LATHE_EQUALISE_H

#include "gen/ir/ir.h"

/* Moves scales of channels to where they cost nothing; what the network computes stays
 * the same but for rounding. From each convolution's weights, where all of them share a
 * step, to the BN behind it, until their channels have one range: a BN's factors are
 * exact for each channel in any case. And from the activations between two convolutions
 * to the weights of the second, as a ReLU of s x is s times that of x (Nagel et al. 2019,
 * section 4.1; an activation's range from its BN alone).
 *
 * net: fused by pass_fuse; params and stats are of its layout. */
void equalise(const Net *net, float *params, float *stats);

#endif
