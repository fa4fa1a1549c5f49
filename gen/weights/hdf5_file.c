/* HDF5: see hdf5_file.h. A process of its own reads the file and writes plain records:
 * the name's length, the name, the rank, four sizes and the values; rank TEXT is the
 * attribute. Whatever it writes is checked again here, as if it were a file. */
#include "gen/weights/hdf5_file.h"

#include "gen/base/isolated.h"
#include "gen/weights/reader.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TEXT = -1,
    MOST_TEXT = 16 << 20,
    MOST_DEPTH = 8,
    MOST_LINKS = 65536,
    SECONDS = 60
};
#define MOST_PATH 255

typedef struct {
    int32_t name, rank;
    int64_t sizes[4];
} Record;

/* ---- In the process of its own ---- */

typedef struct {
    const char *path, *folder, *attribute;
    uint64_t left; /* bytes that arrays may still take */
    int links, depth;
    char name[MOST_PATH + 1]; /* of the group, with its '/', below the folder */
    FILE *out;
} Walk;

static void put_record(FILE *out, const char *name, int rank, const hsize_t *sizes)
{
    Record record = {.name = (int32_t)strlen(name), .rank = rank};
    for (int i = 0; i < (rank == TEXT ? 1 : rank); i++)
        record.sizes[i] = (int64_t)sizes[i];
    fwrite(&record, sizeof record, 1, out);
    fwrite(name, 1, strlen(name), out);
}

/* Kept in this file, and nowhere else. */
static bool is_here(hid_t set)
{
    hid_t made = H5Dget_create_plist(set);
    H5D_layout_t layout = H5Pget_layout(made);
    bool here =
        (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) &&
        H5Pget_external_count(made) == 0;
    H5Pclose(made);
    return here;
}

static bool put_values(Walk *walk, hid_t set, const char *name, int rank,
                       const hsize_t *sizes)
{
    uint64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (sizes[i] > walk->left / sizeof(float) / (count ? count : 1))
            return rt_fail("%s: %s: dimension %d is %llu, too large for this file",
                           walk->path, name, i, (unsigned long long)sizes[i]);
        count *= sizes[i];
    }
    walk->left -= count * sizeof(float);
    float *values = rt_alloc(count * sizeof *values + 1);
    bool ok = H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (ok) {
        put_record(walk->out, name, rank, sizes);
        fwrite(values, sizeof *values, count, walk->out);
    }
    free(values);
    return ok || rt_fail("%s: %s: its values cannot be read", walk->path, name);
}

/* What is no number, or of more dimensions, is no weight. */
static bool put_set(Walk *walk, hid_t set, const char *name)
{
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    H5T_class_t class = H5Tget_class(type);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t sizes[4] = {0};
    bool wanted = (class == H5T_FLOAT || class == H5T_INTEGER) && rank >= 0 && rank <= 4;
    bool ok = true;
    if (wanted && !is_here(set))
        ok = rt_fail("%s: %s: its values are kept in another file", walk->path, name);
    else if (wanted)
        ok = H5Sget_simple_extent_dims(space, sizes, NULL) == rank &&
             put_values(walk, set, name, rank, sizes);
    H5Sclose(space);
    H5Tclose(type);
    return ok || rt_fail("%s: %s: broken", walk->path, name);
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *context);

/* An object by its own name: a group is gone through, a data set is written. */
static bool put_object(Walk *walk, hid_t group, const char *name)
{
    size_t before = strlen(walk->name);
    if (before + strlen(name) + 1 > MOST_PATH)
        return rt_fail("%s: a name of more than %d bytes", walk->path, MOST_PATH);
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        return rt_fail("%s: %s%s: broken", walk->path, walk->name, name);
    strcat(walk->name, name);
    bool ok = true;
    if (H5Iget_type(object) == H5I_DATASET) {
        ok = put_set(walk, object, walk->name);
    } else if (H5Iget_type(object) == H5I_GROUP) {
        hsize_t at = 0;
        strcat(walk->name, "/");
        ok = ++walk->depth <= MOST_DEPTH || rt_fail("%s: %s: more than %d groups deep",
                                                    walk->path, walk->name, MOST_DEPTH);
        ok = ok &&
             (H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, &at, visit, walk) >= 0 ||
              rt_fail("%s: %s: broken", walk->path, walk->name));
        walk->depth--;
    }
    walk->name[before] = 0;
    H5Oclose(object);
    return ok;
}

/* Of links, only those within the file; 0: go on. */
static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    Walk *walk = context;
    if (++walk->links > MOST_LINKS) {
        rt_fail("%s: more than %d names", walk->path, MOST_LINKS);
        return -1;
    }
    if (info->type != H5L_TYPE_HARD) {
        rt_fail("%s: %s%s: a link that leads elsewhere", walk->path, walk->name, name);
        return -1;
    }
    return put_object(walk, group, name) ? 0 : -1;
}

