/* Making packs: see pack.h and pack_file.h. Blocks of pictures are decoded by all threads
 * and written one after the other; the head says what has reached the disk. */
#include "runtime/base/support.h"
#include "runtime/data/forms.h"
#include "runtime/data/pack.h"
#include "runtime/data/pack_file.h"
#include "runtime/data/pictures.h"
#include "runtime/data/watch.h"
#include "runtime/draw/resize.h"
#include "runtime/rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 64,           /* pictures decoded at once */
    SYNC_BYTES = 64 << 20 /* written between two times that the head says so */
};

/* One picture on its way. */
typedef struct {
    Picture picture;
    PictureError error;
} Decoded;

typedef struct {
    Load load; /* first: the survey gets it */
    const char *path;
    int side;
    bool skip;
    char *partial;
    int fd;
    const Listing *listing;
    const int *items;
    int first; /* of the block */
    PackHead head;
    PackItem *index; /* of what is written */
    uint64_t at;     /* where the next record goes */
    Decoded *block;  /* [BLOCK] */
} Packing;

/* ---- Pictures ---- */

static void shrink(Picture *picture, int side)
{
    int64_t height = picture->height, width = picture->width;
    if (height <= side || width <= side)
        return;
    picture_size_by_side(&height, &width, side);
    Picture small = {(int)width, (int)height, rt_alloc((size_t)(width * height) * 3)};
    resize(
        &(Cut){picture->pixels, picture->width, 3, 0, 0, picture->width, picture->height},
        small.width, small.height, small.pixels);
    picture_free(picture);
    *picture = small;
}

static void decode_one(void *context, int index, int worker)
{
    (void)worker;
    const Packing *p = context;
    Decoded *to = &p->block[index];
    *to = (Decoded){0};
    if (listing_picture(p->listing, p->items[p->first + index], &to->picture, &to->error))
        shrink(&to->picture, p->side);
}

/* ---- Writing ---- */

static bool fail_writing(const Packing *p)
{
    return rt_fail("%s: %s", p->partial, strerror(errno));
}

static bool write_at(const Packing *p, const void *data, size_t bytes, uint64_t at)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t done = pwrite(p->fd, from, bytes, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail_writing(p);
        from += done;
        bytes -= (size_t)done;
        at += (uint64_t)done;
    }
    return true;
}

static bool write_record(Packing *p, PackRecord record, const void *data)
{
    p->index[p->head.items] = (PackItem){p->at + sizeof record, record};
    bool ok = write_at(p, &record, sizeof record, p->at) &&
              write_at(p, data, record.bytes, p->at + sizeof record);
    p->at += sizeof record + record.bytes;
    p->head.items += ok;
    return ok;
}

/* First what was written, then that it was. */
static bool sync_head(Packing *p)
{
    p->head.done = p->head.items;
    p->head.end = p->at;
    return (fdatasync(p->fd) == 0 || fail_writing(p)) &&
           write_at(p, &p->head, sizeof p->head, 0);
}

static bool write_picture(Packing *p, int item, const Decoded *it)
{
    const Picture *picture = &it->picture;
    if (picture->pixels) {
        uint32_t width = (uint32_t)picture->width, height = (uint32_t)picture->height;
        return write_record(
            p, (PackRecord){PACK_PICTURE, width, height, 0, (uint64_t)width * height * 3},
            picture->pixels);
    }
    if (p->skip)
        return write_record(
            p, (PackRecord){.kind = PACK_BROKEN, .bytes = strlen(it->error.text)},
            it->error.text);
    char *name = listing_name(p->listing, item);
    rt_fail("%s: %s", name, it->error.text);
    free(name);
    return false;
}

static bool write_block(Packing *p, int count)
{
    bool ok = true;
    rt_parallel_for(count, decode_one, p);
    for (int i = 0; i < count; i++) {
        ok = ok && write_picture(p, p->items[p->first + i], &p->block[i]);
        picture_free(&p->block[i].picture);
    }
    p->first += ok ? count : 0;
    return ok;
}

