/* NumPy's .npy (a text header, then the elements) and .npz (a zip of those). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

#define MOST_HEADER 65536

/* Reading. */

typedef struct {
    const char *path, *name;
    const char *at; /* in the header, which ends with a 0 byte */
    ElementView view;
    bool fortran;
} Npy;

static bool accept(Npy *npy, const char *token)
{
    npy->at += strspn(npy->at, " \n");
    size_t length = strlen(token);
    if (strncmp(npy->at, token, length) != 0)
        return false;
    npy->at += length;
    return true;
}

static bool header_fail(const Npy *npy)
{
    return rt_fail("%s: %s: damaged .npy header", npy->path, npy->name);
}

/* '<f4': byte order, kind, bytes. */
static bool read_type(Npy *npy)
{
    static const struct {
        const char *name;
        ElementType type;
    } types[] = {
        {"b1", ELEMENT_BOOL}, {"u1", ELEMENT_U8},  {"u2", ELEMENT_U16},
        {"u4", ELEMENT_U32},  {"u8", ELEMENT_U64}, {"i1", ELEMENT_I8},
        {"i2", ELEMENT_I16},  {"i4", ELEMENT_I32}, {"i8", ELEMENT_I64},
        {"f2", ELEMENT_F16},  {"f4", ELEMENT_F32}, {"f8", ELEMENT_F64},
        {"V2", ELEMENT_BF16}, /* NumPy itself has no bfloat16 */
    };
    if (!accept(npy, "'"))
        return rt_fail("%s: %s: a record or object array, want float or integer elements",
                       npy->path, npy->name);
    npy->view.big_endian = *npy->at == '>';
    npy->at += strspn(npy->at, "<>|=");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (accept(npy, types[i].name)) {
            npy->view.type = types[i].type;
            return accept(npy, "'") || header_fail(npy);
        }
    }
    int length = 0;
    while (length < 16 && isalnum((unsigned char)npy->at[length]))
        length++;
    return rt_fail("%s: %s: elements of type %.*s, want float or integer", npy->path,
                   npy->name, length, npy->at);
}

static bool read_order(Npy *npy)
{
    npy->fortran = accept(npy, "True");
    return npy->fortran || accept(npy, "False") || header_fail(npy);
}

/* (64, 3, 7, 7), (64,) or (). */
static bool read_shape(Npy *npy)
{
    if (!accept(npy, "("))
        return header_fail(npy);
    while (!accept(npy, ")")) {
        size_t digits = strspn(npy->at, "0123456789");
        if (digits < 1 || digits > 18)
            return header_fail(npy);
        if (npy->view.rank == 4)
            return rt_fail("%s: %s: more than 4 dimensions", npy->path, npy->name);
        npy->view.shape[npy->view.rank++] = strtoll(npy->at, NULL, 10);
        npy->at += digits;
        accept(npy, "L"); /* Python 2 */
        if (!accept(npy, ",") && *npy->at != ')')
            return header_fail(npy);
    }
    return true;
}

static bool read_header(Npy *npy)
{
    static const struct {
        const char *key;
        bool (*read)(Npy *npy);
    } fields[] = {{"'descr':", read_type},
                  {"'fortran_order':", read_order},
                  {"'shape':", read_shape}};
    bool seen[3] = {false};
    if (!accept(npy, "{"))
        return header_fail(npy);
    while (!accept(npy, "}")) {
        int i = 0;
        while (i < 3 && (seen[i] || !accept(npy, fields[i].key)))
            i++;
        if (i == 3)
            return header_fail(npy);
        seen[i] = true;
        if (!fields[i].read(npy))
            return false;
        accept(npy, ",");
    }
    return (seen[0] && seen[1] && seen[2]) || header_fail(npy);
}

static void set_strides(Npy *npy)
{
    ElementView *view = &npy->view;
    uint64_t stride = 1;
    for (int i = 0; i < view->rank; i++) {
        int axis = npy->fortran ? i : view->rank - 1 - i;
        view->stride[axis] = stride;
        stride *= (uint64_t)view->shape[axis];
    }
}

