/* Labelled 8-bit images. A set is a list of places in a store that several sets may share:
 * to hold images out, to choose or to order them moves no pixel. Whoever wants an image reads
 * it, so that only this module knows where pixels are. */
#ifndef LATHE_IMAGE_SET_H
#define LATHE_IMAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ImageStore ImageStore;

typedef struct {
    int count, height, width, channels;
    int32_t *labels;   /* [count] */
    int *places;       /* [count] in the store */
    ImageStore *store; /* NULL: no images yet */
    bool unlabelled;   /* labels say nothing */
} ImageSet;

/* Of one image. */
size_t image_set_bytes(const ImageSet *set);

/* An image as it is kept. */
typedef struct {
    int height, width;
    const uint8_t *pixels; /* [height][width][channels of the set] */
} Image;

/* Image `i` of the set, as long as the set is there. Any number of threads may ask. */
Image image_kept(const ImageSet *set, int i);
/* Copy it, [height][width][channels] of the set: of one that is kept larger, the centre. */
void image_read(const ImageSet *set, int i, uint8_t *to);
/* The part in the middle of `image`, [height][width][channels]; not larger than it. */
void image_centre(const Image *image, int height, int width, int channels, uint8_t *to);
/* `count` images from `first` on, one behind the other. */
void image_read_all(const ImageSet *set, int first, int count, uint8_t *to);

/* Room for `more` images, labelled 0, in a set that shares its store with no other; their
 * pixels, to be filled in, one image behind the other. NULL and rt_fail, with `path`, when
 * there would be too many. */
uint8_t *image_set_add(ImageSet *set, const char *path, size_t more);

/* Room for `more` images of any size, which image_set_put fills in. */
bool image_set_add_whole(ImageSet *set, const char *path, size_t more);
/* Keep this as image `i`, whose pixels become the set's to free(). */
void image_set_put(ImageSet *set, int i, Image image);

/* A set of `count` images of `from`, by their numbers; it shares the store. data_free() it. */
ImageSet image_set_select(const ImageSet *from, const int *which, int count);
/* The same with pixels of its own, so that those of `from` may go. */
ImageSet image_set_copy(const ImageSet *from, const int *which, int count);
/* `count` images of `set` from `first` on, as long as `set` is there; not to be freed. */
ImageSet image_set_part(const ImageSet *set, int first, int count);
void data_free(ImageSet *set);

/* Split `set` in two by a seeded choice: `count` images go over to `held_out`, in their
 * original order both. Fails when fewer than count + 1 images are there. */
bool data_hold_out(ImageSet *set, int count, uint64_t seed, ImageSet *held_out);

#endif
