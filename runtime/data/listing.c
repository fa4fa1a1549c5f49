/* Files of a folder or archive: see listing.h. */
#include "runtime/data/listing.h"

#include "runtime/base/support.h"
#include "runtime/data/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (256LL << 20) /* of one file */

bool listing_add(Listing *listing, const Listed *item)
{
    if (listing->count == INT_MAX / 2) {
        free(item->path);
        return rt_fail("%s: more than %d files", listing->root, INT_MAX / 2);
    }
    if (listing->count == listing->room) {
        listing->room = listing->room ? 2 * listing->room : 256;
        listing->items =
            rt_grow(listing->items, (size_t)listing->room * sizeof *listing->items);
    }
    listing->items[listing->count++] = *item;
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const Listed *)a)->path, ((const Listed *)b)->path);
}

void listing_sort(Listing *listing)
{
    if (listing->count > 1)
        qsort(listing->items, (size_t)listing->count, sizeof *listing->items,
              compare_paths);
}

void listing_free(Listing *listing)
{
    for (int i = 0; i < listing->count; i++)
        free(listing->items[i].path);
    if (listing->map)
        munmap((void *)listing->map, listing->map_bytes);
    free(listing->items);
    free(listing->root);
    *listing = (Listing){0};
}

/* A folder of the walk, and those it is in: links may lead into a circle. */
typedef struct Folder {
    const struct Folder *above;
    const char *path; /* from the root on; "" for it */
    dev_t device;
    ino_t inode;
} Folder;

/* Whether an entry is a folder, a file or neither; a link counts as what it leads to.
 * Only those that are surely a picture are not looked at, which a million of them would
 * feel. */
static bool find_kind(const char *full, const struct dirent *entry, bool *is_folder,
                      bool *is_file)
{
    struct stat status;
    bool file = entry->d_type == DT_REG ||
                (entry->d_type == DT_LNK && name_is_picture(entry->d_name));
    *is_folder = entry->d_type == DT_DIR;
    *is_file = file;
    if (file || (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN))
        return true;
    if (stat(full, &status) != 0)
        return rt_fail("%s: %s", full, strerror(errno));
    *is_folder = S_ISDIR(status.st_mode);
    *is_file = S_ISREG(status.st_mode);
    return true;
}

static bool list_folder(Listing *listing, const char *full, const Folder *above,
                        const char *path);

static bool take(Listing *listing, const Folder *folder, const struct dirent *entry)
{
    const char *slash = *folder->path ? "/" : "", *name = entry->d_name;
    bool is_folder, is_file;
    if (name[0] == '.')
        return true;
    char *full = rt_format("%s/%s%s%s", listing->root, folder->path, slash, name);
    bool ok = find_kind(full, entry, &is_folder, &is_file);
    if (ok && (is_folder || is_file)) { /* no device, no socket */
        char *path = rt_format("%s%s%s", folder->path, slash, name);
        ok = listing_add(listing,
                         &(Listed){.path = path, .is_folder = is_folder, .bytes = -1}) &&
             (!is_folder || list_folder(listing, full, folder, path));
        watch_show(listing->root, "files", listing->count, 0);
    }
    free(full);
    return ok;
}

static bool list_folder(Listing *listing, const char *full, const Folder *above,
                        const char *path)
{
    struct stat status;
    DIR *entries = opendir(full);
    if (entries == NULL || fstat(dirfd(entries), &status) != 0) {
        rt_fail("%s: %s", full, strerror(errno));
        if (entries)
            closedir(entries);
        return false;
    }
    const Folder folder = {above, path, status.st_dev, status.st_ino};
    bool ok = true;
    for (const Folder *it = above; it && ok; it = it->above)
        if (it->device == folder.device && it->inode == folder.inode)
            ok = rt_fail("%s: a link to a folder that it is in", full);
    while (ok) {
        errno = 0;
        const struct dirent *entry = readdir(entries);
        if (entry == NULL) {
            ok = errno == 0 || rt_fail("%s: %s", full, strerror(errno));
            break;
        }
        ok = take(listing, &folder, entry);
    }
    closedir(entries);
    return ok;
}

