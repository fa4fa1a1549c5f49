/* Augmentation of one image: see augment.h. */
#include "runtime/data/augment.h"

#include "runtime/base/random.h"

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

void augment(const ImageSet *set, int index, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out)
{
    int height = set->height, width = set->width, channels = set->channels;
    const uint8_t *image = image_kept(set, index).pixels;
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
}
