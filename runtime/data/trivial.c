/* One random change of an image: see trivial.h. */
#include "runtime/data/trivial.h"

#include "runtime/base/elementary.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STRENGTHS = 31, VALUES = 256 };

/* ---- Pixels that move ---- */

/* Where the middle of a pixel comes from: x = xx x + xy y + x0, y = yx x + yy y + y0. */
typedef struct {
    double xx, xy, x0, yx, yy, y0;
} Affine;

static void move_pixels(const Affine *from, const uint8_t fill[4], int height, int width,
                        int channels, uint8_t *pixels)
{
    size_t pixel = (size_t)channels, bytes = (size_t)height * (size_t)width * pixel;
    uint8_t *before = memcpy(rt_alloc(bytes), pixels, bytes);
    for (int h = 0; h < height; h++)
        for (int w = 0; w < width; w++, pixels += pixel) {
            double x = w + 0.5, y = h + 0.5;
            double column = floor(from->xx * x + from->xy * y + from->x0);
            double row = floor(from->yx * x + from->yy * y + from->y0);
            bool inside = column >= 0 && column < width && row >= 0 && row < height;
            size_t at = inside ? (size_t)row * (size_t)width + (size_t)column : 0;
            memcpy(pixels, inside ? before + at * pixel : fill, pixel);
        }
    free(before);
}

static Affine rotation(double degrees, int height, int width)
{
    const double pi = 3.14159265358979323846, angle = degrees * pi / 180;
    double c = rt_cos(angle), s = rt_cos(angle - pi / 2);
    double x = width / 2.0, y = height / 2.0;
    return (Affine){c, -s, x - c * x + s * y, s, c, y - s * x - c * y};
}

/* ---- Values that change ---- */

/* Every value of a channel becomes what the table says. */
static void look_up(const uint8_t table[VALUES], int count, int channels, uint8_t *values)
{
    for (int i = 0; i < count; i++)
        values[i * channels] = table[values[i * channels]];
}

static void count_values(const uint8_t *values, int count, int channels,
                         int counts[VALUES])
{
    memset(counts, 0, VALUES * sizeof *counts);
    for (int i = 0; i < count; i++)
        counts[values[i * channels]]++;
}

static void autocontrast(int count, int channels, uint8_t *values)
{
    int least = 255, most = 0;
    uint8_t table[VALUES] = {0};
    for (int i = 0; i < count; i++) {
        int value = values[i * channels];
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    if (least == most)
        return;
    for (int i = least; i <= most; i++)
        table[i] = (uint8_t)((i - least) * 255 / (most - least));
    look_up(table, count, channels, values);
}

/* As PIL does it: the values below decide, in units of a 255th of all but the largest. */
static void equalize(int count, int channels, uint8_t *values)
{
    int counts[VALUES], last = VALUES - 1;
    uint8_t table[VALUES];
    count_values(values, count, channels, counts);
    while (last > 0 && counts[last] == 0)
        last--;
    int unit = (count - counts[last]) / 255, sum = unit / 2;
    if (unit == 0)
        return;
    for (int i = 0; i < VALUES; i++) {
        int value = sum / unit;
        table[i] = (uint8_t)(value < 255 ? value : 255);
        sum += counts[i];
    }
    look_up(table, count, channels, values);
}

static void clear_bits(int bits, int count, uint8_t *values)
{
    for (int i = 0; i < count; i++)
        values[i] = (uint8_t)(values[i] >> bits << bits);
}

static void solarize(double least, int count, uint8_t *values)
{
    for (int i = 0; i < count; i++)
        values[i] = values[i] >= least ? (uint8_t)(255 - values[i]) : values[i];
}

/* ---- The choice ---- */

static Affine affine_of(TrivialChange change, double strength, int height, int width)
{
    Affine from = {.xx = 1, .yy = 1};
    if (change == TRIVIAL_SHEAR_X)
        from.xy = strength;
    if (change == TRIVIAL_SHEAR_Y)
        from.yx = strength;
    if (change == TRIVIAL_TRANSLATE_X)
        from.x0 = trunc(strength);
    if (change == TRIVIAL_TRANSLATE_Y)
        from.y0 = trunc(strength);
    return change == TRIVIAL_ROTATE ? rotation(strength, height, width) : from;
}

void trivial_change(TrivialChange change, double strength, const uint8_t fill[4],
                    int height, int width, int channels, uint8_t *pixels)
{
    int count = height * width;
    switch (change) {
    case TRIVIAL_SHEAR_X:
    case TRIVIAL_SHEAR_Y:
    case TRIVIAL_TRANSLATE_X:
    case TRIVIAL_TRANSLATE_Y:
    case TRIVIAL_ROTATE: {
        const Affine from = affine_of(change, strength, height, width);
        move_pixels(&from, fill, height, width, channels, pixels);
        break;
    }
    case TRIVIAL_BRIGHTNESS:
        colour_brightness(pixels, count, channels, 1 + strength);
        break;
    case TRIVIAL_SATURATION:
        if (channels == 3)
            colour_saturation(pixels, count, 1 + strength);
        break;
    case TRIVIAL_CONTRAST:
        colour_contrast(pixels, count, channels, 1 + strength);
        break;
    case TRIVIAL_SHARPNESS:
        colour_sharpness(pixels, height, width, channels, 1 + strength);
        break;
    case TRIVIAL_POSTERIZE:
        clear_bits((int)floor(strength + 0.5), count * channels, pixels);
        break;
    case TRIVIAL_SOLARIZE:
        solarize(255 - strength, count * channels, pixels);
        break;
    case TRIVIAL_AUTOCONTRAST:
        for (int c = 0; c < channels; c++)
            autocontrast(count, channels, pixels + c);
        break;
    case TRIVIAL_EQUALIZE:
        for (int c = 0; c < channels; c++)
            equalize(count, channels, pixels + c);
        break;
    case TRIVIAL_IDENTITY:
    case TRIVIAL_COUNT:
        break;
    }
}

void trivial_augment(uint64_t key, const uint8_t fill[4], int height, int width,
                     int channels, uint8_t *pixels)
{
    static const struct {
        double least, most;
        bool is_signed;
    } changes[TRIVIAL_COUNT] = {
#define CHANGE(name, least, most, is_signed) {least, most, is_signed},
        TRIVIAL_CHANGES(CHANGE)
#undef CHANGE
    };
    int which = random_below(key, 0, TRIVIAL_COUNT);
    int strength = random_below(key, 1, STRENGTHS);
    double least = changes[which].least, most = changes[which].most;
    double value = least + (most - least) * strength / (STRENGTHS - 1);
    if (changes[which].is_signed && random_below(key, 2, 2))
        value = -value;
    trivial_change((TrivialChange)which, value, fill, height, width, channels, pixels);
}
