/* The shipped arithmetic as quantization.md has it: brute force in 64-bit integers over
 * the layers of the config, before any pass has touched them. */
#ifndef LATHE_QUANT_REFERENCE_H
#define LATHE_QUANT_REFERENCE_H

#include "gen/emit/constants.h"
#include "tests/tools/quant_net.h"

/* Weight codes [taps][c][k] of a convolution or dense layer, from its float weights;
 * free(). */
int *quant_ref_codes(const QuantNet *net, const Op *layer);

/* Scores of one image, with the multipliers of `constants`; fails where a sum leaves 32
 * bits or a rescaling 64. */
void quant_ref_scores(const QuantNet *net, const Constants *constants,
                      const uint8_t *image, int32_t *scores);
/* What a unit of these scores is. */
float quant_ref_unit(const QuantNet *net);

/* The constants are the codes, and the real numbers they stand for: M and R within half a
 * unit of the shift (and the float affine's precision), B with the rounding half in it.
 */
void quant_ref_check_constants(const QuantNet *net, const Constants *constants);

#endif
