/* Loading labelled images: official CIFAR binary files, PNG sheets, or random ones for
 * benchmarks. All end as one array of pixels, channels last, which is how networks read.
 */
#include "runtime/data/data.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/data_npy.h"
#include "runtime/draw/picture.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 99        /* data_batch_1 .. data_batch_99 */
#define MOST_RANDOM 10000000 /* images */

static bool check_label(const char *path, size_t image, long label, int classes)
{
    if (label >= 0 && label < classes)
        return true;
    return rt_fail("%s: label %ld of image %zu, want 0..%d", path, label, image,
                   classes - 1);
}

/* A record is a label and one plane of height x width for each channel. */
static bool add_records(ImageSet *set, const char *path, const uint8_t *data,
                        size_t bytes, int classes)
{
    size_t pixels = (size_t)set->height * (size_t)set->width;
    size_t channels = (size_t)set->channels, record = 1 + pixels * channels;
    if (bytes == 0 || bytes % record != 0)
        return rt_fail("%s: %zu bytes, want a multiple of %zu (a label and %d planes of "
                       "%d x %d)",
                       path, bytes, record, set->channels, set->height, set->width);
    size_t count = bytes / record;
    size_t first = (size_t)set->count;
    uint8_t *to = image_set_add(set, path, count);
    for (size_t i = 0; i < count && to; i++, data += record) {
        if (!check_label(path, i, data[0], classes))
            return false;
        set->labels[first + i] = data[0];
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < channels; c++)
                *to++ = data[1 + c * pixels + p];
    }
    return to != NULL;
}

static bool load_records(ImageSet *set, const char *path, int classes)
{
    size_t bytes = 0;
    char *data = rt_read_file(path, &bytes);
    bool ok = data && add_records(set, path, (const uint8_t *)data, bytes, classes);
    free(data);
    return ok;
}

/* The labels of all sheets are in one file, read after them. */
static bool load_sheet(ImageSet *set, const char *path)
{
    Picture sheet;
    if (!picture_read(path, &sheet))
        return false;
    bool ok = set->channels == 3 && sheet.width == set->height * set->width;
    if (!ok) {
        rt_fail("%s: rows of %d RGB pixels, want %d x %d = %d of %d channels", path,
                sheet.width, set->height, set->width, set->height * set->width,
                set->channels);
    } else {
        uint8_t *to = image_set_add(set, path, (size_t)sheet.height);
        ok = to != NULL;
        if (ok)
            memcpy(to, sheet.pixels, (size_t)sheet.height * image_set_bytes(set));
    }
    picture_free(&sheet);
    return ok;
}

