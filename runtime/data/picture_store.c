/* Pictures that become images when they are asked for: see picture_store.h. */
#include "runtime/data/picture_store.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/pictures.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One that stays decoded. */
typedef struct {
    bool whole;
    int height, width;
    uint8_t pixels[];
} Kept;

struct PictureStore {
    Listing listing;
    DataWant want;
    int count;
    int *items;            /* [count] */
    _Atomic(Kept *) *kept; /* [count] */
    atomic_uchar *broken;  /* [count] found so */
};

static atomic_long kept_bytes;

void image_done(Image *image)
{
    free(image->own);
    *image = (Image){0};
}

PictureStore *picture_store_open(Listing *listing, const int *items, int count,
                                 const DataWant *want)
{
    PictureStore *store = rt_alloc(sizeof *store);
    *store = (PictureStore){.listing = *listing, .want = *want, .count = count};
    *listing = (Listing){0};
    store->want.class_names = NULL; /* of the caller, as is: */
    store->want.found = NULL;
    store->items = rt_alloc((size_t)count * sizeof *store->items);
    memcpy(store->items, items, (size_t)count * sizeof *items);
    store->kept = rt_alloc((size_t)count * sizeof *store->kept);
    store->broken = rt_alloc((size_t)count * sizeof *store->broken);
    return store;
}

static size_t image_bytes(const PictureStore *store, int height, int width)
{
    return (size_t)height * (size_t)width * (size_t)store->want.channels;
}

void picture_store_free(PictureStore *store)
{
    for (int i = 0; i < store->count; i++) {
        Kept *kept = atomic_load(&store->kept[i]);
        if (kept)
            atomic_fetch_sub(&kept_bytes,
                             (long)image_bytes(store, kept->height, kept->width));
        free(kept);
    }
    listing_free(&store->listing);
    free(store->items);
    free(store->kept);
    free(store->broken);
    free(store);
}

/* ---- Decoding ---- */

static bool convert(const PictureStore *store, const Picture *picture, bool whole,
                    Image *image, PictureError *error)
{
    const DataWant *want = &store->want;
    int height = whole ? picture->height : want->height;
    int width = whole ? picture->width : want->width;
    uint8_t *pixels = rt_alloc(image_bytes(store, height, width));
    bool ok = true;
    if (whole)
        picture_take_channels(picture, want->channels, pixels);
    else
        ok = picture_to_image(picture, want, pixels, error);
    if (ok)
        *image = (Image){height, width, pixels, pixels};
    else
        free(pixels);
    return ok;
}

static bool decode(const PictureStore *store, int place, bool whole, Image *image,
                   PictureError *error)
{
    Picture picture;
    if (!listing_picture(&store->listing, store->items[place], &picture, error))
        return false;
    bool ok = convert(store, &picture, whole, image, error);
    listing_picture_done(&store->listing, &picture);
    return ok;
}

/* A copy stays, if it still fits and no other thread was first. */
static void keep(PictureStore *store, int place, bool whole, const Image *image)
{
    size_t bytes = image_bytes(store, image->height, image->width);
    if (atomic_fetch_add(&kept_bytes, (long)bytes) + (long)bytes <= PICTURE_STORE_KEEPS) {
        Kept *copy = rt_alloc(sizeof *copy + bytes), *none = NULL;
        *copy = (Kept){whole, image->height, image->width};
        memcpy(copy->pixels, image->pixels, bytes);
        if (atomic_compare_exchange_strong(&store->kept[place], &none, copy))
            return;
        free(copy);
    }
    atomic_fetch_sub(&kept_bytes, (long)bytes);
}

bool picture_store_get(PictureStore *store, int place, bool whole, Image *image,
                       PictureError *error)
{
    const Kept *kept = atomic_load(&store->kept[place]);
    if (kept && kept->whole == whole) {
        *image = (Image){kept->height, kept->width, kept->pixels, NULL};
        return true;
    }
    error->text[0] = 0;
    if (!decode(store, place, whole, image, error)) {
        atomic_store(&store->broken[place], 1);
        return false;
    }
    if (kept == NULL && !store->listing.is_pack)
        keep(store, place, whole, image);
    return true;
}

/* ---- What is broken ---- */

char *picture_store_name(const PictureStore *store, int place)
{
    return listing_name(&store->listing, store->items[place]);
}

bool picture_store_skips(const PictureStore *store)
{
    return store->want.skip_broken;
}

void picture_store_say_broken(const PictureStore *store)
{
    enum { NAMED = 3 };
    int broken = 0;
    for (int i = 0; i < store->count; i++)
        broken += atomic_load(&store->broken[i]);
    if (broken == 0)
        return;
    fprintf(stderr, "%s: %d broken picture%s left out:", rt_shown(store->listing.root),
            broken, broken == 1 ? "" : "s");
    for (int i = 0, named = 0; i < store->count && named < NAMED; i++) {
        if (!atomic_load(&store->broken[i]))
            continue;
        const char *path = store->listing.items[store->items[i]].path;
        fprintf(stderr, "%s %s", named++ ? "," : "", rt_shown(path));
    }
    fprintf(stderr, broken > NAMED ? ", ...\n" : "\n");
}
