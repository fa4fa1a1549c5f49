/* TrivialAugment (Mueller and Hutter 2021): one change of an 8-bit image, of random kind
 * and strength. The kinds and their strengths are the wide ones, as torchvision has them;
 * bytes are the same on every machine. */
#ifndef LATHE_TRIVIAL_H
#define LATHE_TRIVIAL_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, strength at the least, at the most, whether its sign is random). */
#define TRIVIAL_CHANGES(X)                                                               \
    X(IDENTITY, 0, 0, false)                                                             \
    X(SHEAR_X, 0, 0.99, true)   /* pixels to the side, for each row down */              \
    X(SHEAR_Y, 0, 0.99, true)   /* and down, for each column */                          \
    X(TRANSLATE_X, 0, 32, true) /* pixels */                                             \
    X(TRANSLATE_Y, 0, 32, true)                                                          \
    X(ROTATE, 0, 135, true) /* degrees, about the middle */                              \
    X(BRIGHTNESS, 0, 0.99,                                                               \
      true) /* these four: a factor of 1 + strength, see colour.h */                     \
    X(SATURATION, 0, 0.99, true)                                                         \
    X(CONTRAST, 0, 0.99, true)                                                           \
    X(SHARPNESS, 0, 0.99, true)                                                          \
    X(POSTERIZE, 0, 6, false)    /* lowest bits cleared, a whole number of them */       \
    X(SOLARIZE, 0, 255, false)   /* values from 255 - strength on are inverted */        \
    X(AUTOCONTRAST, 0, 0, false) /* each channel spread over 0..255 */                   \
    X(EQUALIZE, 0, 0, false)     /* each channel's values as often as one another */
typedef enum {
#define CHANGE(name, least, most, is_signed) TRIVIAL_##name,
    TRIVIAL_CHANGES(CHANGE)
#undef CHANGE
        TRIVIAL_COUNT
} TrivialChange;

/* Change the image [height][width][channels] in place; `fill`, a value per channel, comes
 * in from outside. Pixels that move are the nearest ones. Saturation leaves images of
 * other than three channels as they are. */
void trivial_change(TrivialChange change, double strength, const uint8_t fill[4],
                    int height, int width, int channels, uint8_t *pixels);

/* One of the changes at one of 31 strengths from the least to the most, evenly, by
 * numbers from `key`. */
void trivial_augment(uint64_t key, const uint8_t fill[4], int height, int width,
                     int channels, uint8_t *pixels);

#endif
