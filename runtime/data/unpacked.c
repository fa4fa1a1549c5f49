/* Compressed archives: see unpacked.h. Pictures are read in any order, which a compressed
 * file has no places for. */
#include "runtime/data/unpacked.h"

#include "runtime/base/support.h"
#include "runtime/data/watch.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static const char *folder_for_it(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/var/tmp"; /* /tmp is memory, often */
}

static bool fail_writing(const char *path)
{
    return rt_fail("%s: is compressed, and unpacked into a file in %s: %s; TMPDIR names "
                   "another folder, or unpack it with tar",
                   path, folder_for_it(), strerror(errno));
}

/* An empty file without a name; -1: there is none. */
static int open_nameless(void)
{
    char *name = rt_format("%s/lathe-XXXXXX", folder_for_it());
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    free(name);
    return fd;
}

static bool write_all(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t done = write(fd, from, bytes);
        if (done < 0 && errno != EINTR)
            return false;
        from += done > 0 ? done : 0;
        bytes -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool write_out(const char *path, struct archive *archive, int fd)
{
    char *piece = rt_alloc(PIECE);
    long long all = 0;
    la_ssize_t got;
    bool ok = true;
    while (ok && (got = archive_read_data(archive, piece, PIECE)) > 0) {
        ok = write_all(fd, piece, (size_t)got) || fail_writing(path);
        all += got;
        watch_show(path, "MB unpacked", (int)(all >> 20), 0);
    }
    watch_show(path, NULL, 0, 0);
    free(piece);
    return ok && (got == 0 || rt_fail("%s: a broken archive: %s", path,
                                      archive_error_string(archive)));
}

static bool unpack(const char *path, struct archive *archive, int *fd)
{
    int to = open_nameless();
    if (to < 0)
        return fail_writing(path);
    bool ok = write_out(path, archive, to);
    close(ok ? *fd : to);
    *fd = ok ? to : *fd;
    return ok;
}

bool unpack_archive(const char *path, int *fd, bool *unpacked)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_raw(archive);
    int status = archive_read_open_fd(archive, *fd, 1 << 16);
    if (status == ARCHIVE_OK)
        status = archive_read_next_header(archive, &entry);
    *unpacked = archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE;
    bool ok = true;
    if (*unpacked && status == ARCHIVE_OK)
        ok = unpack(path, archive, fd);
    else if (*unpacked && status != ARCHIVE_EOF)
        ok = rt_fail("%s: a broken archive: %s", path, archive_error_string(archive));
    archive_read_free(archive);
    return ok;
}