/* "[3, 8, 8, ...]" */
static bool parse_labels(ImageSet *set, const char *path, const char *text, int classes)
{
    const char *space = " \t\r\n", *at = text + strspn(text, space);
    size_t count = 0;
    for (char before = '['; *at == before; before = ',') {
        char *end;
        long label = strtol(at + 1, &end, 10);
        if (end == at + 1)
            break;
        if (!check_label(path, count, label, classes))
            return false;
        if (count < (size_t)set->count)
            set->labels[count] = (int32_t)label;
        count++;
        at = end + strspn(end, space);
    }
    if (count == 0 || *at != ']' || at[1 + strspn(at + 1, space)] != 0)
        return rt_fail("%s: byte %td: want a JSON array of class numbers", path,
                       at - text);
    if (count != (size_t)set->count)
        return rt_fail("%s: %zu labels, want %d, one for each image", path, count,
                       set->count);
    return true;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool load_labels(ImageSet *set, const char *folder, const char *part, int classes)
{
    char *path =
        rt_format("%s/%s_lables.json", folder, part); /* the package's spelling */
    char *proper = rt_format("%s/%s_labels.json", folder, part);
    const char *found = !exists(path) && exists(proper) ? proper : path;
    char *text = rt_read_file(found, NULL);
    bool ok = text && parse_labels(set, found, text, classes);
    free(text);
    free(proper);
    free(path);
    return ok;
}

/* Where the files are and of which form. */
typedef struct {
    char *folder;
    bool sheets; /* else records */
} Source;

static bool load_file(ImageSet *set, const char *path, bool sheets, int classes)
{
    return sheets ? load_sheet(set, path) : load_records(set, path, classes);
}

static bool load_train(ImageSet *set, const Source *source, int classes)
{
    const char *suffix = source->sheets ? "png" : "bin";
    int loaded = 0;
    bool ok = true;
    for (int i = 1; i <= MOST_FILES && ok; i++) {
        char *path = rt_format("%s/data_batch_%d.%s", source->folder, i, suffix);
        if (exists(path)) {
            ok = i == loaded + 1 ? load_file(set, path, source->sheets, classes)
                                 : rt_fail("%s: data_batch_%d.%s before it is missing",
                                           path, i - 1, suffix);
            loaded = i;
        }
        free(path);
    }
    if (ok && loaded == 0)
        return rt_fail("%s/data_batch_1.%s: missing", source->folder, suffix);
    return ok && (!source->sheets || load_labels(set, source->folder, "train", classes));
}

static bool load_test(ImageSet *set, const Source *source, int classes)
{
    const char *suffix = source->sheets ? "png" : "bin";
    char *path = rt_format("%s/test_batch.%s", source->folder, suffix);
    bool ok = exists(path) ? load_file(set, path, source->sheets, classes)
                           : rt_fail("%s: missing", path);
    free(path);
    return ok && (!source->sheets || load_labels(set, source->folder, "test", classes));
}

/* Whether `folder`, followed by `below`, holds files with this suffix; takes it if so. */
static bool try_source(Source *source, const char *folder, const char *below,
                       const char *suffix)
{
    char *train = rt_format("%s%s/data_batch_1.%s", folder, below, suffix);
    char *test = rt_format("%s%s/test_batch.%s", folder, below, suffix);
    bool found = exists(train) || exists(test);
    free(train);
    free(test);
    if (found)
        *source = (Source){rt_format("%s%s", folder, below), strcmp(suffix, "png") == 0};
    return found;
}

#define FORMS                                                                            \
    "a folder of CIFAR-10's data_batch_1.bin and test_batch.bin, one of PNG sheets of "  \
    "these names, IMAGES.npy, or random:COUNT"

static bool find_source(Source *source, const char *folder)
{
    struct stat status;
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
        return rt_fail("%s: no such folder: want " FORMS
                       "; `lathe data cifar10 %s` makes one of CIFAR-10",
                       folder, folder);
    return try_source(source, folder, "", "bin") ||
           try_source(source, folder, "/cifar-10-batches-bin", "bin") ||
           try_source(source, folder, "", "png") ||
           rt_fail("%s: no images: want " FORMS, folder);
}

static void random_images(ImageSet *set, int count, uint64_t key, int classes)
{
    size_t bytes = (size_t)count * image_set_bytes(set);
    uint8_t *to = image_set_add(set, "random", (size_t)count);
    uint64_t pixel_key = random_bits(key, 0), label_key = random_bits(key, 1);
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(random_bits(pixel_key, i / 8) >> (i % 8 * 8));
    for (int i = 0; i < count; i++)
        set->labels[i] =
            (int32_t)(random_bits(label_key, (uint64_t)i) % (uint64_t)classes);
}

/* COUNT[:SEED], behind "random:". */
static bool parse_random(const char *name, const char *text, int *count, uint64_t *seed)
{
    char *end = NULL;
    unsigned long long first =
        isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    *count = first <= MOST_RANDOM ? (int)first : 0;
    *seed = 0;
    if (*count > 0 && *end == ':' && isdigit((unsigned char)end[1]))
        *seed = strtoull(end + 1, &end, 10);
    if (*count > 0 && *end == 0)
        return true;
    return rt_fail("%s: want random:COUNT or random:COUNT:SEED, COUNT 1..%d", name,
                   MOST_RANDOM);
}

bool data_exists(const char *folder)
{
    int count;
    uint64_t seed;
    if (strncmp(folder, "random:", 7) == 0)
        return parse_random(folder, folder + 7, &count, &seed);
    return access(folder, R_OK) == 0 || rt_fail("%s: %s", folder, strerror(errno));
}

static bool is_npy(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npy") == 0;
}

bool data_has_labels(const char *folder)
{
    return !is_npy(folder) ||
           rt_fail("%s: images without labels, which training needs", folder);
}

bool data_load(const char *folder, DataParts parts, int height, int width, int channels,
               int classes, ImageSet *train, ImageSet *test)
{
    *train = *test = (ImageSet){.height = height, .width = width, .channels = channels};
    if (strncmp(folder, "random:", 7) == 0) {
        int count;
        uint64_t seed;
        if (!parse_random(folder, folder + 7, &count, &seed))
            return false;
        if (parts & DATA_TRAIN)
            random_images(train, count, random_bits(seed, DATA_TRAIN), classes);
        if (parts & DATA_TEST)
            random_images(test, count, random_bits(seed, DATA_TEST), classes);
        return true;
    }
    if (is_npy(folder))
        return (!(parts & DATA_TRAIN) || data_load_npy(folder, train)) &&
               (!(parts & DATA_TEST) || data_load_npy(folder, test));
    Source source;
    if (!find_source(&source, folder))
        return false;
    bool ok = (!(parts & DATA_TRAIN) || load_train(train, &source, classes)) &&
              (!(parts & DATA_TEST) || load_test(test, &source, classes));
    free(source.folder);
    if (!ok) {
        data_free(train);
        data_free(test);
    }
    return ok;
}
