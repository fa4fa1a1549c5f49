/* Augmentation of one image: see augment.h. */
#include "runtime/data/augment.h"

#include "runtime/base/elementary.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/draw/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Blank a square centred on a random pixel; what lies outside the image is cut off. */
static void cut_out(const ImageSet *set, int side, const uint8_t pad_pixel[4],
                    uint64_t key, uint8_t *out)
{
    int top = random_below(key, 3, set->height) - side / 2;
    int left = random_below(key, 4, set->width) - side / 2;
    for (int y = top; y < top + side; y++)
        for (int x = left; x < left + side; x++)
            if (y >= 0 && y < set->height && x >= 0 && x < set->width)
                memcpy(out + (y * set->width + x) * set->channels, pad_pixel,
                       (size_t)set->channels);
}

/* From low to high. */
static double random_between(uint64_t key, uint64_t index, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(key, index) >> 11) * 0x1p-53);
}

/* A part of that share of the picture, its width that many times its height; false when the
 * picture is too narrow for it. */
static bool place_part(const Image *image, double share, double ratio, uint64_t key,
                       Cut *cut)
{
    double area = share * image->width * image->height;
    int width = (int)(sqrt(area * ratio) + 0.5), height = (int)(sqrt(area / ratio) + 0.5);
    if (width < 1 || height < 1 || width > image->width || height > image->height)
        return false;
    cut->left = random_below(key, 0, image->width - width + 1);
    cut->top = random_below(key, 1, image->height - height + 1);
    cut->right = cut->left + width;
    cut->bottom = cut->top + height;
    return true;
}

/* The largest part in the middle whose sides differ by no more than `ratio`. */
static void place_middle(const Image *image, double ratio, Cut *cut)
{
    int width = image->width, height = image->height;
    if (width > height * ratio)
        width = (int)(height * ratio);
    else if (height > width * ratio)
        height = (int)(width * ratio);
    cut->left = (image->width - width) / 2;
    cut->top = (image->height - height) / 2;
    cut->right = cut->left + width;
    cut->bottom = cut->top + height;
}

/* A part of random area and shape, resized to an image of the set; free() it. */
static uint8_t *random_part(const ImageSet *set, const Image *image, const Recipe *recipe,
                            uint64_t key)
{
    enum { KEY_PART = 5, TRIES = 10 };
    Cut cut = {image->pixels, image->width, set->channels, 0, 0, 0, 0};
    double limit = rt_log(recipe->ratio);
    bool placed = false;
    for (uint64_t i = 0; i < TRIES && !placed; i++) {
        uint64_t try = random_bits(key, KEY_PART + i);
        double share = random_between(try, 2, recipe->area, 1);
        double ratio = rt_exp(random_between(try, 3, -limit, limit));
        placed = place_part(image, share, ratio, try, &cut);
    }
    if (!placed)
        place_middle(image, recipe->ratio, &cut);
    uint8_t *pixels = rt_alloc(image_set_bytes(set));
    resize(&cut, set->width, set->height, pixels);
    return pixels;
}

void augment(const ImageSet *set, const Image *kept, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out)
{
    int height = set->height, width = set->width, channels = set->channels;
    const uint8_t *image = kept->pixels;
    uint8_t *cut = NULL;
    if (recipe->area > 0)
        image = cut = random_part(set, kept, recipe, key);
    bool mirror = recipe->flip && random_below(key, 0, 2);
    int down = random_below(key, 1, 2 * recipe->crop + 1) - recipe->crop;
    int right = random_below(key, 2, 2 * recipe->crop + 1) - recipe->crop;
    uint8_t *to = out;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int from_y = y - down, from_x = x - right;
            bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
            from_x = mirror ? width - 1 - from_x : from_x;
            const uint8_t *from =
                inside ? image + (from_y * width + from_x) * channels : pad_pixel;
            for (int c = 0; c < channels; c++)
                *to++ = from[c];
        }
    }
    if (recipe->cutout > 0)
        cut_out(set, recipe->cutout, pad_pixel, key, out);
    free(cut);
}
