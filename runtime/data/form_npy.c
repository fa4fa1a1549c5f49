/* NumPy's files: images with or without labels, as .npy files or members of an .npz. A
 * header is one line of text behind a fixed start: magic, version, length. */
#include "runtime/data/forms.h"

#include "runtime/base/support.h"
#include "runtime/data/listing.h"
#include "runtime/data/npz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START = 10 /* of version 1 */, MOST_COUNT = 10000000 };

/* An array in memory. */
typedef struct {
    char *bytes, *name; /* both to be freed */
    const uint8_t *values;
    size_t size; /* of the values, in bytes */
    char type;   /* i, u ...; signed or unsigned whole numbers */
    int width;   /* bytes of a value */
    int rank;
    long shape[4];
} Array;

static void free_array(Array *array)
{
    free(array->bytes);
    free(array->name);
    *array = (Array){0};
}

/* "{'descr': '<i8', 'fortran_order': False, 'shape': (60000,), }" */
static bool parse_header(const char *header, Array *array)
{
    const char *descr = strstr(header, "'descr': '"),
               *shape = strstr(header, "'shape': (");
    if (descr == NULL || shape == NULL ||
        strstr(header, "'fortran_order': False") == NULL)
        return false;
    descr += strlen("'descr': '");
    if (strchr("<|", *descr) == NULL || descr[1] == 0 || descr[3] != '\'')
        return false;
    array->type = descr[1];
    array->width = descr[2] - '0';
    const char *at = shape + strlen("'shape': (");
    for (array->rank = 0; *at != ')' && array->rank < 4; array->rank++) {
        char *end;
        array->shape[array->rank] = strtol(at, &end, 10);
        if (end == at || array->shape[array->rank] < 0 ||
            array->shape[array->rank] > MOST_COUNT)
            return false;
        at = end + strspn(end, ", ");
    }
    return *at == ')';
}

/* Of a whole file's bytes. */
static bool parse_array(Array *array, size_t bytes)
{
    const char *data = array->bytes;
    size_t length =
        bytes > START ? (unsigned char)data[8] + 256u * (unsigned char)data[9] : 0;
    if (bytes <= START + length || memcmp(data, "\x93NUMPY\x01", 7) != 0)
        return false;
    char *header = rt_format("%.*s", (int)length, data + START);
    bool ok = parse_header(header, array);
    free(header);
    array->values = (const uint8_t *)data + START + length;
    array->size = bytes - START - length;
    double want = array->width;
    for (int i = 0; i < array->rank; i++)
        want *= (double)array->shape[i];
    return ok && (double)array->size == want;
}

/* ---- Images and labels ---- */

static bool take_images(const Array *array, const DataWant *want, ImageSet *set)
{
    const long shape[4] = {array->shape[0], want->height, want->width, want->channels};
    int rank = want->channels == 1 && array->rank == 3 ? 3 : 4;
    bool ok = array->type == 'u' && array->width == 1 && array->rank == rank &&
              memcmp(array->shape, shape, (size_t)rank * sizeof *shape) == 0 &&
              array->shape[0] > 0;
    if (!ok)
        return rt_fail("%s: want NumPy's uint8 array of (images, %d, %d, %d) in C order",
                       array->name, want->height, want->width, want->channels);
    uint8_t *to = image_set_add(set, array->name, (size_t)array->shape[0]);
    if (to)
        memcpy(to, array->values, array->size);
    return to != NULL;
}

/* Low byte first; of signed ones, too. */
static long label_at(const Array *array, int i)
{
    const uint8_t *at = array->values + (size_t)i * (size_t)array->width;
    uint64_t value = 0;
    for (int b = array->width - 1; b >= 0; b--)
        value = value << 8 | at[b];
    uint64_t sign = (uint64_t)1 << (8 * array->width - 1);
    return array->type == 'i' && value & sign ? -1
           : value > 1000000                  ? 1000000
                                              : (long)value;
}

static bool take_labels(const Array *array, const DataWant *want, ImageSet *set)
{
    bool whole = (array->type == 'u' || array->type == 'i') && array->width >= 1 &&
                 array->width <= 8;
    bool line = array->rank == 1 || (array->rank == 2 && array->shape[1] == 1);
    if (!whole || !line || array->shape[0] != set->count)
        return rt_fail(
            "%s: want NumPy's array of %d whole numbers, a label for each image",
            array->name, set->count);
    for (int i = 0; i < set->count; i++) {
        long label = label_at(array, i);
        if (!form_label(want, array->name, (size_t)i, label))
            return false;
        set->labels[i] = (int32_t)label;
    }
    return true;
}

