/* Sets of images and the store they share: see image_set.h. */
#include "runtime/data/image_set.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/rt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What several sets share: images in memory, or pictures. */
struct ImageStore {
    int users; /* sets */
    int count;
    uint8_t *pixels; /* [count][height][width][channels], or NULL: */
    PictureStore *pictures;
};

size_t image_set_bytes(const ImageSet *set)
{
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

bool image_set_in_memory(const ImageSet *set)
{
    return set->store == NULL || set->store->pictures == NULL;
}

Image image_kept(const ImageSet *set, int i)
{
    size_t place = (size_t)set->places[i];
    return (Image){set->height, set->width,
                   set->store->pixels + place * image_set_bytes(set), NULL};
}

static int get(const ImageSet *set, int i, bool whole, Image *image, PictureError *error)
{
    if (image_set_in_memory(set)) {
        *image = image_kept(set, i);
        return i;
    }
    PictureStore *pictures = set->store->pictures;
    int most = picture_store_skips(pictures) ? set->count : 1;
    for (int k = 0; k < most; k++) {
        int stand_in = (int)(((long)i + k) % set->count);
        if (picture_store_get(pictures, set->places[stand_in], whole, image, error))
            return stand_in;
    }
    return -1;
}

int image_get(const ImageSet *set, int i, Image *image, PictureError *error)
{
    return get(set, i, set->whole, image, error);
}

int image_read(const ImageSet *set, int i, uint8_t *to, PictureError *error)
{
    Image image;
    int found = get(set, i, false, &image, error);
    if (found >= 0) {
        memcpy(to, image.pixels, image_set_bytes(set));
        image_done(&image);
    }
    return found;
}

bool image_fail(const ImageSet *set, int i, const PictureError *error)
{
    char *name = picture_store_name(set->store->pictures, set->places[i]);
    rt_fail("%s: %s", name, error->text);
    free(name);
    return false;
}

void image_set_say_broken(const ImageSet *set)
{
    if (!image_set_in_memory(set))
        picture_store_say_broken(set->store->pictures);
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

void image_set_of_pictures(ImageSet *set, Listing *listing, const int *items,
                           const int32_t *labels, int count, const DataWant *want)
{
    add_places(set, listing->root, (size_t)count); /* no more than a listing has */
    set->store->pictures = picture_store_open(listing, items, count, want);
    memcpy(set->labels, labels, (size_t)count * sizeof *labels);
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

/* Images on their way to a set of their own. */
typedef struct {
    const ImageSet *from;
    const int *which;
    uint8_t *to;
    int *found;           /* [count] the images they turned out to be */
    PictureError *errors; /* [count] */
} Copying;

static void copy_one(void *context, int index, int worker)
{
    (void)worker;
    const Copying *c = context;
    c->found[index] =
        image_read(c->from, c->which[index],
                   c->to + (size_t)index * image_set_bytes(c->from), &c->errors[index]);
}

bool image_set_copy(const ImageSet *from, const int *which, int count, ImageSet *copy)
{
    *copy = *from;
    copy->count = 0;
    copy->labels = NULL;
    copy->places = NULL;
    copy->store = NULL;
    copy->whole = false;
    Copying c = {from, which, image_set_add(copy, "", (size_t)count), /* as many as fit */
                 rt_alloc((size_t)count * sizeof *c.found),
                 rt_alloc((size_t)count * sizeof *c.errors)};
    rt_parallel_for(count, copy_one, &c);
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        ok = c.found[i] >= 0 || image_fail(from, which[i], &c.errors[i]);
        copy->labels[i] = ok ? from->labels[c.found[i]] : 0;
    }
    free(c.found);
    free(c.errors);
    if (!ok)
        data_free(copy);
    return ok;
}

void data_free(ImageSet *set)
{
    if (set->store && --set->store->users == 0) {
        if (set->store->pictures)
            picture_store_free(set->store->pictures);
        free(set->store->pixels);
        free(set->store);
    }
    free(set->places);
    free(set->labels);
    *set = (ImageSet){0};
}

void image_set_hash(const ImageSet *set, char hex[65])
{
    char *text = NULL;
    size_t bytes, image = image_set_bytes(set);
    FILE *file = open_memstream(&text, &bytes);
    fwrite(&set->count, sizeof set->count, 1, file);
    for (int i = 0; i < set->count; i++) {
        fwrite(&set->labels[i], sizeof *set->labels, 1, file);
        fwrite(&set->places[i], sizeof *set->places, 1, file);
        if (image_set_in_memory(set))
            fwrite(image_kept(set, i).pixels, 1, image, file);
    }
    fclose(file);
    rt_sha256(text, bytes, hex);
    free(text);
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