/* From where it stands on. What came before a broken one is kept. */
static bool write_pictures(Packing *p, int count)
{
    bool ok = true;
    while (ok && p->first < count) {
        watch_show(p->load.path, "pictures packed", p->first, count);
        ok = write_block(p, count - p->first < BLOCK ? count - p->first : BLOCK);
        if (ok ? p->at - p->head.end > SYNC_BYTES : p->head.items > p->head.done)
            ok = sync_head(p) && ok;
    }
    watch_show(p->load.path, NULL, 0, 0);
    return ok;
}

/* ---- Going on ---- */

static void print_names(FILE *file, const Packing *p, int count)
{
    for (int i = 0; i < count; i++)
        fprintf(file, "%s%c", p->listing->items[p->items[i]].path, 0);
}

/* Of names and of how they are packed: what the pack is of. */
static void hash_source(Packing *p, int count)
{
    char *text = NULL, hash[65];
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fprintf(file, "%d %d\n", p->side, p->skip);
    print_names(file, p, count);
    fclose(file);
    rt_sha256(text, bytes, hash);
    free(text);
    memcpy(p->head.source, hash, sizeof p->head.source);
}

/* The index of the records that the head vouches for; false when they are not there. What
 * lies behind them, at the end, is written again. */
static bool walk(Packing *p, const PackHead *head)
{
    p->at = PACK_START;
    for (p->head.items = 0; p->head.items < head->done; p->head.items++) {
        PackRecord record;
        if (pread(p->fd, &record, sizeof record, (off_t)p->at) != sizeof record ||
            record.bytes > head->end - p->at)
            return false;
        p->index[p->head.items] = (PackItem){p->at + sizeof record, record};
        p->at += sizeof record + record.bytes;
    }
    return p->at <= head->end;
}

static bool begin(Packing *p, int count)
{
    PackHead old = {.done = 0};
    memcpy(p->head.magic, PACK_MAGIC, sizeof p->head.magic);
    p->head.version = PACK_VERSION;
    p->head.side = (uint32_t)p->side;
    p->head.pictures = (uint32_t)count;
    hash_source(p, count);
    p->fd = open(p->partial, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->fd < 0)
        return fail_writing(p);
    if (flock(p->fd, LOCK_EX | LOCK_NB) != 0)
        return rt_fail("%s: another process is writing it", p->partial);
    bool goes_on = pread(p->fd, &old, sizeof old, 0) == sizeof old &&
                   memcmp(old.magic, PACK_MAGIC, sizeof old.magic) == 0 &&
                   old.version == PACK_VERSION && old.done <= (uint32_t)count &&
                   memcmp(old.source, p->head.source, sizeof old.source) == 0 &&
                   walk(p, &old);
    if (!goes_on) {
        p->head.items = 0;
        p->at = PACK_START;
    }
    p->first = (int)p->head.items;
    if (p->first > 0)
        printf("%s: goes on behind %d of %d pictures\n", p->path, p->first, count);
    return (ftruncate(p->fd, (off_t)p->at) == 0 || fail_writing(p)) && sync_head(p);
}

/* ---- The end ---- */

/* The item that is classes.txt, of several the outermost; -1: there is none. */
static int find_text(const Listing *listing)
{
    int found = -1;
    for (int i = 0; i < listing->count; i++) {
        const char *path = listing->items[i].path, *slash = strrchr(path, '/');
        if (strcmp(slash ? slash + 1 : path, "classes.txt") == 0 &&
            (found < 0 || strlen(path) < strlen(listing->items[found].path)))
            found = i;
    }
    return found;
}

/* Files that go with the pictures, as they are. */
typedef struct {
    int count;
    char *names[2], *data[2];
    size_t bytes[2];
} Texts;

static bool read_classes(const Packing *p, Texts *texts)
{
    PictureError error;
    int text = find_text(p->listing);
    if (text < 0)
        return true;
    texts->data[0] = (char *)listing_read(p->listing, text, &texts->bytes[0], &error);
    if (texts->data[0] == NULL)
        return rt_fail("%s: classes.txt: %s", p->load.path, error.text);
    texts->names[texts->count++] = rt_format("%s", p->listing->items[text].path);
    return true;
}

