/* Pictures as images: see pictures.h. Blocks of them are decoded by all threads, each into its
 * own place. */
#include "runtime/data/pictures.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/draw/resize.h"
#include "runtime/rt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK = 1024, /* pictures between two looks at errors and progress */
    MOST_PIXELS = 64 * 1000 * 1000
};

/* A grey image is the luminance. */
static uint8_t *take_channels(const Picture *picture, int channels)
{
    size_t count = (size_t)picture->width * (size_t)picture->height;
    uint8_t *pixels = rt_alloc(count * (size_t)channels);
    if (channels == 3)
        memcpy(pixels, picture->pixels, count * 3);
    for (size_t i = 0; channels == 1 && i < count; i++) {
        const uint8_t *p = picture->pixels + 3 * i;
        pixels[i] = (uint8_t)((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8);
    }
    return pixels;
}

/* The size to resize to: the short side as data.resize says; else as small as covers the
 * network's image. What is cut off of a fraction is a matter of other programs' custom. */
static void choose_size(const Picture *picture, const DataWant *want, int64_t *height,
                        int64_t *width)
{
    int64_t w = picture->width, h = picture->height, side = want->resize;
    bool by_width = side > 0 ? w <= h : w * want->height <= h * want->width;
    int64_t shorter = by_width ? w : h;
    if (side == 0)
        side = by_width ? want->width : want->height;
    *width = by_width ? side : w * side / shorter;
    *height = by_width ? h * side / shorter : side;
}

uint8_t *picture_fit(const Picture *picture, const DataWant *want, int *height,
                     int *width, PictureError *error)
{
    int channels = want->channels;
    int64_t high, wide;
    if (channels != 1 && channels != 3) {
        snprintf(error->text, sizeof error->text,
                 "pictures have 1 or 3 channels, the network reads %d", channels);
        return NULL;
    }
    choose_size(picture, want, &high, &wide);
    if (wide < want->width || high < want->height || wide * high > MOST_PIXELS) {
        snprintf(
            error->text, sizeof error->text,
            "%lld x %lld pixels by data.resize=%d, want at least %d x %d and at most 64 "
            "million",
            (long long)wide, (long long)high, want->resize, want->width, want->height);
        return NULL;
    }
    *width = (int)wide;
    *height = (int)high;
    uint8_t *pixels = take_channels(picture, channels);
    if (wide == picture->width && high == picture->height)
        return pixels;
    uint8_t *resized = rt_alloc((size_t)*width * (size_t)*height * (size_t)channels);
    resize(
        &(Cut){pixels, picture->width, channels, 0, 0, picture->width, picture->height},
        *width, *height, resized);
    free(pixels);
    return resized;
}

bool picture_read_image(const char *path, const DataWant *want, uint8_t *image)
{
    Picture picture;
    PictureError error;
    int height, width;
    if (!picture_read(path, &picture))
        return false;
    uint8_t *pixels = picture_fit(&picture, want, &height, &width, &error);
    picture_free(&picture);
    if (pixels == NULL)
        return rt_fail("%s: %s", path, error.text);
    image_centre(&(Image){height, width, pixels}, want->height, want->width,
                 want->channels, image);
    free(pixels);
    return true;
}

/* ---- Many of them ---- */

typedef struct {
    const Listing *listing;
    const int *items;
    const DataWant *want;
    ImageSet *set;
    uint8_t *pixels;      /* of all images, or NULL: they are kept whole */
    int first;            /* of the block */
    PictureError *errors; /* [BLOCK] */
} Decoding;

static void decode_one(void *context, int index, int worker)
{
    (void)worker;
    const Decoding *d = context;
    PictureError *error = &d->errors[index];
    int i = d->first + index, height, width;
    size_t bytes;
    Picture picture = {0};
    error->text[0] = 0;
    uint8_t *data = listing_read(d->listing, d->items[i], &bytes, error);
    uint8_t *pixels = data && picture_decode(data, bytes, &picture, error)
                          ? picture_fit(&picture, d->want, &height, &width, error)
                          : NULL;
    free(data);
    picture_free(&picture);
    if (pixels == NULL)
        return;
    Image image = {height, width, pixels};
    if (d->pixels == NULL) {
        image_set_put(d->set, i, image);
        return;
    }
    image_centre(&image, d->want->height, d->want->width, d->want->channels,
                 d->pixels + (size_t)i * image_set_bytes(d->set));
    free(pixels);
}

static double memory_of_machine(void)
{
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

/* All images are held in memory, so far. */
static bool check_memory(const char *root, int count, double bytes)
{
    double most = memory_of_machine() * 0.75;
    return bytes <= most || rt_fail("%s: %d pictures take %.1f GB of memory when "
                                    "decoded, want at most %.1f GB, "
                                    "3/4 of the machine's",
                                    root, count, bytes / 1e9, most / 1e9);
}

static bool name_broken(const Decoding *d, int count)
{
    for (int i = 0; i < count; i++) {
        if (d->errors[i].text[0] == 0)
            continue;
        char *name = listing_name(d->listing, d->items[d->first + i]);
        rt_fail("%s: %s", name, d->errors[i].text);
        free(name);
        return false;
    }
    return true;
}

static double kept_bytes(const Decoding *d, int count)
{
    double bytes = 0;
    for (int i = d->first; i < d->first + count; i++) {
        Image image = image_kept(d->set, i);
        bytes += (double)image.height * image.width * d->want->channels;
    }
    return bytes;
}

/* On a terminal, how far it is. */
static void show_progress(const char *root, int done, int count)
{
    static double shown;
    if (!isatty(STDERR_FILENO) || (done < count && seconds_now() - shown < 0.2))
        return;
    shown = seconds_now();
    fprintf(stderr, done < count ? "\r%s: picture %d of %d " : "\r\033[K", rt_shown(root),
            done, count);
}

bool pictures_load(const Listing *listing, const int *items, const int32_t *labels,
                   int count, const DataWant *want, ImageSet *set)
{
    const char *root = listing->root;
    Decoding d = {.listing = listing, .items = items, .want = want, .set = set};
    double bytes = want->whole ? 0 : (double)count * (double)image_set_bytes(set);
    if (!check_memory(root, count, bytes))
        return false;
    if (want->whole ? !image_set_add_whole(set, root, (size_t)count)
                    : (d.pixels = image_set_add(set, root, (size_t)count)) == NULL)
        return false;
    memcpy(set->labels, labels, (size_t)count * sizeof *labels);
    d.errors = rt_alloc(BLOCK * sizeof *d.errors);
    bool ok = true;
    for (int done; ok && (done = d.first) < count; d.first = done) {
        int block = count - done < BLOCK ? count - done : BLOCK;
        show_progress(root, done, count);
        rt_parallel_for(block, decode_one, &d);
        ok = name_broken(&d, block);
        if (ok && want->whole)
            ok = check_memory(root, count, bytes += kept_bytes(&d, block));
        done += block;
    }
    show_progress(root, count, count);
    free(d.errors);
    return ok;
}
