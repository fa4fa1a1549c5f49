/* What the readers of forms share: see forms.h. */
#include "runtime/data/forms.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/pictures.h"

#include <stdlib.h>
#include <unistd.h>

/* Of every run: weights handed from one to the next have not been trained on
 * test images. */
static const uint64_t split_seed = 0;

enum { MOST_FILES = 99 }; /* data_batch_1 .. data_batch_99 */

bool form_has(const char *folder, const char *name)
{
    char *path = rt_format("%s/%s", folder, name);
    bool has = access(path, F_OK) == 0;
    free(path);
    return has;
}

bool form_label(const DataWant *want, const char *path, size_t image, long label)
{
    enum { MOST_CLASSES = 1000000 }; /* where no network says how many */
    int classes = want->classes ? want->classes : MOST_CLASSES;
    return (label >= 0 && label < classes) ||
           rt_fail("%s: label %ld of image %zu, want 0..%d", path, label, image,
                   classes - 1);
}

bool form_batches(const Load *load, const char *folder, const char *suffix,
                  bool (*read)(const Load *load, const char *path, ImageSet *set))
{
    int loaded = 0;
    bool ok = true;
    for (int i = 1; i <= MOST_FILES && ok && load->parts & DATA_TRAIN; i++) {
        char *name = rt_format("data_batch_%d.%s", i, suffix);
        char *path = rt_format("%s/%s", folder, name);
        if (form_has(folder, name)) {
            ok = i == loaded + 1 ? read(load, path, load->train)
                                 : rt_fail("%s: data_batch_%d.%s before it is missing",
                                           path, i - 1, suffix);
            loaded = i;
        }
        free(path);
        free(name);
    }
    if (ok && loaded == 0 && load->parts & DATA_TRAIN)
        return rt_fail("%s/data_batch_1.%s: missing", folder, suffix);
    if (!ok || !(load->parts & DATA_TEST))
        return ok;
    char *path = rt_format("%s/test_batch.%s", folder, suffix);
    ok = access(path, F_OK) == 0 ? read(load, path, load->test)
                                 : rt_fail("%s: missing", path);
    free(path);
    return ok;
}

bool *form_choose(const int32_t *labels, int count, double share)
{
    bool *chosen = rt_alloc((size_t)count + 1);
    int *order = rt_alloc(((size_t)count + 1) * sizeof *order), classes = 0;
    for (int i = 0; i < count; i++)
        classes = labels[i] >= classes ? labels[i] + 1 : classes;
    int *sizes = rt_alloc(((size_t)classes + 1) * sizeof *sizes);
    for (int i = 0; i < count; i++)
        sizes[labels[i]]++;
    for (int i = 0; i < classes; i++) /* what is left to choose of each class */
        sizes[i] = (int)(sizes[i] * share + 0.5);
    random_permutation(split_seed, count, order);
    for (int i = 0; i < count; i++) {
        chosen[order[i]] = sizes[labels[order[i]]] > 0;
        sizes[labels[order[i]]] -= chosen[order[i]];
    }
    free(sizes);
    free(order);
    return chosen;
}

/* A part that is asked for has images. */
static bool check_part(const Load *load, int part, int count)
{
    return count > 0 ||
           rt_fail("%s: no images to %s; data.test_share is %g", load->path,
                   part == DATA_TRAIN ? "train on" : "test", load->want->test_share);
}

/* Hand the images of `all`, which is freed, to the wanted parts. */
static bool give_parts(const Load *load, ImageSet *all, const bool *test)
{
    int *numbers = rt_alloc(((size_t)all->count + 1) * sizeof *numbers);
    bool ok = true;
    for (int part = DATA_TRAIN; part <= DATA_TEST && ok; part++) {
        int count = 0;
        if (!(load->parts & part))
            continue;
        for (int i = 0; i < all->count; i++)
            if (test[i] == (part == DATA_TEST))
                numbers[count++] = i;
        *(part == DATA_TRAIN ? load->train : load->test) =
            image_set_select(all, numbers, count);
        ok = check_part(load, part, count);
    }
    data_free(all);
    free(numbers);
    return ok;
}

bool form_split(const Load *load, ImageSet *all)
{
    bool *chosen = form_choose(all->labels, all->count, load->want->test_share);
    bool ok = give_parts(load, all, chosen);
    free(chosen);
    return ok;
}

static bool load_pictures(const Load *load, Listing *listing, const int *items,
                          const int32_t *labels, const bool *test, int count)
{
    PictureError error;
    ImageSet all = *load->train; /* of that size, empty */
    if (!picture_suits(load->want, &error))
        return rt_fail("%s: %s", load->path, error.text);
    image_set_of_pictures(&all, listing, items, labels, count, load->want);
    bool ok = give_parts(load, &all, test);
    load->train->whole = load->want->whole;
    return ok;
}

bool form_pictures(const Load *load, Listing *listing, const int *items,
                   const int32_t *labels, const bool *test, int count,
                   const Classes *classes)
{
    bool *chosen = test ? NULL : form_choose(labels, count, load->want->test_share);
    const bool *is_test = test ? test : chosen;
    bool ok = load->survey
                  ? load->survey(load, listing, items, labels, is_test, count, classes)
                  : load_pictures(load, listing, items, labels, is_test, count);
    free(chosen);
    return ok;
}
