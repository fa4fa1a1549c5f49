/* Collects the arrays of a weight file: the one place where names, shapes and sizes of
 * untrusted arrays are checked. */
#include "gen/weights/reader.h"

#include <limits.h>
#include <string.h>

#include "runtime/base/support.h"

#define MOST_NAME 255

/* Arrays may share or repeat what a file stores, but a small file must not fill memory.
 */
void weights_set_budget(WeightsReader *reader, uint64_t unpacked)
{
    uint64_t fair = ((uint64_t)16 << 20) + unpacked * 16;
    reader->budget = fair < WEIGHTS_MOST_BYTES ? fair : WEIGHTS_MOST_BYTES;
}

bool weights_name_ok(const char *name, size_t length)
{
    if (length < 1 || length > MOST_NAME)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 32 || name[i] == 127)
            return false;
    return true;
}

static bool check_array(const WeightsReader *reader, const char *name, int rank,
                        const int64_t *shape, Array *array)
{
    const char *path = reader->path;
    if (!weights_name_ok(name, strlen(name)))
        return rt_fail("%s: array %d: name is empty, longer than %d bytes or not text",
                       path, reader->count, MOST_NAME);
    if (rank > 4)
        return rt_fail("%s: %s: %d dimensions, want at most 4", path, name, rank);
    if (reader->count == WEIGHTS_MOST_ARRAYS)
        return rt_fail("%s: more than %d arrays", path, WEIGHTS_MOST_ARRAYS);
    uint64_t most = reader->budget / sizeof(float);
    *array = (Array){.rank = rank, .count = 1};
    for (int i = 0; i < rank; i++) {
        uint64_t outer = array->count ? array->count : 1;
        if (shape[i] < 0 || shape[i] > INT_MAX || (uint64_t)shape[i] > most / outer)
            return rt_fail("%s: %s: dimension %d is %lld, too large for this file", path,
                           name, i, (long long)shape[i]);
        array->shape[i] = (int)shape[i];
        array->count *= (size_t)shape[i];
    }
    if (array->count > most)
        return rt_fail("%s: %s: too many values for this file", path, name);
    return true;
}

bool weights_wants(const WeightsReader *reader, const char *name)
{
    return reader->want == WANT_ALL ||
           (reader->want == WANT_SOME && reader->wanted(reader->context, name));
}

bool weights_add(WeightsReader *reader, const char *name, int rank, const int64_t *shape,
                 float **values)
{
    Array array;
    *values = NULL;
    if (!check_array(reader, name, rank, shape, &array))
        return false;
    reader->budget -= array.count * sizeof(float);
    if (reader->want == WANT_SOME && !weights_wants(reader, name))
        return true;
    if (weights_wants(reader, name))
        *values = array.values = rt_alloc(array.count * sizeof(float));
    array.name = rt_format("%s", name);
    if (reader->count == reader->room) {
        reader->room = reader->room ? 2 * reader->room : 64;
        reader->arrays =
            rt_grow(reader->arrays, (size_t)reader->room * sizeof *reader->arrays);
    }
    reader->arrays[reader->count++] = array;
    return true;
}
