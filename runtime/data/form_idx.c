/* MNIST's IDX files: a magic number that says type and rank, sizes with the high byte
 * first, and bytes. They may be compressed: zlib reads either. */
#include "runtime/data/forms.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES = 0x08, MOST_RANK = 4 };

static const char *const parts[] = {"train", "t10k"};
static const char *const spellings[] = {"-", "."};
static const char *const endings[] = {"", ".gz"};

/* FOLDER/train-images-idx3-ubyte or as it is called there; free() it, NULL when there is
 * none. */
static char *find(const char *folder, const char *part, const char *what, int rank)
{
    for (int i = 0; i < 4; i++) {
        char *name = rt_format("%s-%s%sidx%d-ubyte%s", part, what, spellings[i / 2], rank,
                               endings[i % 2]);
        char *path = form_has(folder, name) ? rt_format("%s/%s", folder, name) : NULL;
        free(name);
        if (path)
            return path;
    }
    return NULL;
}

bool idx_is(const char *path)
{
    char *train = find(path, parts[0], "images", 3),
         *test = find(path, parts[1], "images", 3);
    bool is = train || test;
    free(train);
    free(test);
    return is;
}

/* ---- A file ---- */

/* Read `bytes`, no more and no less; false when there are not so many. */
static bool read_exactly(gzFile file, void *to, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t left = bytes - done;
        unsigned most = left < 1 << 30 ? (unsigned)left : 1 << 30;
        int got = gzread(file, (char *)to + done, most);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* The sizes, which must be `rank`. */
static bool read_sizes(gzFile file, const char *path, int rank, size_t sizes[MOST_RANK])
{
    uint8_t head[4 + 4 * MOST_RANK];
    if (!read_exactly(file, head, 4 + 4 * (size_t)rank) || head[0] || head[1] ||
        head[2] != BYTES || head[3] != rank)
        return rt_fail("%s: want an IDX file of bytes with %d size%s", path, rank,
                       rank > 1 ? "s" : "");
    for (int i = 0; i < rank; i++) {
        const uint8_t *at = head + 4 + 4 * i;
        sizes[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    return true;
}

/* Memory comes as the bytes do: a head may say anything. */
static bool read_images(gzFile file, const char *path, size_t count, ImageSet *set)
{
    enum { STEP = 4096 };
    for (size_t done = 0; done < count;) {
        size_t more = count - done < STEP ? count - done : STEP;
        uint8_t *to = image_set_add(set, path, more);
        if (to == NULL)
            return false;
        if (!read_exactly(file, to, more * image_set_bytes(set)))
            return rt_fail("%s: ends early, want %zu images", path, count);
        done += more;
    }
    return gzgetc(file) == -1 || rt_fail("%s: more than its %zu images", path, count);
}

static bool load_images(const char *path, const DataWant *want, ImageSet *set)
{
    gzFile file = gzopen(path, "rb");
    size_t sizes[MOST_RANK] = {0};
    bool ok =
        (file || rt_fail("%s: cannot be read", path)) && read_sizes(file, path, 3, sizes);
    if (ok && (sizes[0] == 0 || want->channels != 1 || sizes[1] != (size_t)want->height ||
               sizes[2] != (size_t)want->width))
        ok = rt_fail("%s: %zu images of %zu x %zu x 1, the network reads %d x %d x %d",
                     path, sizes[0], sizes[1], sizes[2], want->height, want->width,
                     want->channels);
    ok = ok && read_images(file, path, sizes[0], set);
    if (file)
        gzclose(file);
    return ok;
}

static bool load_labels(const char *path, const DataWant *want, ImageSet *set)
{
    gzFile file = gzopen(path, "rb");
    size_t sizes[MOST_RANK] = {0}, count = (size_t)set->count;
    bool ok =
        (file || rt_fail("%s: cannot be read", path)) && read_sizes(file, path, 1, sizes);
    if (ok && sizes[0] != count)
        ok = rt_fail("%s: %zu labels, want %zu, one for each image", path, sizes[0],
                     count);
    uint8_t *labels = rt_alloc(count + 1);
    if (ok && (!read_exactly(file, labels, count) || gzgetc(file) != -1))
        ok = rt_fail("%s: want %zu labels and no more", path, count);
    for (size_t i = 0; ok && i < count; i++) {
        ok = form_label(want, path, i, labels[i]);
        set->labels[i] = labels[i];
    }
    free(labels);
    if (file)
        gzclose(file);
    return ok;
}

bool idx_load(const Load *load)
{
    bool ok = true;
    for (int part = 0; part < 2 && ok; part++) {
        if (!(load->parts & (part == 0 ? DATA_TRAIN : DATA_TEST)))
            continue;
        ImageSet *set = part == 0 ? load->train : load->test;
        char *images = find(load->path, parts[part], "images", 3);
        char *labels = find(load->path, parts[part], "labels", 1);
        if (images == NULL || labels == NULL)
            ok = rt_fail("%s/%s-%s-ubyte: missing, and with .gz", load->path, parts[part],
                         images ? "labels-idx1" : "images-idx3");
        ok = ok && load_images(images, load->want, set) &&
             load_labels(labels, load->want, set);
        free(images);
        free(labels);
    }
    return ok;
}
