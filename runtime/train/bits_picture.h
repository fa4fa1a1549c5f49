/* bits.png: the bits of each layer. */
#ifndef LATHE_BITS_PICTURE_H
#define LATHE_BITS_PICTURE_H

#include "runtime/rt.h"

/* Bits of each layer's weights and activations, by name, in the order of the network, the
 * most of a layer's channels; nothing without quantisers. Whole or not at all. */
bool bits_picture_write(const char *path, const Model *model, const float *params);

#endif
