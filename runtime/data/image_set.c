/* Sets of images and the store they share: see image_set.h. */
#include "runtime/data/image_set.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Images in memory. */
struct ImageStore {
    int users; /* sets */
    int count;
    uint8_t *pixels; /* [count][height][width][channels], or NULL: */
    Image *whole;    /* [count], each of its own size */
};

size_t image_set_bytes(const ImageSet *set)
{
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

Image image_kept(const ImageSet *set, int i)
{
    size_t place = (size_t)set->places[i];
    if (set->store->whole)
        return set->store->whole[place];
    return (Image){set->height, set->width,
                   set->store->pixels + place * image_set_bytes(set)};
}

void image_read(const ImageSet *set, int i, uint8_t *to)
{
    Image image = image_kept(set, i);
    image_centre(&image, set->height, set->width, set->channels, to);
}

void image_centre(const Image *image, int height, int width, int channels, uint8_t *to)
{
    size_t row = (size_t)width * (size_t)channels;
    int top = (image->height - height) / 2, left = (image->width - width) / 2;
    for (int y = 0; y < height; y++, to += row) {
        size_t place = (size_t)(top + y) * (size_t)image->width + (size_t)left;
        memcpy(to, image->pixels + place * (size_t)channels, row);
    }
}

void image_read_all(const ImageSet *set, int first, int count, uint8_t *to)
{
    for (int i = 0; i < count; i++)
        image_read(set, first + i, to + (size_t)i * image_set_bytes(set));
}

/* All but the pixels. */
static bool add_places(ImageSet *set, const char *path, size_t more)
{
    size_t first = (size_t)set->count, count = first + more;
    if (count > INT_MAX)
        return rt_fail("%s: more than %d images", path, INT_MAX);
    if (set->store == NULL) {
        set->store = rt_alloc(sizeof *set->store);
        set->store->users = 1;
    }
    set->labels = rt_grow(set->labels, count * sizeof *set->labels);
    set->places = rt_grow(set->places, count * sizeof *set->places);
    for (size_t i = first; i < count; i++) {
        set->labels[i] = 0;
        set->places[i] = (int)i;
    }
    set->count = set->store->count = (int)count;
    return true;
}

uint8_t *image_set_add(ImageSet *set, const char *path, size_t more)
{
    size_t first = (size_t)set->count, bytes = image_set_bytes(set);
    if (!add_places(set, path, more))
        return NULL;
    ImageStore *store = set->store;
    store->pixels = rt_grow(store->pixels, (size_t)store->count * bytes);
    return store->pixels + first * bytes;
}

bool image_set_add_whole(ImageSet *set, const char *path, size_t more)
{
    size_t first = (size_t)set->count;
    if (!add_places(set, path, more))
        return false;
    ImageStore *store = set->store;
    store->whole = rt_grow(store->whole, (size_t)store->count * sizeof *store->whole);
    memset(store->whole + first, 0, more * sizeof *store->whole);
    return true;
}

void image_set_put(ImageSet *set, int i, Image image)
{
    set->store->whole[set->places[i]] = image;
}

ImageSet image_set_select(const ImageSet *from, const int *which, int count)
{
    ImageSet set = *from;
    set.count = count;
    set.labels = rt_alloc((size_t)count * sizeof *set.labels);
    set.places = rt_alloc((size_t)count * sizeof *set.places);
    for (int i = 0; i < count; i++) {
        set.labels[i] = from->labels[which[i]];
        set.places[i] = from->places[which[i]];
    }
    if (set.store)
        set.store->users++;
    return set;
}

ImageSet image_set_copy(const ImageSet *from, const int *which, int count)
{
    ImageSet set = *from;
    set.count = 0;
    set.labels = NULL;
    set.places = NULL;
    set.store = NULL;
    uint8_t *to = image_set_add(&set, "", (size_t)count); /* no more than there are */
    for (int i = 0; i < count; i++) {
        image_read(from, which[i], to + (size_t)i * image_set_bytes(&set));
        set.labels[i] = from->labels[which[i]];
    }
    return set;
}

ImageSet image_set_part(const ImageSet *set, int first, int count)
{
    ImageSet part = *set;
    part.count = count;
    part.labels += first;
    part.places += first;
    return part;
}

void data_free(ImageSet *set)
{
    if (set->store && --set->store->users == 0) {
        for (int i = 0; set->store->whole && i < set->store->count; i++)
            free((void *)set->store->whole[i].pixels);
        free(set->store->whole);
        free(set->store->pixels);
        free(set->store);
    }
    free(set->places);
    free(set->labels);
    *set = (ImageSet){0};
}

bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out)
{
    *held_out = (ImageSet){0};
    if (count < 0 || count >= set->count)
        return rt_fail("%d training images held out of %d, want 0..%d", count, set->count,
                       set->count - 1);
    int *order = rt_alloc((size_t)set->count * sizeof *order);
    bool *chosen = rt_alloc((size_t)set->count * sizeof *chosen);
    int *numbers = rt_alloc((size_t)set->count * sizeof *numbers);
    random_permutation(seed, set->count, order);
    for (int i = 0; i < count; i++)
        chosen[order[i]] = true;
    int *held = numbers, *kept = numbers + count;
    for (int i = 0; i < set->count; i++)
        *(chosen[i] ? held++ : kept++) = i;
    *held_out = image_set_select(set, numbers, count);
    ImageSet rest = image_set_select(set, numbers + count, set->count - count);
    data_free(set);
    *set = rest;
    free(order);
    free(chosen);
    free(numbers);
    return true;
}
