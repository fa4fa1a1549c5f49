/* Pictures of a listing that become images when they are asked for, so that only a few
 * are in memory at a time; and the first that fit into a bound stay there. */
#ifndef LATHE_PICTURE_STORE_H
#define LATHE_PICTURE_STORE_H

#include "runtime/data/listing.h"
#include "runtime/data/want.h"

/* What all stores of the process keep decoded, at most, in bytes. */
#define PICTURE_STORE_KEEPS (128L << 20)

/* An image, for its reader: image_done() it. */
typedef struct {
    int height, width;
    const uint8_t *pixels; /* [height][width][channels] */
    uint8_t *own;          /* the same, or NULL: they stay where they are */
} Image;

void image_done(Image *image);

typedef struct PictureStore PictureStore;

/* The `count` items of the listing, which is taken over: its struct is left empty. */
PictureStore *picture_store_open(Listing *listing, const int *items, int count,
                                 const DataWant *want);
void picture_store_free(PictureStore *store);

/* Picture `place`: `whole`, in the network's channels, or as the network's image. False
 * and a reason when it is broken. Any number of threads may ask. */
bool picture_store_get(PictureStore *store, int place, bool whole, Image *image,
                       PictureError *error);

/* Its name, for errors; free() it. */
char *picture_store_name(const PictureStore *store, int place);
/* Whether a broken one is to be passed over. */
bool picture_store_skips(const PictureStore *store);
/* Tell, on standard error, how many were broken, and the first of them. */
void picture_store_say_broken(const PictureStore *store);

#endif
