/* Checkpoints on disk: see checkpoint.h. The file begins with two fixed lines, format and
 * header size with its CRC-32; no other line is looked at before that sum is right. A
 * file may still be forged, so every number is bounded by the file's true size before
 * memory is taken. */
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "arrays are written as they lie in memory");

#define MAGIC "lathe checkpoint "
#define VERSION 1
#define ARRAYS_LEGEND                                                                    \
    ": name, shape, byte offset, crc32; behind them float32, little-endian\n"
enum { PREAMBLE_MOST = 80, HEADER_MOST = 64 << 20, NAME_MOST = 200, ARRAYS_MOST = 10000 };

/* ---- Writing ---- */

static bool valid_name(const char *name)
{
    size_t length = 0;
    for (; name[length]; length++)
        if (name[length] <= ' ' || name[length] > '~')
            return false;
    return length > 0 && length <= NAME_MOST;
}

/* "SECTION N lines", perhaps with their hash, then the lines, the last one ended too. */
static void write_lines(FILE *out, const char *section, bool hashed, const char *text)
{
    size_t length = strlen(text), lines = 0;
    bool ended = length == 0 || text[length - 1] == '\n';
    char *whole = rt_format("%s%s", text, ended ? "" : "\n"), hex[65];
    for (const char *at = whole; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    fprintf(out, "%s %zu lines", section, lines);
    rt_sha256(whole, strlen(whole), hex);
    if (hashed)
        fprintf(out, ", sha256 %s", hex);
    fprintf(out, "\n%s", whole);
    free(whole);
}

static void print_shape(FILE *out, const Array *array)
{
    for (int i = 0; i < array->rank; i++)
        fprintf(out, "%s%d", i ? "x" : "", array->shape[i]);
}

/* The header behind the preamble, free() it. */
static char *compose_header(const Checkpoint *checkpoint, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    if (out == NULL)
        return NULL;
    write_lines(out, "arch", true, checkpoint->arch);
    write_lines(out, "config", true, checkpoint->config);
    write_lines(out, "progress", false, checkpoint->progress);
    fprintf(out, "arrays %d" ARRAYS_LEGEND, checkpoint->count);
    size_t offset = 0;
    for (int i = 0; i < checkpoint->count; i++) {
        const Array *array = &checkpoint->arrays[i];
        size_t array_bytes = array->count * sizeof(float);
        fprintf(out, "%s ", array->name);
        print_shape(out, array);
        fprintf(out, " %zu %08lx\n", offset,
                crc32_z(0, (const Bytef *)array->values, array_bytes));
        offset += array_bytes;
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

bool checkpoint_write(const char *path, const Checkpoint *checkpoint)
{
    for (int i = 0; i < checkpoint->count; i++)
        if (!valid_name(checkpoint->arrays[i].name))
            return rt_fail("%s: \"%s\" is no name for an array", path,
                           checkpoint->arrays[i].name);
    size_t bytes = 0;
    char *header = compose_header(checkpoint, &bytes);
    if (header == NULL || bytes > HEADER_MOST) {
        free(header);
        return rt_fail("%s: the header would pass %d bytes", path, HEADER_MOST);
    }
    Replacement r;
    if (!rt_replace_begin(&r, path)) {
        free(header);
        return false;
    }
    fprintf(r.file, MAGIC "%d\nheader %zu bytes, crc32 %08lx\n", VERSION, bytes,
            crc32_z(0, (const Bytef *)header, bytes));
    fwrite(header, 1, bytes, r.file);
    free(header);
    for (int i = 0; i < checkpoint->count; i++)
        fwrite(checkpoint->arrays[i].values, sizeof(float), checkpoint->arrays[i].count,
               r.file);
    return rt_replace_commit(&r);
}

/* ---- Reading: each take_ function moves *at over what it wants, or returns false ----
 */

static bool take_text(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_number(const char **at, size_t most, size_t *number)
{
    if (**at < '0' || **at > '9')
        return false;
    *number = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        size_t digit = (size_t)(**at - '0');
        if (digit > most || *number > (most - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

/* CRC-32 as eight lower-case hex digits. */
static bool take_crc(const char **at, unsigned long *crc)
{
    char digits[9] = "";
    if (strspn(*at, "0123456789abcdef") < 8)
        return false;
    memcpy(digits, *at, 8);
    *crc = strtoul(digits, NULL, 16);
    *at += 8;
    return true;
}

/* "SECTION N lines", what follows on that line (a hash of the text, or nothing), and N
 * lines of text, copied to *text. */
static bool take_lines(const char **at, const char *section, bool hashed, char **text)
{
    size_t lines;
    char written[65] = "", computed[65] = "";
    if (!take_text(at, section) || !take_text(at, " ") ||
        !take_number(at, HEADER_MOST, &lines) || !take_text(at, " lines"))
        return false;
    if (hashed) {
        if (!take_text(at, ", sha256 ") || strlen(*at) < 64)
            return false;
        memcpy(written, *at, 64);
        *at += 64;
    }
    if (!take_text(at, "\n"))
        return false;
    const char *start = *at;
    for (size_t i = 0; i < lines; i++) {
        const char *newline = strchr(*at, '\n');
        if (newline == NULL)
            return false;
        *at = newline + 1;
    }
    *text = rt_format("%.*s", (int)(*at - start), start);
    if (hashed)
        rt_sha256(start, (size_t)(*at - start), computed);
    return strcmp(written, computed) == 0;
}

static bool take_shape(const char **at, size_t most, Array *array)
{
    array->count = 1;
    for (array->rank = 0; array->rank < 4; array->rank++) {
        size_t side;
        if (array->rank > 0 && !take_text(at, "x"))
            break;
        if (!take_number(at, INT_MAX, &side) || side == 0 || side > most / array->count)
            return false;
        array->shape[array->rank] = (int)side;
        array->count *= side;
    }
    return true;
}

/* One array's line. Its values are read later; they begin `offset` floats into the data,
 * of which there are `floats`. */
static bool take_array(const char **at, size_t offset, size_t floats, Array *array,
                       unsigned long *crc)
{
    size_t written_offset, length = strcspn(*at, " \n");
    array->name = rt_format("%.*s", (int)length, *at);
    *at += length;
    return valid_name(array->name) && take_text(at, " ") &&
           take_shape(at, floats - offset, array) && take_text(at, " ") &&
           take_number(at, SIZE_MAX, &written_offset) &&
           written_offset == offset * sizeof(float) && take_text(at, " ") &&
           take_crc(at, crc) && take_text(at, "\n");
}

typedef struct {
    const char *path;
    FILE *file;
    size_t bytes;       /* of the whole file */
    char *header;       /* behind the preamble, 0-terminated */
    size_t data_bytes;  /* of the arrays */
    unsigned long *crc; /* [arrays], as the header says */
} Reader;

static bool open_regular(Reader *reader)
{
    struct stat status;
    reader->file = fopen(reader->path, "rb");
    if (reader->file == NULL || fstat(fileno(reader->file), &status) != 0)
        return rt_fail("%s: %s", reader->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return rt_fail("%s: not a regular file", reader->path);
    reader->bytes = (size_t)status.st_size;
    return true;
}

/* The two fixed lines, then the header they announce. */
static bool read_header(Reader *reader)
{
    char preamble[PREAMBLE_MOST + 1] = "";
    size_t version, header_bytes;
    unsigned long crc;
    size_t got = fread(preamble, 1, PREAMBLE_MOST, reader->file);
    preamble[got] = 0;
    const char *at = preamble;
    if (!take_text(&at, MAGIC) || !take_number(&at, INT_MAX, &version) ||
        !take_text(&at, "\n"))
        return rt_fail("%s: not a lathe checkpoint", reader->path);
    if (version != VERSION)
        return rt_fail("%s: format version %zu, this program reads version %d",
                       reader->path, version, VERSION);
    if (!take_text(&at, "header ") || !take_number(&at, HEADER_MOST, &header_bytes) ||
        !take_text(&at, " bytes, crc32 ") || !take_crc(&at, &crc) ||
        !take_text(&at, "\n"))
        return rt_fail("%s: the second line is damaged", reader->path);
    size_t start = (size_t)(at - preamble);
    if (header_bytes > reader->bytes - start)
        return rt_fail("%s: cut off in the header: %zu bytes, want at least %zu",
                       reader->path, reader->bytes, start + header_bytes);
    reader->header = rt_alloc(header_bytes + 1);
    reader->data_bytes = reader->bytes - start - header_bytes;
    if (fseek(reader->file, (long)start, SEEK_SET) != 0 ||
        fread(reader->header, 1, header_bytes, reader->file) != header_bytes)
        return rt_fail("%s: cannot read the header", reader->path);
    if (crc32_z(0, (const Bytef *)reader->header, header_bytes) != crc ||
        strlen(reader->header) != header_bytes)
        return rt_fail("%s: the header is damaged (its CRC-32 differs)", reader->path);
    return true;
}

static bool unique_names(const Checkpoint *checkpoint)
{
    for (int i = 0; i < checkpoint->count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(checkpoint->arrays[i].name, checkpoint->arrays[k].name) == 0)
                return false;
    return true;
}

static bool parse_header(Reader *reader, Checkpoint *checkpoint)
{
    const char *at = reader->header;
    size_t arrays, offset = 0;
    if (!take_lines(&at, "arch", true, &checkpoint->arch) ||
        !take_lines(&at, "config", true, &checkpoint->config) ||
        !take_lines(&at, "progress", false, &checkpoint->progress) ||
        !take_text(&at, "arrays ") || !take_number(&at, ARRAYS_MOST, &arrays) ||
        !take_text(&at, ARRAYS_LEGEND))
        return rt_fail("%s: the header is malformed", reader->path);
    checkpoint->arrays = rt_alloc(arrays * sizeof *checkpoint->arrays);
    reader->crc = rt_alloc(arrays * sizeof *reader->crc);
    while ((size_t)checkpoint->count < arrays) {
        int i = checkpoint->count++;
        Array *array = &checkpoint->arrays[i];
        if (!take_array(&at, offset, SIZE_MAX / sizeof(float), array, &reader->crc[i]))
            return rt_fail("%s: the line of array %d, \"%s\", is malformed", reader->path,
                           i + 1, array->name);
        offset += array->count;
    }
    if (*at || !unique_names(checkpoint))
        return rt_fail("%s: the header is malformed", reader->path);
    size_t want = offset * sizeof(float);
    if (want != reader->data_bytes)
        return rt_fail("%s: %s: %zu bytes of arrays, want %zu", reader->path,
                       want > reader->data_bytes ? "cut off" : "too long",
                       reader->data_bytes, want);
    return true;
}

static bool read_arrays(Reader *reader, Checkpoint *checkpoint)
{
    for (int i = 0; i < checkpoint->count; i++) {
        Array *array = &checkpoint->arrays[i];
        array->values = rt_alloc(array->count * sizeof(float));
        if (fread(array->values, sizeof(float), array->count, reader->file) !=
            array->count)
            return rt_fail("%s: %s: cannot read it", reader->path, array->name);
        if (crc32_z(0, (const Bytef *)array->values, array->count * sizeof(float)) !=
            reader->crc[i])
            return rt_fail("%s: %s: damaged (its CRC-32 differs)", reader->path,
                           array->name);
        for (size_t k = 0; k < array->count; k++)
            if (!isfinite(array->values[k]))
                return rt_fail("%s: %s: value %zu is %s, want finite numbers",
                               reader->path, array->name, k,
                               isnan(array->values[k]) ? "NaN" : "infinite");
    }
    return true;
}

bool checkpoint_read(const char *path, Checkpoint *checkpoint)
{
    Reader reader = {.path = path};
    *checkpoint = (Checkpoint){0};
    bool ok = open_regular(&reader) && read_header(&reader) &&
              parse_header(&reader, checkpoint) && read_arrays(&reader, checkpoint);
    if (reader.file)
        fclose(reader.file);
    free(reader.header);
    free(reader.crc);
    if (!ok)
        checkpoint_free(checkpoint);
    return ok;
}
