/* Images in memory: see image_set.h. */
#include "runtime/data/image_set.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

size_t image_set_bytes(const ImageSet *set)
{
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

void data_free(ImageSet *set)
{
    free(set->pixels);
    free(set->labels);
    *set = (ImageSet){0};
}

static void move_image(ImageSet *to, const ImageSet *from, int index)
{
    size_t bytes = image_set_bytes(from);
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
    held_out->pixels = rt_alloc((size_t)count * image_set_bytes(set));
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
