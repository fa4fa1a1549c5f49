/* Reading packs: see pack.h. */
#include "runtime/data/pack.h"

#include "runtime/base/support.h"
#include "runtime/data/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_head(int fd, PackHead *head)
{
    return fd >= 0 && pread(fd, head, sizeof *head, 0) == sizeof *head &&
           memcmp(head->magic, PACK_MAGIC, sizeof head->magic) == 0;
}

bool pack_begins(const char *path)
{
    PackHead head;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is = read_head(fd, &head);
    if (fd >= 0)
        close(fd);
    return is;
}

/* What the head says is in the file, and the index is as it was written. */
static bool check_head(const char *path, const uint8_t *map, size_t bytes)
{
    const PackHead *head = (const void *)map;
    char hash[65];
    if (head->version != PACK_VERSION)
        return rt_fail("%s: version %u of packs, want %d: make it again with `lathe data "
                       "pack`",
                       path, head->version, PACK_VERSION);
    if (head->index_bytes == 0)
        return rt_fail("%s: not whole yet: go on with `lathe data pack`", path);
    if (head->end < PACK_START || head->end > bytes ||
        head->index_bytes != bytes - head->end ||
        head->index_bytes / sizeof(PackItem) < head->items)
        return rt_fail("%s: %zu bytes, want %llu: a damaged pack", path, bytes,
                       (unsigned long long)(head->end + head->index_bytes));
    rt_sha256(map + head->end, head->index_bytes, hash);
    return memcmp(hash, head->index, sizeof head->index) == 0 ||
           rt_fail("%s: a damaged pack: its index has another hash", path);
}

static bool take_item(Listing *listing, const PackItem *it, const char *name,
                      uint64_t end)
{
    const PackRecord *record = &it->record;
    bool picture = record->kind == PACK_PICTURE;
    uint64_t pixels = (uint64_t)record->width * record->height * 3;
    if (it->offset > end || record->bytes > end - it->offset ||
        (picture &&
         (record->width == 0 || record->height == 0 || record->width > INT32_MAX ||
          record->height > INT32_MAX || pixels != record->bytes)))
        return rt_fail("%s: %s: a damaged pack: not within it", listing->root, name);
    return listing_add(listing, &(Listed){.path = rt_format("%s", name),
                                          .offset = (long long)it->offset,
                                          .bytes = (long long)record->bytes,
                                          .width = picture ? (int)record->width : 0,
                                          .height = picture ? (int)record->height : 0,
                                          .is_broken = record->kind == PACK_BROKEN,
                                          .is_text = record->kind == PACK_TEXT});
}

static bool take_index(Listing *listing)
{
    const PackHead *head = (const void *)listing->map;
    const uint8_t *index = listing->map + head->end;
    const char *name = (const char *)index + head->items * sizeof(PackItem);
    const char *end = (const char *)index + head->index_bytes;
    bool ok = true;
    for (uint32_t i = 0; i < head->items && ok; i++) {
        PackItem item; /* records have any length: it may lie anywhere */
        memcpy(&item, index + i * sizeof item, sizeof item);
        size_t length = strnlen(name, (size_t)(end - name));
        ok = name + length < end
                 ? take_item(listing, &item, name, head->end)
                 : rt_fail("%s: a damaged pack: names are missing", listing->root);
        name += length + 1;
    }
    if (ok && listing->count > 0 && !listing_is_rows(listing, listing->count - 1))
        listing_sort(listing); /* as folders are; rows have their own order */
    return ok;
}

bool listing_of_pack(const char *path, Listing *listing)
{
    *listing =
        (Listing){.root = rt_format("%s", path), .is_archive = true, .is_pack = true};
    PackHead head;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *map = MAP_FAILED;
    if (read_head(fd, &head) && fstat(fd, &status) == 0)
        map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return rt_fail("%s: cannot be mapped: %s", path, strerror(errno));
    listing->map = map;
    listing->map_bytes = (size_t)status.st_size;
    return check_head(path, map, listing->map_bytes) && take_index(listing);
}