bool listing_of_folder(const char *root, Listing *listing)
{
    *listing = (Listing){.root = rt_format("%s", root)};
    size_t length = strlen(listing->root);
    while (length > 1 && listing->root[length - 1] == '/')
        listing->root[--length] = 0;
    bool ok = list_folder(listing, listing->root, NULL, "");
    watch_show(root, NULL, 0, 0);
    listing_sort(listing);
    return ok;
}

bool listing_finds_pictures(const char *root)
{
    enum { DEEPEST = 4 };
    char *copy = rt_format("%s", root);
    char *const roots[] = {copy, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    FTSENT *it;
    bool found = false;
    while (walk && !found && (it = fts_read(walk)) != NULL) {
        if (it->fts_level > 0 && (it->fts_name[0] == '.' || it->fts_level > DEEPEST))
            fts_set(walk, it, FTS_SKIP);
        else
            found =
                it->fts_info == FTS_DNR || (it->fts_level > 1 && it->fts_info == FTS_F &&
                                            name_is_picture(it->fts_name));
    }
    if (walk)
        fts_close(walk);
    free(copy);
    return found;
}

char *listing_name(const Listing *listing, int item)
{
    const char *path = listing->items[item].path;
    if (*path == '/') /* as a .csv may have it */
        return rt_format("%s", path);
    return rt_format("%s%s%s", listing->root, listing->is_archive ? ": " : "/", path);
}

/* Why: to the caller, not to rt_fail, which is not for threads side by side. */
static uint8_t *fail(PictureError *error, const char *reason)
{
    snprintf(error->text, sizeof error->text, "%s", reason);
    return NULL;
}

static uint8_t *read_part(int fd, long long offset, long long bytes, PictureError *error)
{
    if (bytes > MOST_BYTES)
        return fail(error, "more than 256 MB, want a picture");
    uint8_t *data = malloc((size_t)bytes + 1);
    long long done = 0;
    while (data && done < bytes) {
        ssize_t got = pread(fd, data + done, (size_t)(bytes - done), offset + done);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            free(data);
            return fail(error, got < 0 ? strerror(errno) : "it ends early");
        }
        done += got > 0 ? got : 0;
    }
    return data ? data : fail(error, "out of memory");
}

uint8_t *listing_read(const Listing *listing, int item, size_t *bytes,
                      PictureError *error)
{
    const Listed *it = &listing->items[item];
    if (listing->map) {
        uint8_t *copy = malloc((size_t)it->bytes + 1);
        *bytes = (size_t)it->bytes;
        return copy ? memcpy(copy, listing->map + it->offset, *bytes)
                    : fail(error, "out of memory");
    }
    char *path = listing->is_archive ? NULL : listing_name(listing, item);
    int fd = open(path ? path : listing->root, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(path);
    struct stat status;
    if (fd < 0)
        return fail(error, strerror(errno));
    uint8_t *data = NULL;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(error, "not a regular file");
    } else {
        long long size = listing->is_archive ? it->bytes : (long long)status.st_size;
        data = read_part(fd, it->offset, size, error);
        *bytes = (size_t)size;
    }
    close(fd);
    return data;
}

bool listing_picture(const Listing *listing, int item, Picture *picture,
                     PictureError *error)
{
    size_t bytes;
    const Listed *it = &listing->items[item];
    if (it->width > 0) {
        *picture = (Picture){it->width, it->height, (uint8_t *)listing->map + it->offset};
        return true;
    }
    uint8_t *data = listing_read(listing, item, &bytes, error);
    if (data && it->is_broken) {
        snprintf(error->text, sizeof error->text, "%.*s", (int)bytes, (char *)data);
        free(data);
        return false;
    }
    bool ok = data && picture_decode(data, bytes, picture, error);
    free(data);
    return ok;
}

void listing_picture_done(const Listing *listing, Picture *picture)
{
    if (!listing->is_pack)
        picture_free(picture);
}

bool listing_is_rows(const Listing *listing, int item)
{
    const Listed *it = &listing->items[item];
    return it->is_text && name_ends(it->path, ".csv");
}

bool name_ends(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcasecmp(name + length - tail, end) == 0;
}

bool name_is_picture(const char *name)
{
    return name_ends(name, ".jpg") || name_ends(name, ".jpeg") || name_ends(name, ".png");
}