/* The files that list the pictures. */
static bool read_rows(const Packing *p, Texts *texts)
{
    char *files[2];
    int count = csv_files(p->load.path, files);
    bool ok = count > 0;
    for (int i = 0; i < count; i++) {
        const char *slash = strrchr(files[i], '/');
        texts->data[i] = ok ? rt_read_file(files[i], &texts->bytes[i]) : NULL;
        ok = texts->data[i] != NULL;
        texts->names[texts->count++] = rt_format("%s", slash ? slash + 1 : files[i]);
        free(files[i]);
    }
    return ok;
}

static bool write_texts(Packing *p, const Texts *texts)
{
    bool ok = true;
    for (int i = 0; i < texts->count && ok; i++)
        ok = write_record(p, (PackRecord){.kind = PACK_TEXT, .bytes = texts->bytes[i]},
                          texts->data[i]);
    return ok;
}

static void free_texts(Texts *texts)
{
    for (int i = 0; i < 2; i++) {
        free(texts->names[i]);
        free(texts->data[i]);
    }
}

static bool write_index(Packing *p, int count, const Texts *texts)
{
    char *index = NULL, hash[65];
    size_t bytes;
    FILE *file = open_memstream(&index, &bytes);
    fwrite(p->index, sizeof *p->index, p->head.items, file);
    print_names(file, p, count);
    for (int i = 0; i < texts->count; i++)
        fprintf(file, "%s%c", texts->names[i], 0);
    fclose(file);
    rt_sha256(index, bytes, hash);
    memcpy(p->head.index, hash, sizeof p->head.index);
    p->head.done = (uint32_t)count;
    p->head.end = p->at;
    p->head.index_bytes = bytes;
    bool ok = write_at(p, index, bytes, p->at) &&
              write_at(p, &p->head, sizeof p->head, 0) &&
              (fsync(p->fd) == 0 || fail_writing(p));
    free(index);
    return ok;
}

static bool rename_whole(const Packing *p)
{
    if (rename(p->partial, p->path) != 0)
        return fail_writing(p);
    rt_sync_folder(p->path);
    return true;
}

static void say(const Packing *p, int count)
{
    int broken = 0;
    for (int i = 0; i < count; i++)
        broken += p->index[i].record.kind == PACK_BROKEN;
    printf("%s: %d pictures, %.1f MB", p->path, count - broken,
           (double)(p->head.end + p->head.index_bytes) / 1e6);
    printf(broken ? ", and the places of broken ones: %d\n" : "\n", broken);
}

/* In the place of reading for a network. */
static bool pack_all(const Load *load, const Listing *listing, const int *items,
                     const int32_t *labels, const bool *test, int count,
                     const Classes *classes)
{
    (void)labels;
    (void)test;
    (void)classes;
    Packing *p = (Packing *)(void *)load;
    Texts texts = {0};
    p->listing = listing;
    p->items = items;
    p->index = rt_alloc(((size_t)count + 2) * sizeof *p->index);
    p->block = rt_alloc(BLOCK * sizeof *p->block);
    bool ok = (csv_is(load->path) ? read_rows(p, &texts) : read_classes(p, &texts)) &&
              begin(p, count) && write_pictures(p, count) && write_texts(p, &texts) &&
              write_index(p, count, &texts) && rename_whole(p);
    if (ok)
        say(p, count);
    free_texts(&texts);
    if (p->fd >= 0)
        close(p->fd);
    free(p->index);
    free(p->block);
    return ok;
}

bool data_pack(const char *data, const char *file, int side, bool skip)
{
    static const DataWant want = {.test_share = 0.1};
    ImageSet none = {0};
    struct stat status;
    Packing p = {.load = {data, DATA_TRAIN | DATA_TEST, &want, &none, &none, pack_all},
                 .path = file,
                 .side = side,
                 .skip = skip,
                 .partial = rt_format("%s.partial", file),
                 .fd = -1};
    bool ok = stat(file, &status) != 0 || pack_begins(file) ||
              rt_fail("%s: is there, and no pack", file);
    if (ok)
        ok = archive_is(data)   ? archive_load(&p.load)
             : csv_is(data)     ? csv_load(&p.load)
             : folders_is(data) ? folders_load(&p.load)
                                : rt_fail("%s: nothing to pack: want class folders, a "
                                          ".tar of them, or a .csv",
                                          data);
    free(p.partial);
    return ok;
}
