/* Safetensors: eight bytes that say how long the header is, a header in JSON (name to
 * type, shape and place), then the elements. */
#include <endian.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gen/weights/reader.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"

#define LENGTH_BYTES 8
#define MOST_HEADER ((uint64_t)8 << 20) /* parsed, it takes some 40 times that */

static const struct {
    const char *name;
    ElementType type;
} types[] = {
    {"BOOL", ELEMENT_BOOL}, {"U8", ELEMENT_U8},   {"U16", ELEMENT_U16},
    {"U32", ELEMENT_U32},   {"U64", ELEMENT_U64}, {"I8", ELEMENT_I8},
    {"I16", ELEMENT_I16},   {"I32", ELEMENT_I32}, {"I64", ELEMENT_I64},
    {"F16", ELEMENT_F16},   {"F32", ELEMENT_F32}, {"F64", ELEMENT_F64},
    {"BF16", ELEMENT_BF16},
};

/* Where an array lies among the elements. */
typedef struct {
    const char *name;
    uint64_t begin, end;
} Place;

/* ---- Reading ---- */

static uint64_t header_length(const WeightsReader *reader)
{
    uint64_t length = 0;
    for (int i = 0; i < LENGTH_BYTES; i++)
        length |= (uint64_t)reader->data[i] << 8 * i;
    return length;
}

/* The length's upper bytes are 0 in no other format. */
bool safetensors_is(const WeightsReader *reader)
{
    return reader->bytes > LENGTH_BYTES && reader->data[LENGTH_BYTES] == '{' &&
           header_length(reader) <= UINT32_MAX;
}

static bool read_type(const WeightsReader *reader, const char *name, const json_t *entry,
                      ElementType *type)
{
    const char *text = json_string_value(json_object_get(entry, "dtype"));
    for (size_t i = 0; text && i < sizeof types / sizeof *types; i++) {
        if (strcmp(text, types[i].name) == 0) {
            *type = types[i].type;
            return true;
        }
    }
    if (text && weights_name_ok(text, strlen(text)))
        return rt_fail(
            "%s: %s: elements of type %s, want F32, F16, BF16, F64, an integer "
            "or BOOL",
            reader->path, name, text);
    return rt_fail("%s: %s: no dtype", reader->path, name);
}

/* A list of `least` to `most` numbers from 0 up. */
static bool read_numbers(const json_t *list, size_t least, size_t most, int64_t *numbers)
{
    size_t count = json_array_size(list); /* 0 of what is no list */
    if (!json_is_array(list) || count < least || count > most)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(list, i);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return false;
        numbers[i] = json_integer_value(number);
    }
    return true;
}

static bool read_array(WeightsReader *reader, const char *name, const json_t *entry,
                       const uint8_t *elements, uint64_t bytes, Place *place)
{
    ElementView view = {0};
    const json_t *shape = json_object_get(entry, "shape");
    int64_t offsets[2];
    float *values;
    if (!weights_name_ok(name, strlen(name)))
        return rt_fail("%s: an array whose name is empty, longer than 255 bytes or not "
                       "text",
                       reader->path);
    if (!read_type(reader, name, entry, &view.type))
        return false;
    if (!read_numbers(shape, 0, 4, view.shape))
        return rt_fail("%s: %s: shape: want a list of at most 4 numbers from 0 up",
                       reader->path, name);
    if (!read_numbers(json_object_get(entry, "data_offsets"), 2, 2, offsets) ||
        offsets[0] > offsets[1] || (uint64_t)offsets[1] > bytes)
        return rt_fail("%s: %s: data_offsets: want two numbers, rising, from 0 to %llu",
                       reader->path, name, (unsigned long long)bytes);
    view.rank = (int)json_array_size(shape);
    if (!weights_add(reader, name, view.rank, view.shape, &values))
        return false;
    uint64_t stride = 1;
    for (int i = view.rank - 1; i >= 0; i--) {
        view.stride[i] = stride;
        stride *= (uint64_t)view.shape[i]; /* within bounds, weights_add says */
    }
    *place = (Place){name, (uint64_t)offsets[0], (uint64_t)offsets[1]};
    if (place->end - place->begin != stride * element_size(view.type))
        return rt_fail("%s: %s: %llu bytes of elements, want %llu", reader->path, name,
                       (unsigned long long)(place->end - place->begin),
                       (unsigned long long)(stride * element_size(view.type)));
    view.data = elements + place->begin;
    if (values)
        elements_copy(&view, values);
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    int order = (x->begin > y->begin) - (x->begin < y->begin);
    return order ? order : (x->end > y->end) - (x->end < y->end);
}

