/* Augmentation of one image: see augment.h. */
#include "runtime/data/augment.h"

#include "runtime/base/elementary.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/colour.h"
#include "runtime/data/trivial.h"
#include "runtime/draw/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each random number of an image is for. */
enum {
    KEY_FLIP,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_CUTOUT_TOP,
    KEY_CUTOUT_LEFT,
    KEY_PART, /* and as many more as there are tries */
    TRIES = 10,
    KEY_COLOUR = KEY_PART + TRIES,
    KEY_ERASE,
    KEY_ERASED,
    KEY_TRIVIAL
};

/* Blank a box; what lies outside the image is cut off. */
static void blank(const ImageSet *set, const Cut *box, const uint8_t pad_pixel[4],
                  uint8_t *out)
{
    for (int y = box->top; y < box->bottom; y++)
        for (int x = box->left; x < box->right; x++)
            if (y >= 0 && y < set->height && x >= 0 && x < set->width)
                memcpy(out + (y * set->width + x) * set->channels, pad_pixel,
                       (size_t)set->channels);
}

/* A square centred on a random pixel. */
static void cut_out(const ImageSet *set, int side, const uint8_t pad_pixel[4],
                    uint64_t key, uint8_t *out)
{
    int top = random_below(key, KEY_CUTOUT_TOP, set->height) - side / 2;
    int left = random_below(key, KEY_CUTOUT_LEFT, set->width) - side / 2;
    const Cut square = {
        .left = left, .top = top, .right = left + side, .bottom = top + side};
    blank(set, &square, pad_pixel, out);
}

/* A box of that share of the picture, its width that many times its height; false when
 * the picture is too narrow for it. */
static bool place_box(int picture_height, int picture_width, double share, double ratio,
                      uint64_t key, Cut *box)
{
    double area = share * picture_width * picture_height;
    int width = (int)(sqrt(area * ratio) + 0.5), height = (int)(sqrt(area / ratio) + 0.5);
    if (width < 1 || height < 1 || width > picture_width || height > picture_height)
        return false;
    box->left = random_below(key, 0, picture_width - width + 1);
    box->top = random_below(key, 1, picture_height - height + 1);
    box->right = box->left + width;
    box->bottom = box->top + height;
    return true;
}

/* Shares of the picture from `least` to `most`; sides that differ by `ratio` at most. */
typedef struct {
    double least, most, ratio;
} Boxes;

/* One of them, by numbers from `first` on; false when none of some tries fits. */
static bool choose_box(int height, int width, const Boxes *boxes, uint64_t key,
                       uint64_t first, Cut *box)
{
    double limit = rt_log(boxes->ratio);
    for (uint64_t i = 0; i < TRIES; i++) {
        uint64_t try = random_bits(key, first + i);
        double share = random_between(try, 2, boxes->least, boxes->most);
        double ratio = rt_exp(random_between(try, 3, -limit, limit));
        if (place_box(height, width, share, ratio, try, box))
            return true;
    }
    return false;
}

/* The largest part in the middle whose sides differ by no more than `ratio`. */
static void place_middle(const Image *image, double ratio, Cut *cut)
{
    int width = image->width, height = image->height;
    if (width > height * ratio)
        width = (int)(height * ratio);
    else if (height > width * ratio)
        height = (int)(width * ratio);
    cut->left = (image->width - width) / 2;
    cut->top = (image->height - height) / 2;
    cut->right = cut->left + width;
    cut->bottom = cut->top + height;
}

/* A part of random area and shape, resized to an image of the set; free() it. */
static uint8_t *random_part(const ImageSet *set, const Image *image, const Recipe *recipe,
                            uint64_t key)
{
    Cut cut = {image->pixels, image->width, set->channels, 0, 0, 0, 0};
    const Boxes parts = {recipe->area, 1, recipe->ratio};
    if (!choose_box(image->height, image->width, &parts, key, KEY_PART, &cut))
        place_middle(image, recipe->ratio, &cut);
    uint8_t *pixels = rt_alloc(image_set_bytes(set));
    resize(&cut, set->width, set->height, pixels);
    return pixels;
}

/* Blank a box of random area and shape in some of the images. */
static void erase(const ImageSet *set, const Recipe *recipe, const uint8_t pad_pixel[4],
                  uint64_t key, uint8_t *out)
{
    const Boxes boxes = {recipe->erase_least, recipe->erase_most, recipe->erase_ratio};
    Cut box;
    if (random_between(key, KEY_ERASE, 0, 1) < recipe->erase &&
        choose_box(set->height, set->width, &boxes, random_bits(key, KEY_ERASED), 0,
                   &box))
        blank(set, &box, pad_pixel, out);
}

/* The image as its colours are changed, or its random part; NULL where it stays as it is
 * kept. free() it. */
static uint8_t *changed_pixels(const ImageSet *set, const Image *kept,
                               const Recipe *recipe, uint64_t key)
{
    uint8_t *pixels = NULL;
    if (recipe->area > 0)
        pixels = random_part(set, kept, recipe, key);
    if (!colour_changes(recipe))
        return pixels;
    if (pixels == NULL) {
        pixels = rt_alloc(image_set_bytes(set));
        memcpy(pixels, kept->pixels, image_set_bytes(set));
    }
    colour_jitter(recipe, random_bits(key, KEY_COLOUR), pixels, set->height * set->width,
                  set->channels);
    return pixels;
}

/* Where pixel i of a row of `count` comes from: beyond its ends it is mirrored, without
 * the pixel at the end; -1: from nowhere. */
static int place_from(int i, int count, Border border)
{
    if (i >= 0 && i < count)
        return i;
    if (border == BORDER_ZERO)
        return -1;
    int period = count > 1 ? 2 * (count - 1) : 1, at = abs(i) % period;
    return at < count ? at : period - at;
}

/* Mirrored or not, and shifted. */
static void shift(const ImageSet *set, const uint8_t *image, const Recipe *recipe,
                  const uint8_t pad_pixel[4], uint64_t key, uint8_t *to)
{
    int width = set->width, channels = set->channels;
    bool mirror = recipe->flip && random_below(key, KEY_FLIP, 2);
    int down = random_below(key, KEY_DOWN, 2 * recipe->crop + 1) - recipe->crop;
    int right = random_below(key, KEY_RIGHT, 2 * recipe->crop + 1) - recipe->crop;
    for (int y = 0; y < set->height; y++) {
        int from_y = place_from(y - down, set->height, recipe->crop_border);
        for (int x = 0; x < width; x++) {
            int from_x = place_from(x - right, width, recipe->crop_border);
            bool inside = from_x >= 0 && from_y >= 0;
            from_x = mirror ? width - 1 - from_x : from_x;
            const uint8_t *from =
                inside ? image + (from_y * width + from_x) * channels : pad_pixel;
            for (int c = 0; c < channels; c++)
                *to++ = from[c];
        }
    }
}

void augment(const ImageSet *set, const Image *kept, const Recipe *recipe,
             const uint8_t pad_pixel[4], uint64_t key, uint8_t *out)
{
    uint8_t *changed = changed_pixels(set, kept, recipe, key);
    shift(set, changed ? changed : kept->pixels, recipe, pad_pixel, key, out);
    free(changed);
    if (recipe->trivial_augment)
        trivial_augment(random_bits(key, KEY_TRIVIAL), pad_pixel, set->height, set->width,
                        set->channels, out);
    if (recipe->cutout > 0)
        cut_out(set, recipe->cutout, pad_pixel, key, out);
    if (recipe->erase > 0)
        erase(set, recipe, pad_pixel, key, out);
}
