/* What the readers of weight files share: the file in memory, the list of arrays that
 * grows from it, conversion of numbers, and access to zip entries. */
#ifndef LATHE_READER_H
#define LATHE_READER_H

#include <zip.h>

#include "runtime/checkpoint/checkpoint.h"

#define WEIGHTS_MOST_BYTES ((uint64_t)2 << 30) /* of arrays, and of an unpacked zip */
#define WEIGHTS_MOST_ARRAYS 65536

/* Which arrays are read. Of the others in a WANT_SOME, nothing is kept; WANT_OUTLINE is
 * all names and shapes, without values: nothing is unpacked for them. */
typedef enum { WANT_ALL, WANT_SOME, WANT_OUTLINE } Want;

typedef struct {
    const char *path;
    Want want;
    bool (*wanted)(const void *context, const char *name); /* WANT_SOME */
    const void *context;
    const char *key; /* of the dictionary to read; NULL: there is but one */
    char *beside;    /* set in a WANT_OUTLINE: what else the file holds; NULL: nothing */
    const uint8_t *data; /* the whole file */
    size_t bytes;
    Array *arrays;
    int count, room;
    uint64_t budget; /* bytes that arrays may still take */
} WeightsReader;

/* Set the budget for a file that unpacks to so many bytes. */
void weights_set_budget(WeightsReader *reader, uint64_t unpacked);
/* Append an array, after checking name, rank, sizes and budget; *values is to be filled,
 * or NULL where they are not wanted. False and rt_fail. */
bool weights_add(WeightsReader *reader, const char *name, int rank, const int64_t *shape,
                 float **values);
/* Whether an array of that name is kept with its values. */
bool weights_wants(const WeightsReader *reader, const char *name);
/* Fit to be a name and to be shown on a terminal: 1..255 bytes, no control characters. */
bool weights_name_ok(const char *name, size_t length);

bool npy_read(WeightsReader *reader);
bool npz_read(WeightsReader *reader, zip_t *archive);
/* Whether the file begins as one. */
bool safetensors_is(const WeightsReader *reader);
bool safetensors_read(WeightsReader *reader);
bool torch_read_legacy(WeightsReader *reader);
/* `pickle` is the entry ".../data.pkl". */
bool torch_read_zip(WeightsReader *reader, zip_t *archive, zip_uint64_t pickle);

typedef enum {
    ELEMENT_BOOL,
    ELEMENT_U8,
    ELEMENT_U16,
    ELEMENT_U32,
    ELEMENT_U64,
    ELEMENT_I8,
    ELEMENT_I16,
    ELEMENT_I32,
    ELEMENT_I64,
    ELEMENT_F16,
    ELEMENT_BF16,
    ELEMENT_F32,
    ELEMENT_F64
} ElementType;

size_t element_size(ElementType type);

/* A tensor inside a file's bytes. */
typedef struct {
    ElementType type;
    bool big_endian;
    const uint8_t *data; /* its first element */
    int rank;
    int64_t shape[4];
    uint64_t stride[4]; /* elements */
} ElementView;

/* All elements in C order. */
void elements_copy(const ElementView *view, float *values);

/* Open a zip that lies in memory; refuses one that would unpack to more than
 * WEIGHTS_MOST_BYTES. zip_discard() it. */
zip_t *zip_open_memory(WeightsReader *reader);
/* The first bytes of an entry, `most` or all there are, unpacked; free() it. Its whole
 * size in *total, unverified. NULL and rt_fail on error. */
uint8_t *zip_read_start(const char *path, zip_t *archive, zip_uint64_t index, size_t most,
                        size_t *bytes, size_t *total);
/* An unpacked entry, its checksum verified; free() it. NULL and rt_fail on error. */
uint8_t *zip_read_entry(const char *path, zip_t *archive, zip_uint64_t index,
                        size_t *bytes);

#endif