/* Elements belong to one array each, as the format has it. */
static bool check_places(const char *path, Place *places, size_t count, uint64_t bytes)
{
    uint64_t at = 0;
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; at = places[i++].end)
        if (places[i].begin != at)
            return rt_fail("%s: %s begins at byte %llu of the elements, want %llu, where "
                           "the array before ends",
                           path, places[i].name, (unsigned long long)places[i].begin,
                           (unsigned long long)at);
    return at == bytes || rt_fail("%s: %llu bytes behind the last array", path,
                                  (unsigned long long)(bytes - at));
}

static bool read_arrays(WeightsReader *reader, json_t *header, uint64_t length)
{
    const uint8_t *elements = reader->data + LENGTH_BYTES + length;
    uint64_t bytes = reader->bytes - LENGTH_BYTES - length;
    Place *places = rt_alloc(json_object_size(header) * sizeof *places);
    size_t count = 0;
    const char *name;
    json_t *entry;
    bool ok = true;
    json_object_foreach(header, name, entry)
    {
        if (ok && strcmp(name, "__metadata__") != 0)
            ok = read_array(reader, name, entry, elements, bytes, &places[count++]);
    }
    ok = ok && check_places(reader->path, places, count, bytes);
    free(places);
    return ok;
}

bool safetensors_read(WeightsReader *reader)
{
    uint64_t length = header_length(reader);
    if (length > MOST_HEADER)
        return rt_fail("%s: a header of %llu bytes, want at most %llu", reader->path,
                       (unsigned long long)length, (unsigned long long)MOST_HEADER);
    if (length > reader->bytes - LENGTH_BYTES)
        return rt_fail("%s: cut short: a header of %llu bytes in a file of %zu",
                       reader->path, (unsigned long long)length, reader->bytes);
    json_error_t error;
    json_t *header = json_loadb((const char *)reader->data + LENGTH_BYTES, (size_t)length,
                                JSON_REJECT_DUPLICATES, &error);
    if (header == NULL)
        return rt_fail("%s: header, byte %d: %s", reader->path, error.position,
                       error.text);
    bool ok = read_arrays(reader, header, length);
    json_decref(header);
    return ok;
}

/* ---- Writing ---- */

static json_t *describe(const Array *array, uint64_t at)
{
    json_t *shape = json_array();
    for (int i = 0; i < array->rank; i++)
        json_array_append_new(shape, json_integer(array->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                     "data_offsets", (json_int_t)at,
                     (json_int_t)(at + array->count * sizeof(float)));
}

/* The header, filled up with spaces: elements begin at a multiple of 8; free() it. */
static char *make_header(const char *path, const Array *arrays, int count)
{
    json_t *header = json_object();
    uint64_t at = 0;
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        if (json_object_get(header, arrays[i].name))
            ok = rt_fail("%s: two arrays are named %s", path, arrays[i].name);
        else if (json_object_set_new(header, arrays[i].name, describe(&arrays[i], at)))
            ok = rt_fail("%s: %s: a name that is no UTF-8", path, arrays[i].name);
        at += arrays[i].count * sizeof(float);
    }
    char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL, *padded = NULL;
    if (text)
        padded = rt_format("%-*s", (int)(strlen(text) + 7) / 8 * 8, text);
    free(text);
    json_decref(header);
    return padded;
}

static void write_values(FILE *file, const Array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        uint32_t bits;
        memcpy(&bits, &array->values[i], sizeof bits);
        bits = htole32(bits);
        fwrite(&bits, sizeof bits, 1, file);
    }
}

bool safetensors_write(const char *path, const Array *arrays, int count)
{
    if (count == 0)
        return rt_fail("%s: no arrays to write", path);
    char *header = make_header(path, arrays, count);
    Replacement out;
    bool ok = header && rt_replace_begin(&out, path);
    if (ok) {
        uint64_t length = htole64(strlen(header));
        fwrite(&length, sizeof length, 1, out.file);
        fputs(header, out.file);
        for (int i = 0; i < count; i++)
            write_values(out.file, &arrays[i]);
        ok = rt_replace_commit(&out);
    }
    free(header);
    return ok;
}
