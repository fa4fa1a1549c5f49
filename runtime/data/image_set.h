/* Labelled 8-bit images. A set is a list of places in a store that several sets may
 * share: to hold images out, to choose or to order them moves no pixel. The store has all
 * images in memory, or pictures that become images when they are asked for; only this
 * module knows which. */
#ifndef LATHE_IMAGE_SET_H
#define LATHE_IMAGE_SET_H

#include "runtime/data/picture_store.h"

typedef struct ImageStore ImageStore;

typedef struct {
    int count, height, width, channels;
    int32_t *labels;   /* [count] */
    int *places;       /* [count] in the store */
    ImageStore *store; /* NULL: no images yet */
    bool unlabelled;   /* labels say nothing */
    bool
        whole; /* of pictures: image_get gives them in their own size, to cut parts out */
} ImageSet;

/* Of one image. */
size_t image_set_bytes(const ImageSet *set);
/* Whether the images are in memory, all of the set's size. */
bool image_set_in_memory(const ImageSet *set);

/* Image `i` of a set that is in memory, as long as the set is there. */
Image image_kept(const ImageSet *set, int i);

/* Image `i`; of a broken picture, with data.skip_broken, the next one of the set stands
 * in. Returns the number of the one it is; -1 and a reason when there is none. Any number
 * of threads may ask. */
int image_get(const ImageSet *set, int i, Image *image, PictureError *error);
/* The same, of the set's size always, into `to`, [height][width][channels]. */
int image_read(const ImageSet *set, int i, uint8_t *to, PictureError *error);
/* rt_fail, with what image_get says of image `i`; false. */
bool image_fail(const ImageSet *set, int i, const PictureError *error);

/* Room for `more` images in memory, labelled 0, in a set that shares its store with no
 * other; their pixels, to be filled in, one image behind the other. NULL and rt_fail,
 * with `path`, when there would be too many. */
uint8_t *image_set_add(ImageSet *set, const char *path, size_t more);
/* Make the empty set one of these items of the listing, with their labels; what `listing`
 * holds is taken over. */
void image_set_of_pictures(ImageSet *set, Listing *listing, const int *items,
                           const int32_t *labels, int count, const DataWant *want);

/* A set of `count` images of `from`, by their numbers; it shares the store. data_free()
 * it. */
ImageSet image_set_select(const ImageSet *from, const int *which, int count);
/* The same in memory of its own, so that `from` may go; false and rt_fail. */
bool image_set_copy(const ImageSet *from, const int *which, int count, ImageSet *copy);
void data_free(ImageSet *set);

/* SHA-256 of how many images there are, their labels and order, and, where they are in
 * memory, of what they are. */
void image_set_hash(const ImageSet *set, char hex[65]);

/* Tell, on standard error, which pictures of the store were found broken and
 * passed over. */
void image_set_say_broken(const ImageSet *set);

/* Split `set` in two by a seeded choice: `count` images go over to `held_out`, in their
 * original order both. Fails when fewer than count + 1 images are there. */
bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out);

#endif