/* ---- Where they are ---- */

/* What stands for an array that cannot be read gets the message of what it was to be. */
static bool read_file(const char *path, Array *array)
{
    size_t bytes;
    *array = (Array){.bytes = rt_read_file(path, &bytes), .name = rt_format("%s", path)};
    if (array->bytes && !parse_array(array, bytes))
        array->rank = -1;
    return array->bytes != NULL;
}

/* False without an error when there is no such member. */
static bool read_member(const char *path, const char *name, Array *array)
{
    size_t bytes;
    *array = (Array){.bytes = npz_member(path, name, &bytes),
                     .name = rt_format("%s: %s", path, name)};
    if (array->bytes && !parse_array(array, bytes))
        array->rank = -1;
    return array->bytes != NULL;
}

static bool has_labels_beside(const char *path, char **labels)
{
    const char *slash = strrchr(path, '/');
    const char *word = strstr(slash ? slash : path, "images");
    *labels = word ? rt_format("%.*slabels%s", (int)(word - path), path, word + 6) : NULL;
    return *labels && access(*labels, F_OK) == 0;
}

/* FOLDER/images.npy stands for its folder. */
static char *images_of(const char *path)
{
    return name_ends(path, ".npy") || name_ends(path, ".npz")
               ? rt_format("%s", path)
               : rt_format("%s/images.npy", path);
}

bool npy_is(const char *path)
{
    return name_ends(path, ".npy") || name_ends(path, ".npz") ||
           form_has(path, "images.npy");
}

bool npy_has_labels(const char *path)
{
    char *images = images_of(path), *labels = NULL;
    bool has = name_ends(path, ".npz") || has_labels_beside(images, &labels);
    free(images);
    free(labels);
    return has;
}

static bool load_part(const Array *images, const Array *labels, const Load *load,
                      ImageSet *set)
{
    return take_images(images, load->want, set) &&
           (labels->bytes == NULL || take_labels(labels, load->want, set));
}

/* Images and labels for both parts, which are split; or, without labels, for either. */
static bool load_pair(const Load *load, const Array *images, const Array *labels)
{
    if (labels->bytes) {
        ImageSet all = *load->train; /* of that size, empty */
        bool ok = load_part(images, labels, load, &all);
        if (ok)
            return form_split(load, &all);
        data_free(&all);
        return false;
    }
    load->train->unlabelled = load->test->unlabelled = true;
    return (!(load->parts & DATA_TRAIN) ||
            load_part(images, labels, load, load->train)) &&
           (!(load->parts & DATA_TEST) || load_part(images, labels, load, load->test));
}

/* An .npz has images and labels, or x_train, y_train, x_test and y_test. */
static bool load_npz(const Load *load)
{
    static const char *const names[][2] = {
        {"images", "labels"}, {"x_train", "y_train"}, {"x_test", "y_test"}};
    Array images[3] = {{0}}, labels[3] = {{0}};
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        read_member(load->path, names[i][0], &images[i]);
        if (images[i].bytes && !read_member(load->path, names[i][1], &labels[i]))
            rt_fail("%s: has %s and no %s", load->path, names[i][0], names[i][1]);
        ok = rt_error()[0] == 0;
    }
    if (ok && images[0].bytes)
        ok = load_pair(load, &images[0], &labels[0]);
    else if (ok && images[1].bytes && images[2].bytes)
        ok = (!(load->parts & DATA_TRAIN) ||
              load_part(&images[1], &labels[1], load, load->train)) &&
             (!(load->parts & DATA_TEST) ||
              load_part(&images[2], &labels[2], load, load->test));
    else if (ok)
        ok = rt_fail("%s: want arrays images and labels, or x_train, y_train, x_test and "
                     "y_test",
                     load->path);
    for (int i = 0; i < 3; i++) {
        free_array(&images[i]);
        free_array(&labels[i]);
    }
    return ok;
}

bool npy_load(const Load *load)
{
    if (name_ends(load->path, ".npz"))
        return load_npz(load);
    char *path = images_of(load->path), *beside;
    Array images = {0}, labels = {0};
    bool labelled = has_labels_beside(path, &beside);
    bool ok = read_file(path, &images) && (!labelled || read_file(beside, &labels)) &&
              load_pair(load, &images, &labels);
    free_array(&images);
    free_array(&labels);
    free(beside);
    free(path);
    return ok;
}