/* Where the header text starts and how long it is; version 1 counts it in 2 bytes, later
 * ones in 4. */
static bool find_header(const Npy *npy, const uint8_t *data, size_t bytes, size_t *start,
                        size_t *length)
{
    if (bytes < 12 || memcmp(data, "\x93NUMPY", 6) != 0 || data[6] < 1 || data[6] > 3)
        return header_fail(npy);
    *start = data[6] == 1 ? 10 : 12;
    *length = 0;
    for (size_t i = *start; i-- > 8;)
        *length = *length << 8 | data[i];
    return (*length <= MOST_HEADER && *length <= bytes - *start) || header_fail(npy);
}

/* The array whose .npy begins with these bytes, of `total` in all: *values as weights_add
 * has it, *at where its elements begin. */
static bool add_npy(WeightsReader *reader, Npy *npy, const uint8_t *data, size_t bytes,
                    size_t total, size_t *at, float **values)
{
    size_t start = 0, length = 0;
    if (!find_header(npy, data, bytes, &start, &length))
        return false;
    char *text = rt_format("%.*s", (int)length, (const char *)data + start);
    npy->at = text;
    bool ok = read_header(npy);
    free(text);
    if (!ok || !weights_add(reader, npy->name, npy->view.rank, npy->view.shape, values))
        return false;
    uint64_t count = 1; /* within bounds by now */
    for (int i = 0; i < npy->view.rank; i++)
        count *= (uint64_t)npy->view.shape[i];
    size_t want = count * element_size(npy->view.type);
    *at = start + length;
    set_strides(npy);
    return total - *at == want || rt_fail("%s: %s: %zu bytes of elements, want %zu",
                                          reader->path, npy->name, total - *at, want);
}

/* "a/b.npy" without folder and ending; free() it. */
static char *name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return rt_format("%.*s", dot ? (int)(dot - base) : (int)strlen(base), base);
}

bool npy_read(WeightsReader *reader)
{
    char *name = name_of_file(reader->path);
    Npy npy = {.path = reader->path, .name = name};
    size_t at;
    float *values;
    bool ok =
        add_npy(reader, &npy, reader->data, reader->bytes, reader->bytes, &at, &values);
    if (ok && values) {
        npy.view.data = reader->data + at;
        elements_copy(&npy.view, values);
    }
    free(name);
    return ok;
}

/* Name and shape from the entry's first bytes; the rest only where its values are wanted.
 */
static bool read_entry(WeightsReader *reader, zip_t *archive, zip_uint64_t index,
                       const char *name)
{
    Npy npy = {.path = reader->path, .name = name};
    size_t bytes, total, at;
    float *values = NULL;
    uint8_t *start =
        zip_read_start(reader->path, archive, index, MOST_HEADER + 12, &bytes, &total);
    bool ok = start && add_npy(reader, &npy, start, bytes, total, &at, &values);
    free(start);
    uint8_t *data =
        ok && values ? zip_read_entry(reader->path, archive, index, &bytes) : NULL;
    if (data) {
        npy.view.data = data + at;
        elements_copy(&npy.view, values);
    }
    free(data);
    return ok && (values == NULL || data);
}

static bool add_entry(WeightsReader *reader, zip_t *archive, zip_uint64_t index)
{
    const char *entry = zip_get_name(archive, index, 0);
    size_t length = entry ? strlen(entry) : 0;
    if (length < 4 || strcmp(entry + length - 4, ".npy") != 0)
        return true; /* not an array */
    if (!weights_name_ok(entry, length))
        return rt_fail("%s: zip entry %llu: name is not text or too long", reader->path,
                       (unsigned long long)index);
    char *name = rt_format("%.*s", (int)length - 4, entry);
    bool ok = read_entry(reader, archive, index, name);
    free(name);
    return ok;
}

bool npz_read(WeightsReader *reader, zip_t *archive)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++)
        if (!add_entry(reader, archive, (zip_uint64_t)i))
            return false;
    return true;
}

