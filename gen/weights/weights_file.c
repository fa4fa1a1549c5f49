/* Tells the format of a weight file by its first bytes and reads its arrays. */
#include "gen/weights/weights_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

void arrays_free(Array *arrays, int count)
{
    for (int i = 0; i < count; i++) {
        free(arrays[i].name);
        free(arrays[i].values);
    }
    free(arrays);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const Array *const *)a)->name, (*(const Array *const *)b)->name);
}

static bool check_unique(const WeightsReader *reader)
{
    const Array **sorted = rt_alloc((size_t)reader->count * sizeof *sorted);
    for (int i = 0; i < reader->count; i++)
        sorted[i] = &reader->arrays[i];
    qsort(sorted, (size_t)reader->count, sizeof *sorted, compare_names);
    bool ok = true;
    for (int i = 1; i < reader->count && ok; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            ok = rt_fail("%s: two arrays are named %s", reader->path, sorted[i]->name);
    free(sorted);
    return ok;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* PyTorch keeps everything in a folder of the zip, whose name varies. */
static zip_int64_t find_pickle(zip_t *archive)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        if (name && ends_with(name, "/data.pkl"))
            return i;
    }
    return -1;
}

static bool check_no_key(const WeightsReader *reader)
{
    return reader->key == NULL ||
           rt_fail(
               "%s: --key %s: its arrays are one list, only PyTorch's checkpoints have "
               "dictionaries to choose from",
               reader->path, reader->key);
}

static bool read_zip(WeightsReader *reader)
{
    zip_t *archive = zip_open_memory(reader);
    if (archive == NULL)
        return false;
    zip_int64_t pickle = find_pickle(archive);
    bool ok = pickle >= 0 ? torch_read_zip(reader, archive, (zip_uint64_t)pickle)
                          : check_no_key(reader) && npz_read(reader, archive);
    zip_discard(archive);
    return ok;
}

static bool read_any(WeightsReader *reader)
{
    const char *start = (const char *)reader->data; /* a 0 byte lies behind the data */
    weights_set_budget(reader, reader->bytes);
    if (safetensors_is(reader))
        return check_no_key(reader) && safetensors_read(reader);
    if (strncmp(start, "PK\3\4", 4) == 0)
        return read_zip(reader);
    if (strncmp(start, "\x93NUMPY", 6) == 0)
        return check_no_key(reader) && npy_read(reader);
    if (start[0] == '\x80')
        return torch_read_legacy(reader);
    return rt_fail("%s: no weights: want a file of PyTorch (.pt, .pth, .th), "
                   ".safetensors, NumPy (.npz, .npy) or Keras (.h5)",
                   reader->path);
}

static bool read_file(WeightsReader *reader, Array **arrays, int *count)
{
    struct stat status;
    const char *path = reader->path;
    if (stat(path, &status) == 0 && (uint64_t)status.st_size > WEIGHTS_MOST_BYTES)
        return rt_fail("%s: %lld bytes, want at most %llu", path,
                       (long long)status.st_size, (unsigned long long)WEIGHTS_MOST_BYTES);
    char *data = rt_read_file(path, &reader->bytes);
    if (data == NULL)
        return false;
    reader->data = (const uint8_t *)data;
    bool ok = read_any(reader) && check_unique(reader);
    if (ok && reader->count == 0)
        ok = rt_fail("%s: no arrays in it", path);
    free(data);
    if (!ok) {
        arrays_free(reader->arrays, reader->count);
        return false;
    }
    *arrays = reader->arrays;
    *count = reader->count;
    return true;
}

bool weights_read(const char *path, Array **arrays, int *count)
{
    WeightsReader reader = {.path = path, .want = WANT_ALL};
    return read_file(&reader, arrays, count);
}

bool weights_outline(const char *path, const char *key, Array **arrays, int *count,
                     char **beside)
{
    WeightsReader reader = {.path = path, .key = key, .want = WANT_OUTLINE};
    bool ok = read_file(&reader, arrays, count);
    if (ok && beside)
        *beside = reader.beside;
    else
        free(reader.beside);
    return ok;
}

bool weights_read_some(const char *path, const char *key,
                       bool (*wanted)(const void *context, const char *name),
                       const void *context, Array **arrays, int *count)
{
    WeightsReader reader = {.path = path,
                            .key = key,
                            .want = WANT_SOME,
                            .wanted = wanted,
                            .context = context};
    return read_file(&reader, arrays, count);
}
