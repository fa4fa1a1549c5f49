/* Colours of 8-bit images: see colour.h. Mixing is in whole numbers; the hue is in
 * doubles, with nothing but what IEEE 754 rounds in one way. */
#include "runtime/data/colour.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_BITS = 16, ONE = 1 << ONE_BITS, HALF = ONE / 2 };

static int share_of(double factor)
{
    return (int)floor(factor * ONE + 0.5);
}

/* `share` of a value and the rest, which may be negative, of another. */
static uint8_t blend(int value, int other, int share)
{
    int64_t mixed = (int64_t)share * value + (int64_t)(ONE - share) * other + HALF;
    if (mixed < 0)
        return 0;
    mixed >>= ONE_BITS;
    return mixed > 255 ? 255 : (uint8_t)mixed;
}

static int grey(const uint8_t *rgb)
{
    return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + HALF) >> ONE_BITS;
}

void colour_brightness(uint8_t *pixels, int count, int channels, double factor)
{
    int share = share_of(factor);
    for (int i = 0; i < count * channels; i++)
        pixels[i] = blend(pixels[i], 0, share);
}

static int mean_grey(const uint8_t *pixels, int count, int channels)
{
    int64_t sum = 0, values = channels == 3 ? count : (int64_t)count * channels;
    for (int64_t i = 0; i < values; i++)
        sum += channels == 3 ? grey(pixels + 3 * i) : pixels[i];
    return (int)((sum + values / 2) / values);
}

void colour_contrast(uint8_t *pixels, int count, int channels, double factor)
{
    int share = share_of(factor), mean = mean_grey(pixels, count, channels);
    for (int i = 0; i < count * channels; i++)
        pixels[i] = blend(pixels[i], mean, share);
}

void colour_saturation(uint8_t *pixels, int count, double factor)
{
    int share = share_of(factor);
    for (uint8_t *pixel = pixels; pixel < pixels + 3 * (size_t)count; pixel += 3) {
        int other = grey(pixel);
        for (int c = 0; c < 3; c++)
            pixel[c] = blend(pixel[c], other, share);
    }
}

void colour_sharpness(uint8_t *pixels, int height, int width, int channels, double factor)
{
    int share = share_of(factor), row = width * channels;
    size_t bytes = (size_t)height * (size_t)row;
    uint8_t *before = memcpy(rt_alloc(bytes), pixels, bytes);
    for (int h = 1; h < height - 1; h++)
        for (int i = channels; i < row - channels; i++) {
            const uint8_t *at = before + (size_t)h * (size_t)row + i;
            int sum = 4 * at[0];
            for (int r = -row; r <= row; r += row)
                sum += at[r - channels] + at[r] + at[r + channels];
            pixels[(size_t)h * (size_t)row + (size_t)i] =
                blend(at[0], (2 * sum + 13) / 26, share);
        }
    free(before);
}

static int most_of(int a, int b)
{
    return a > b ? a : b;
}

/* In sixths of the circle; the pixel is not grey. */
static double hue_of(const uint8_t *rgb, int most, int chroma)
{
    int r = rgb[0], g = rgb[1], b = rgb[2];
    if (most == r)
        return (double)(g - b) / chroma;
    if (most == g)
        return 2 + (double)(b - r) / chroma;
    return 4 + (double)(r - g) / chroma;
}

/* HSV to RGB as one formula: a channel is value - chroma * clamp(min(k, 4 - k), 0, 1)
 * with k = (5, 3 or 1 + hue) mod 6. */
void colour_hue(uint8_t *pixels, int count, double turn)
{
    static const int places[3] = {5, 3, 1};
    for (uint8_t *pixel = pixels; pixel < pixels + 3 * (size_t)count; pixel += 3) {
        int most = most_of(most_of(pixel[0], pixel[1]), pixel[2]);
        int least = -most_of(most_of(-pixel[0], -pixel[1]), -pixel[2]);
        int chroma = most - least;
        if (chroma == 0)
            continue;
        double hue = hue_of(pixel, most, chroma) + 6 * turn;
        for (int c = 0; c < 3; c++) {
            double k = places[c] + hue;
            k -= 6 * floor(k / 6);
            double part = fmax(fmin(fmin(k, 4 - k), 1), 0);
            pixel[c] = (uint8_t)(most - chroma * part + 0.5);
        }
    }
}

bool colour_changes(const Recipe *recipe)
{
    return recipe->brightness > 0 || recipe->contrast > 0 || recipe->saturation > 0 ||
           recipe->hue > 0;
}

static double factor_of(double range, uint64_t key, uint64_t index)
{
    return random_between(key, index, fmax(0, 1 - range), 1 + range);
}

void colour_jitter(const Recipe *recipe, uint64_t key, uint8_t *pixels, int count,
                   int channels)
{
    enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, CHANGES };
    int order[CHANGES];
    random_permutation(random_bits(key, CHANGES), CHANGES, order);
    for (int i = 0; i < CHANGES; i++) {
        uint64_t which = (uint64_t)order[i];
        if (which == BRIGHTNESS && recipe->brightness > 0)
            colour_brightness(pixels, count, channels,
                              factor_of(recipe->brightness, key, which));
        if (which == CONTRAST && recipe->contrast > 0)
            colour_contrast(pixels, count, channels,
                            factor_of(recipe->contrast, key, which));
        if (which == SATURATION && recipe->saturation > 0)
            colour_saturation(pixels, count, factor_of(recipe->saturation, key, which));
        if (which == HUE && recipe->hue > 0)
            colour_hue(pixels, count,
                       random_between(key, which, -recipe->hue, recipe->hue));
    }
}