/* Writing. */

/* Magic, version, length and text, padded so that the elements start at a multiple of 64;
 * free() it. */
static char *npy_header(const Array *array, size_t *bytes)
{
    char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char shape[64] = "";
    for (int i = 0, at = 0; i < array->rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, "%d,%s", array->shape[i],
                       i + 1 < array->rank ? " " : "");
    char *text = rt_format("{'descr': '%cf4', 'fortran_order': False, 'shape': (%s), }",
                           order, shape);
    int length = (int)(strlen(text) + 1 + 10 + 63) / 64 * 64 - 10;
    char *header = rt_format("XNUMPYVvLl%-*s\n", length - 1, text);
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)(length & 255);
    header[9] = (char)(length >> 8);
    free(text);
    *bytes = (size_t)length + 10;
    return header;
}

/* What numpy.load and unzip both read: not compressed, dated 1980-01-01. */
static bool add_array(zip_t *archive, const Array *array, char **header)
{
    enum { DOS_TIME = 0, DOS_DATE = 1 << 5 | 1 };
    size_t header_bytes;
    *header = npy_header(array, &header_bytes);
    zip_buffer_fragment_t parts[] = {
        {(zip_uint8_t *)*header, header_bytes},
        {(zip_uint8_t *)array->values, array->count * sizeof(float)}};
    zip_source_t *source =
        zip_source_buffer_fragment(archive, parts, array->count ? 2 : 1, 0);
    char *entry = rt_format("%s.npy", array->name);
    zip_int64_t index =
        source ? zip_file_add(archive, entry, source, ZIP_FL_ENC_UTF_8) : -1;
    free(entry);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    zip_uint64_t at = (zip_uint64_t)index;
    return zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, at, DOS_TIME, DOS_DATE, 0) == 0;
}

/* Fill `memory` with the archive. libzip reads the arrays when it closes, so headers live
 * until then. */
static bool pack(const char *path, zip_source_t *memory, const Array *arrays, int count)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_t *archive = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
    bool ok = archive != NULL || rt_fail("%s: %s", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    if (ok)
        zip_source_keep(memory); /* closing would free it */
    char **headers = rt_alloc((size_t)count * sizeof *headers);
    for (int i = 0; i < count && ok; i++)
        ok = add_array(archive, &arrays[i], &headers[i]) ||
             rt_fail("%s: %s: %s", path, arrays[i].name, zip_strerror(archive));
    if (ok && zip_close(archive) != 0)
        ok = rt_fail("%s: %s", path, zip_strerror(archive));
    if (!ok && archive)
        zip_discard(archive);
    for (int i = 0; i < count; i++)
        free(headers[i]);
    free(headers);
    return ok;
}

static bool write_packed(const char *path, zip_source_t *memory)
{
    zip_stat_t stat;
    if (zip_source_stat(memory, &stat) != 0 || zip_source_open(memory) != 0)
        return rt_fail("%s: %s", path, zip_error_strerror(zip_source_error(memory)));
    char *data = rt_alloc((size_t)stat.size);
    zip_int64_t got = zip_source_read(memory, data, stat.size);
    zip_source_close(memory);
    bool ok = got >= 0 && (zip_uint64_t)got == stat.size;
    if (!ok)
        rt_fail("%s: the zip could not be put together", path);
    Replacement out;
    ok = ok && rt_replace_begin(&out, path);
    if (ok) {
        fwrite(data, 1, (size_t)stat.size, out.file);
        ok = rt_replace_commit(&out);
    }
    free(data);
    return ok;
}

bool npz_write(const char *path, const Array *arrays, int count)
{
    if (count == 0)
        return rt_fail("%s: no arrays to write", path);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, NULL);
    if (memory == NULL)
        return rt_fail("%s: out of memory", path);
    bool ok = pack(path, memory, arrays, count) && write_packed(path, memory);
    zip_source_free(memory);
    return ok;
}
