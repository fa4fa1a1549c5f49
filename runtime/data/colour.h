/* Colours of 8-bit images changed, as torchvision's ColorJitter defines it. */
#ifndef LATHE_COLOUR_H
#define LATHE_COLOUR_H

#include "runtime/rt.h"

/* All of them change `count` pixels of `channels` values each in place, round to the
 * nearest value, and give the same bytes on every machine. A factor of 1, a turn of 0
 * changes nothing. */

/* Every value times the factor. */
void colour_brightness(uint8_t *pixels, int count, int channels, double factor);
/* Away from the mean of the image in grey (Rec. 601; of channels other than three, the
 * mean of all values) by the factor. */
void colour_contrast(uint8_t *pixels, int count, int channels, double factor);
/* Each RGB pixel away from its grey by the factor. */
void colour_saturation(uint8_t *pixels, int count, double factor);
/* Every value away from what its 3 x 3 pixels make, the middle one counted five times, by
 * the factor; pixels at the edge stay. */
void colour_sharpness(uint8_t *pixels, int height, int width, int channels,
                      double factor);
/* The hue of each RGB pixel turned by that share of the circle; value and chroma of HSV
 * stay. */
void colour_hue(uint8_t *pixels, int count, double turn);

/* Whether the recipe changes colours at all. */
bool colour_changes(const Recipe *recipe);
/* All four in random order, those that the recipe has: factors from max(0, 1 - x) to 1 +
 * x for an x of the recipe, the hue's turn from -x to x, evenly, by numbers from `key`.
 * */
void colour_jitter(const Recipe *recipe, uint64_t key, uint8_t *pixels, int count,
                   int channels);

#endif
