/* The files of a tar archive, by libarchive, without reading what is in them: a plain
 * archive holds each in one piece, at an offset that is kept. A compressed one is
 * unpacked first, and the plain one mapped. */
#include "runtime/base/support.h"
#include "runtime/data/listing.h"
#include "runtime/data/unpacked.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A part of the file: all of it, or an archive within. */
typedef struct {
    int fd;
    long long start, at, end;
    char buffer[1 << 16];
} Part;

static la_ssize_t read_part(struct archive *archive, void *context, const void **to)
{
    Part *part = context;
    long long left = part->end - part->at;
    size_t most =
        left < (long long)sizeof part->buffer ? (size_t)left : sizeof part->buffer;
    ssize_t got = pread(part->fd, part->buffer, most, part->at);
    if (got < 0) {
        archive_set_error(archive, errno, "%s", strerror(errno));
        return -1;
    }
    part->at += got;
    *to = part->buffer;
    return got;
}

static la_int64_t skip_part(struct archive *archive, void *context, la_int64_t bytes)
{
    (void)archive;
    Part *part = context;
    long long left = part->end - part->at, skipped = bytes < left ? bytes : left;
    part->at += skipped;
    return skipped;
}

/* Without "./" and "/" in front; NULL for what is hidden. */
static const char *clean(const char *path)
{
    while (*path == '/' || (path[0] == '.' && path[1] == '/'))
        path++;
    return *path == 0 || *path == '.' || strstr(path, "/.") ? NULL : path;
}

static bool list_part(Listing *listing, int fd, long long start, long long bytes,
                      const char *folder);

/* One entry, whose data begin at `offset`. */
static bool take(Listing *listing, int fd, struct archive_entry *entry, long long offset,
                 const char *folder)
{
    const char *name = archive_entry_pathname(entry);
    if (name == NULL)
        name = archive_entry_pathname_utf8(entry);
    if (name == NULL)
        return rt_fail("%s: a file's name in it cannot be read", listing->root);
    name = clean(name);
    unsigned type = archive_entry_filetype(entry);
    if (name == NULL || (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK &&
                         !archive_entry_hardlink(entry)))
        return true;
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        length--;
    char *path = rt_format("%s%.*s", folder, (int)length, name);
    if (type != AE_IFDIR && (type != AE_IFREG || archive_entry_hardlink(entry) ||
                             archive_entry_sparse_count(entry) > 0)) {
        rt_fail("%s: %s: a link or a sparse file, want whole files", listing->root, path);
        free(path);
        return false;
    }
    if (*folder == 0 && type == AE_IFREG && name_ends(path, ".tar")) {
        path[strlen(path) - 4] = 0;
        char *below = rt_format("%s/", path);
        bool ok = listing_add(listing, &(Listed){.path = path, .is_folder = true}) &&
                  list_part(listing, fd, offset, archive_entry_size(entry), below);
        free(below);
        return ok;
    }
    return listing_add(listing, &(Listed){.path = path,
                                          .is_folder = type == AE_IFDIR,
                                          .offset = offset,
                                          .bytes = archive_entry_size(entry)});
}

static bool list_part(Listing *listing, int fd, long long start, long long bytes,
                      const char *folder)
{
    Part *part = rt_alloc(sizeof *part);
    *part = (Part){.fd = fd, .start = start, .at = start, .end = start + bytes};
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_format_tar(archive);
    archive_read_support_format_empty(archive);
    archive_read_set_skip_callback(archive, skip_part);
    archive_read_set_read_callback(archive, read_part);
    archive_read_set_callback_data(archive, part);
    int status = archive_read_open1(archive);
    bool ok = true;
    while (ok && status == ARCHIVE_OK) {
        status = archive_read_next_header(archive, &entry);
        if (status == ARCHIVE_WARN)
            status = ARCHIVE_OK; /* of names in another character set */
        if (status == ARCHIVE_OK)
            ok = take(listing, fd, entry, start + archive_filter_bytes(archive, 0),
                      folder);
    }
    if (ok && status != ARCHIVE_EOF)
        ok = rt_fail("%s: %.*s%swant a %s archive: %s", listing->root,
                     (int)strcspn(folder, "/"), folder, *folder ? ".tar: " : "",
                     *folder ? "plain .tar" : ".tar", archive_error_string(archive));
    archive_read_free(archive);
    free(part);
    return ok;
}

static bool map_file(Listing *listing, int fd, size_t bytes)
{
    void *map = bytes ? mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    if (map == MAP_FAILED)
        return rt_fail("%s: cannot be mapped: %s", listing->root, strerror(errno));
    listing->map = map;
    listing->map_bytes = bytes;
    return true;
}

bool listing_of_archive(const char *root, Listing *listing)
{
    *listing = (Listing){.root = rt_format("%s", root), .is_archive = true};
    int fd = open(root, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0)
        return rt_fail("%s: %s", root, strerror(errno));
    bool unpacked = false;
    bool ok = (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) ||
              rt_fail("%s: not a regular file", root);
    ok = ok && unpack_archive(root, &fd, &unpacked);
    if (ok && unpacked)
        ok = (fstat(fd, &status) == 0 || rt_fail("%s: %s", root, strerror(errno))) &&
             map_file(listing, fd, (size_t)status.st_size);
    ok = ok && list_part(listing, fd, 0, status.st_size, "");
    close(fd);
    for (int i = 0; ok && i < listing->count; i++) {
        const Listed *it = &listing->items[i];
        if (!it->is_folder && (it->bytes < 0 || it->offset + it->bytes > status.st_size))
            ok = rt_fail("%s: %s: the archive ends within it", root, it->path);
    }
    listing_sort(listing);
    return ok;
}
