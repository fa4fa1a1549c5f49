/* Tar archives for tests: see tars.h. */
#include "tests/tools/tars.h"

#include "runtime/base/support.h"

#include <archive_entry.h>
#include <check.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

struct archive *tar_begin(const char *path, const char *filter)
{
    struct archive *tar = archive_write_new();
    archive_write_set_format_pax_restricted(tar);
    if (filter)
        ck_assert_int_eq(archive_write_add_filter_by_name(tar, filter), ARCHIVE_OK);
    ck_assert_int_eq(archive_write_open_filename(tar, path), ARCHIVE_OK);
    return tar;
}

void tar_put(struct archive *tar, const char *name, const char *file)
{
    size_t bytes;
    char *data = rt_read_file(file, &bytes);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    ck_assert_int_eq(archive_write_header(tar, entry), ARCHIVE_OK);
    ck_assert_int_eq(archive_write_data(tar, data, bytes), (la_ssize_t)bytes);
    archive_entry_free(entry);
    free(data);
}

void tar_end(struct archive *tar)
{
    archive_write_close(tar);
    archive_write_free(tar);
}

void tar_folder(const char *folder, const char *path)
{
    struct archive *tar = tar_begin(path, NULL);
    char *copy = rt_format("%s", folder), *const roots[] = {copy, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *it; (it = fts_read(walk)) != NULL;)
        if (it->fts_info == FTS_F)
            tar_put(tar, it->fts_path + strlen(folder) + 1, it->fts_path);
    fts_close(walk);
    free(copy);
    tar_end(tar);
}
