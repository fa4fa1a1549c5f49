/* Members of .npz files, which are zip archives, through libarchive. */
#include "runtime/data/npz.h"

#include "runtime/base/support.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(struct archive *archive, const char *path, size_t *bytes)
{
    size_t size = 0, room = 1 << 16;
    char *data = rt_grow(NULL, room);
    la_ssize_t got;
    while ((got = archive_read_data(archive, data + size, room - size)) > 0) {
        size += (size_t)got;
        if (size > (size_t)RT_FILE_MOST)
            break;
        if (size == room)
            data = rt_grow(data, room *= 2);
    }
    *bytes = size;
    if (got == 0)
        return data;
    rt_fail("%s: %s", path, got < 0 ? archive_error_string(archive) : "it is too large");
    free(data);
    return NULL;
}

char *npz_member(const char *path, const char *name, size_t *bytes)
{
    char *member = rt_format("%s.npy", name), *data = NULL;
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_format_zip(archive);
    int status = archive_read_open_filename(archive, path, 1 << 16);
    bool found = false;
    while (!found && status == ARCHIVE_OK) {
        status = archive_read_next_header(archive, &entry);
        const char *at = status == ARCHIVE_OK ? archive_entry_pathname(entry) : NULL;
        found = at && strcmp(at, member) == 0;
    }
    if (found)
        data = read_all(archive, path, bytes);
    else if (status != ARCHIVE_EOF)
        rt_fail("%s: want an .npz file: %s", path, archive_error_string(archive));
    archive_read_free(archive);
    free(member);
    return data;
}
