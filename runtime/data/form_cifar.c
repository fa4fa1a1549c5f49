/* CIFAR's binary files: records of labels and one plane for each channel. */
#include "runtime/data/forms.h"

#include "runtime/base/support.h"

#include <stdlib.h>

/* A file of records: so many labels each, the image's own at `label`. */
typedef struct {
    const DataWant *want;
    const char *path;
    size_t labels, label;
} Records;

static bool add_records(ImageSet *set, const Records *records, const uint8_t *data,
                        size_t bytes)
{
    const char *path = records->path;
    size_t pixels = (size_t)set->height * (size_t)set->width;
    size_t channels = (size_t)set->channels, record = records->labels + pixels * channels;
    if (bytes == 0 || bytes % record != 0)
        return rt_fail("%s: %zu bytes, want a multiple of %zu (a label and %d planes of "
                       "%d x %d)",
                       path, bytes, record, set->channels, set->height, set->width);
    size_t count = bytes / record, first = (size_t)set->count;
    uint8_t *to = image_set_add(set, path, count);
    for (size_t i = 0; i < count && to; i++, data += record) {
        const uint8_t *planes = data + records->labels;
        if (!form_label(records->want, path, i, data[records->label]))
            return false;
        set->labels[first + i] = data[records->label];
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < channels; c++)
                *to++ = planes[c * pixels + p];
    }
    return to != NULL;
}

static bool load_records(ImageSet *set, const Records *records)
{
    size_t bytes = 0;
    char *data = rt_read_file(records->path, &bytes);
    bool ok = data && add_records(set, records, (const uint8_t *)data, bytes);
    free(data);
    return ok;
}

/* The folder of the files: `path` itself, or the one that the official archive makes in
 * it. free() it; NULL when neither has any of both names. */
static char *folder_of(const char *path, const char *below, const char *train,
                       const char *test)
{
    char *inner = rt_format("%s/%s", path, below);
    for (int i = 0; i < 2; i++) {
        const char *folder = i == 0 ? path : inner;
        if (form_has(folder, train) || form_has(folder, test)) {
            char *found = rt_format("%s", folder);
            free(inner);
            return found;
        }
    }
    free(inner);
    return NULL;
}

static char *cifar10_folder(const char *path)
{
    return folder_of(path, "cifar-10-batches-bin", "data_batch_1.bin", "test_batch.bin");
}

bool cifar10_is(const char *path)
{
    char *folder = cifar10_folder(path);
    free(folder);
    return folder != NULL;
}

static bool read_batch(const Load *load, const char *path, ImageSet *set)
{
    return load_records(set, &(Records){load->want, path, 1, 0});
}

bool cifar10_load(const Load *load)
{
    char *folder = cifar10_folder(load->path);
    bool ok = form_batches(load, folder, "bin", read_batch);
    free(folder);
    return ok;
}

/* ---- CIFAR-100: a coarse label, of 20, and a fine one ---- */

static char *cifar100_folder(const char *path)
{
    return folder_of(path, "cifar-100-binary", "train.bin", "test.bin");
}

bool cifar100_is(const char *path)
{
    char *folder = cifar100_folder(path);
    free(folder);
    return folder != NULL;
}

bool cifar100_load(const Load *load)
{
    char *folder = cifar100_folder(load->path);
    bool coarse = load->want->classes == 20, ok = true;
    for (int part = DATA_TRAIN; part <= DATA_TEST && ok; part++) {
        if (!(load->parts & part))
            continue;
        bool train = part == DATA_TRAIN;
        char *path = rt_format("%s/%s.bin", folder, train ? "train" : "test");
        ok = load_records(train ? load->train : load->test,
                          &(Records){load->want, path, 2, coarse ? 0 : 1});
        free(path);
    }
    free(folder);
    return ok;
}
