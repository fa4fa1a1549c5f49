/* Mixing images: see mix.h. */
#include "runtime/train/mix.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each random number of an image is for. */
enum { KEY_KIND, KEY_SHARE, KEY_TOP, KEY_LEFT };

static size_t image_bytes(const Model *model)
{
    return (size_t)model->height * (size_t)model->width * (size_t)model->channels;
}

void mixing_alloc(Mixing *mixing, const Model *model)
{
    size_t count = (size_t)model->micro_batch;
    mixing->others = rt_alloc(count * sizeof *mixing->others);
    mixing->shares = rt_alloc(count * sizeof *mixing->shares);
    mixing->next = rt_alloc(image_bytes(model));
}

void mixing_free(Mixing *mixing)
{
    free(mixing->others);
    free(mixing->shares);
    free(mixing->next);
    *mixing = (Mixing){0};
}

bool mixing_ever(const Recipe *recipe)
{
    return recipe->mixup > 0 || recipe->cutmix > 0;
}

bool mixing_wanted(const Recipe *recipe, int epoch, uint64_t key)
{
    return mixing_ever(recipe) &&
           epoch < recipe->epochs - recipe->mix_end &&
           random_between(key, 0, 0, 1) < recipe->mix_share;
}

/* All pixels, in whole numbers of 1/65536, rounded; the share that the image kept. */
static double mix_all(size_t bytes, double share, const uint8_t *other, uint8_t *image)
{
    enum { ONE = 65536 };
    int own = (int)floor(share * ONE + 0.5);
    for (size_t i = 0; i < bytes; i++)
        image[i] = (uint8_t)((own * image[i] + (ONE - own) * other[i] + ONE / 2) / ONE);
    return (double)own / ONE;
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* A box of the image's shape around a random pixel; what lies outside is cut off. */
static double mix_box(const Model *model, double share, uint64_t key,
                      const uint8_t *other, uint8_t *image)
{
    double side = sqrt(1 - share);
    int height = (int)(model->height * side), width = (int)(model->width * side);
    int top = random_below(key, KEY_TOP, model->height) - height / 2;
    int left = random_below(key, KEY_LEFT, model->width) - width / 2;
    int bottom = clamp(top + height, model->height);
    int right = clamp(left + width, model->width);
    top = clamp(top, model->height);
    left = clamp(left, model->width);
    size_t pixel = (size_t)model->channels, row = pixel * (size_t)model->width;
    for (int y = top; y < bottom && left < right; y++) {
        size_t at = (size_t)y * row + (size_t)left * pixel;
        memcpy(image + at, other + at, (size_t)(right - left) * pixel);
    }
    double area = (double)(bottom - top) * (right - left);
    return 1 - area / ((double)model->height * model->width);
}

static double mix_one(const Model *model, const Recipe *recipe, uint64_t key,
                      const uint8_t *other, uint8_t *image)
{
    bool box =
        recipe->mixup <= 0 || (recipe->cutmix > 0 && random_below(key, KEY_KIND, 2));
    double alpha = box ? recipe->cutmix : recipe->mixup;
    double share = random_beta(random_bits(key, KEY_SHARE), alpha);
    return box ? mix_box(model, share, key, other, image)
               : mix_all(image_bytes(model), share, other, image);
}

void mix_images(const Mixing *mixing, const Model *model, const Recipe *recipe,
                uint64_t key, const int *indices, const int32_t *labels, int count,
                uint8_t *images)
{
    size_t bytes = image_bytes(model);
    for (int i = 0; i < count; i++) {
        const uint8_t *other =
            i + 1 < count ? images + (size_t)(i + 1) * bytes : mixing->next;
        mixing->others[i] = i + 1 < count ? labels[i + 1] : mixing->next_label;
        mixing->shares[i] =
            (float)mix_one(model, recipe, random_bits(key, (uint64_t)indices[i]), other,
                           images + (size_t)i * bytes);
    }
}
