/* Seeded randomness without state, and what training does with it: order, split, augment.
 */
#include "runtime/data/data.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number that splitmix64 (Steele, Lea, Flood 2014), seeded with `key`, returns as its
 * index-th, from 0: its state is key + (index + 1) * golden ratio, finished by a mixer.
 */
uint64_t random_bits(uint64_t key, uint64_t index)
{
    uint64_t z = key + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0..bound-1: the upper half of the bits as a fraction, times bound. */
static int random_below(uint64_t key, uint64_t index, int bound)
{
    return (int)(((random_bits(key, index) >> 32) * (uint64_t)bound) >> 32);
}

/* sqrt(-2 ln u) cos(2 pi v), u in (0, 1] from number 2 index, v in [0, 1) from the next.
 */
double random_normal(uint64_t key, uint64_t index)
{
    double u = (double)((random_bits(key, 2 * index) >> 11) + 1) * 0x1p-53;
    double v = (double)(random_bits(key, 2 * index + 1) >> 11) * 0x1p-53;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}

void random_permutation(uint64_t key, int count, int *order)
{
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = random_below(key, (uint64_t)i, i + 1);
        int swap = order[i];
        order[i] = order[other];
        order[other] = swap;
    }
}

static size_t image_bytes(const ImageSet *set)
{
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

static void move_image(ImageSet *to, const ImageSet *from, int index)
{
    size_t bytes = image_bytes(from);
    memmove(to->pixels + (size_t)to->count * bytes, from->pixels + (size_t)index * bytes,
            bytes);
    to->labels[to->count++] = from->labels[index];
}

bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out)
{
    *held_out = *set;
    held_out->count = 0;
    held_out->pixels = NULL;
    held_out->labels = NULL;
    if (count < 0 || count >= set->count)
        return rt_fail("%d training images held out of %d, want 0..%d", count, set->count,
                       set->count - 1);
    held_out->pixels = rt_alloc((size_t)count * image_bytes(set));
    held_out->labels = rt_alloc((size_t)count * sizeof *held_out->labels);
    int *order = rt_alloc((size_t)set->count * sizeof *order);
    bool *chosen = rt_alloc((size_t)set->count * sizeof *chosen);
    random_permutation(seed, set->count, order);
    for (int i = 0; i < count; i++)
        chosen[order[i]] = true;
    ImageSet all = *set; /* the images that stay move down in place */
    set->count = 0;
    for (int i = 0; i < all.count; i++)
        move_image(chosen[i] ? held_out : set, &all, i);
    free(order);
    free(chosen);
    return true;
}

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
    const uint8_t *image = set->pixels + (size_t)index * image_bytes(set);
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
