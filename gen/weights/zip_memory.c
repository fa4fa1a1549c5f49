/* Zip entries out of a file in memory, by libzip, with the limits an untrusted archive
 * needs: sizes are checked as declared, then held to while unpacking. */
#include <stdlib.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

/* Deflate cannot do better; an entry that claims more lies about its size. */
#define MOST_DEFLATE_RATIO 1032

static bool check_entry(const char *path, const zip_stat_t *stat)
{
    const zip_uint64_t wanted =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((stat->valid & wanted) != wanted)
        return rt_fail("%s: damaged zip: an entry without name or size", path);
    if (stat->comp_method != ZIP_CM_STORE && stat->comp_method != ZIP_CM_DEFLATE)
        return rt_fail("%s: a zip entry is compressed by method %d, want deflate or none",
                       path, stat->comp_method);
    uint64_t most = stat->comp_size;
    if (stat->comp_method == ZIP_CM_DEFLATE)
        most = most < WEIGHTS_MOST_BYTES ? most * MOST_DEFLATE_RATIO : UINT64_MAX;
    if (stat->size > most)
        return rt_fail("%s: damaged zip: an entry of %llu bytes claims to unpack to %llu",
                       path, (unsigned long long)stat->comp_size,
                       (unsigned long long)stat->size);
    return true;
}

/* The sum of what all entries claim. */
static bool check_entries(WeightsReader *reader, zip_t *archive)
{
    uint64_t total = 0;
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t stat;
        if (zip_stat_index(archive, (zip_uint64_t)i, 0, &stat) != 0)
            return rt_fail("%s: damaged zip: %s", reader->path, zip_strerror(archive));
        if (!check_entry(reader->path, &stat))
            return false;
        if (stat.size > WEIGHTS_MOST_BYTES - total)
            return rt_fail("%s: the zip claims to unpack to more than %llu bytes",
                           reader->path, (unsigned long long)WEIGHTS_MOST_BYTES);
        total += stat.size;
    }
    weights_set_budget(reader, total);
    return true;
}

zip_t *zip_open_memory(WeightsReader *reader)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_t *archive = NULL;
    zip_source_t *source =
        zip_source_buffer_create(reader->data, reader->bytes, 0, &error);
    if (source)
        archive = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (archive == NULL) {
        rt_fail("%s: damaged zip: %s", reader->path, zip_error_strerror(&error));
        zip_source_free(source);
    } else if (!check_entries(reader, archive)) {
        zip_discard(archive);
        archive = NULL;
    }
    zip_error_fini(&error);
    return archive;
}

/* Reading past the end makes libzip compare the checksum. */
static bool read_exactly(zip_file_t *file, uint8_t *data, size_t bytes)
{
    size_t got = 0;
    zip_int64_t n;
    while (got < bytes && (n = zip_fread(file, data + got, bytes - got)) > 0)
        got += (size_t)n;
    uint8_t more;
    return got == bytes && zip_fread(file, &more, 1) == 0;
}

static zip_file_t *open_entry(const char *path, zip_t *archive, zip_uint64_t index,
                              size_t *total)
{
    zip_stat_t stat;
    zip_file_t *file = NULL;
    if (zip_stat_index(archive, index, 0, &stat) == 0)
        file = zip_fopen_index(archive, index, 0);
    if (file == NULL)
        rt_fail("%s: zip entry %llu: %s", path, (unsigned long long)index,
                zip_strerror(archive));
    else
        *total = (size_t)stat.size;
    return file;
}

uint8_t *zip_read_start(const char *path, zip_t *archive, zip_uint64_t index, size_t most,
                        size_t *bytes, size_t *total)
{
    zip_file_t *file = open_entry(path, archive, index, total);
    if (file == NULL)
        return NULL;
    size_t want = *total < most ? *total : most;
    uint8_t *data = rt_alloc(want);
    zip_int64_t n = 0;
    for (*bytes = 0; *bytes < want; *bytes += (size_t)n)
        if ((n = zip_fread(file, data + *bytes, want - *bytes)) <= 0)
            break;
    if (*bytes < want) {
        rt_fail("%s: zip entry %llu: %s", path, (unsigned long long)index,
                n < 0 ? zip_file_strerror(file)
                      : "unpacks to another size than it claims");
        free(data);
        data = NULL;
    }
    zip_fclose(file);
    return data;
}

uint8_t *zip_read_entry(const char *path, zip_t *archive, zip_uint64_t index,
                        size_t *bytes)
{
    zip_file_t *file = open_entry(path, archive, index, bytes);
    if (file == NULL)
        return NULL;
    uint8_t *data = rt_alloc(*bytes);
    if (!read_exactly(file, data, *bytes)) {
        bool known = zip_error_code_zip(zip_file_get_error(file)) != ZIP_ER_OK;
        rt_fail("%s: zip entry %llu: %s", path, (unsigned long long)index,
                known ? zip_file_strerror(file)
                      : "unpacks to another size than it claims");
        free(data);
        data = NULL;
    }
    zip_fclose(file);
    return data;
}
