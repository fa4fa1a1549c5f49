/* Training images mixed with one another: mixup (Zhang et al. 2018) and cutmix (Yun et
 * al. 2019). */
#ifndef LATHE_MIX_H
#define LATHE_MIX_H

#include "runtime/rt.h"

/* Memory for the images of one pass, and what became of them. */
typedef struct {
    int32_t *others; /* [micro_batch] label of the image that was mixed in */
    float *shares;   /* [micro_batch] of the image itself, 0..1 */
    uint8_t *next;   /* the image that is mixed into the last one, */
    int32_t next_label;
} Mixing;

void mixing_alloc(Mixing *mixing, const Model *model);
void mixing_free(Mixing *mixing);

/* Whether the recipe mixes images in a batch, of that epoch from 0, by a number from
 * `key`. */
bool mixing_wanted(const Recipe *recipe, int epoch, uint64_t key);

/* Mix each of `count` images with the next one, the last with mixing->next, in place.
 * Image i, by numbers from `key` and its number indices[i], gets as much of the other as
 * Beta(alpha, alpha) says: of all pixels (recipe->mixup), or of a box of them
 * (recipe->cutmix); where the recipe has both, one of them by chance. */
void mix_images(const Mixing *mixing, const Model *model, const Recipe *recipe,
                uint64_t key, const int *indices, const int32_t *labels, int count,
                uint8_t *images);

/* Whether the recipe ever mixes images. */
bool mixing_ever(const Recipe *recipe);

#endif