/* One text, of the length it says or as long as it is; free() it. NULL: it is none. */
static char *read_text(hid_t attribute)
{
    hid_t type = H5Aget_type(attribute);
    char *text = NULL;
    if (H5Tget_class(type) != H5T_STRING ||
        H5Sget_simple_extent_npoints(H5Aget_space(attribute)) != 1)
        return NULL;
    if (H5Tis_variable_str(type) > 0)
        return H5Aread(attribute, type, &text) >= 0 ? text : NULL;
    size_t bytes = H5Tget_size(type);
    if (bytes == 0 || bytes > MOST_TEXT)
        return NULL;
    text = rt_alloc(bytes + 1);
    if (H5Aread(attribute, type, text) >= 0)
        return text;
    free(text);
    return NULL;
}

static bool put_text(Walk *walk, hid_t root)
{
    if (H5Aexists(root, walk->attribute) <= 0)
        return true;
    hid_t attribute = H5Aopen(root, walk->attribute, H5P_DEFAULT);
    char *text = attribute >= 0 ? read_text(attribute) : NULL;
    if (text == NULL)
        return rt_fail("%s: %s: want a text", walk->path, walk->attribute);
    hsize_t length = strlen(text);
    put_record(walk->out, walk->attribute, TEXT, &length);
    fwrite(text, 1, length, walk->out);
    free(text);
    return true;
}

/* Nothing is closed: the process ends. */
static bool read_alone(const void *context, FILE *out)
{
    Walk walk = *(const Walk *)context;
    walk.out = out;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* no code that a file asks for */
    hid_t file = H5Fopen(walk.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return rt_fail("%s: no HDF5 file, or a broken one", walk.path);
    const char *folder =
        *walk.folder && H5Lexists(file, walk.folder, H5P_DEFAULT) > 0 ? walk.folder : "/";
    hid_t group = H5Gopen2(file, folder, H5P_DEFAULT);
    hsize_t at = 0;
    if (group < 0 || H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, visit, &walk) < 0)
        return rt_fail("%s: %s: broken", walk.path, folder);
    return put_text(&walk, file);
}

/* ---- Here ---- */

bool hdf5_is(const char *path)
{
    char start[8] = "";
    FILE *file = fopen(path, "rb");
    bool is = file && fread(start, 1, 8, file) == 8 &&
              memcmp(start, "\x89HDF\r\n\x1a\n", 8) == 0;
    if (file)
        fclose(file);
    return is;
}

/* The next `bytes` of what is left; NULL: there are fewer. */
static const char *take(const char **at, const char *end, uint64_t bytes)
{
    const char *start = *at;
    if (bytes > (uint64_t)(end - start))
        return NULL;
    *at += bytes;
    return start;
}

/* One record from *at on. */
static bool take_record(WeightsReader *reader, const char **at, const char *end,
                        char **text)
{
    Record record;
    const char *header = take(at, end, sizeof record);
    if (header)
        memcpy(&record, header, sizeof record);
    const char *name = NULL;
    if (header && record.name >= 0 && record.name <= MOST_PATH && record.rank >= TEXT &&
        record.rank <= 4)
        name = take(at, end, (uint64_t)record.name);
    if (name == NULL)
        return false;
    if (record.rank == TEXT) {
        const char *from = take(at, end, (uint64_t)record.sizes[0]);
        free(*text);
        *text = from ? rt_format("%.*s", (int)record.sizes[0], from) : NULL;
        return from != NULL;
    }
    char *copy = rt_format("%.*s", record.name, name);
    float *values;
    bool ok = weights_add(reader, copy, record.rank, record.sizes, &values);
    free(copy);
    if (!ok)
        return false;
    uint64_t bytes = reader->arrays[reader->count - 1].count * sizeof(float);
    const char *from = take(at, end, bytes);
    if (from)
        memcpy(values, from, bytes);
    return from != NULL;
}

bool hdf5_read(const char *path, const char *folder, const char *attribute, Hdf5 *file)
{
    *file = (Hdf5){0};
    WeightsReader reader = {.path = path, .want = WANT_ALL};
    struct stat status;
    size_t bytes;
    if (stat(path, &status) != 0)
        return rt_fail("%s: %s", path, strerror(errno));
    weights_set_budget(&reader, (uint64_t)status.st_size);
    const Walk walk = {
        .path = path, .folder = folder, .attribute = attribute, .left = reader.budget};
    char *what = rt_format("%s: the HDF5 library", path);
    char *data = isolated_output(what, SECONDS, read_alone, &walk, &bytes);
    free(what);
    if (data == NULL)
        return false;
    bool ok = true;
    for (const char *at = data; ok && at < data + bytes;)
        ok = take_record(&reader, &at, data + bytes, &file->text);
    free(data);
    file->arrays = reader.arrays;
    file->count = reader.count;
    if (!ok)
        hdf5_free(file);
    return ok || rt_fail("%s: broken", path);
}

void hdf5_free(Hdf5 *file)
{
    arrays_free(file->arrays, file->count);
    free(file->text);
    *file = (Hdf5){0};
}
