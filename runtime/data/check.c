/* A report on pictures: see check.h. The form's reader lists them, as for loading. */
#include "runtime/data/check.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/data/forms.h"
#include "runtime/data/watch.h"
#include "runtime/rt.h"

#include <stdlib.h>
#include <string.h>

/* What became of one picture. */
typedef struct {
    int item, width, height;
    char digest[33]; /* of the file, half of its SHA-256; "": it cannot be read */
    char *broken;    /* why, or NULL */
} Seen;

typedef struct {
    const Listing *listing;
    Seen *seen; /* [count] */
    int count;
    int first; /* of those that are looked at */
} Check;

static void see_one(void *context, int index, int worker)
{
    (void)worker;
    const Check *check = context;
    Seen *seen = &check->seen[check->first + index];
    size_t bytes;
    char digest[65];
    Picture picture;
    PictureError error;
    uint8_t *data = listing_read(check->listing, seen->item, &bytes, &error);
    if (data) {
        rt_sha256(data, bytes, digest);
        snprintf(seen->digest, sizeof seen->digest, "%.32s", digest);
    }
    if (data && picture_decode(data, bytes, &picture, &error)) {
        seen->width = picture.width;
        seen->height = picture.height;
        picture_free(&picture);
    } else {
        seen->broken = rt_format("%s", error.text);
    }
    free(data);
}

static void see_all(Check *check, const char *path)
{
    enum { BLOCK = 256 };
    for (; check->first < check->count; check->first += BLOCK) {
        int left = check->count - check->first;
        watch_show(path, "pictures read", check->first, check->count);
        rt_parallel_for(left < BLOCK ? left : BLOCK, see_one, check);
    }
    watch_show(path, NULL, 0, 0);
}

/* ---- The report ---- */

static void print_classes(const Classes *classes, const int32_t *labels, const bool *test,
                          int count)
{
    int most = classes ? classes->count : 0;
    for (int i = 0; i < count; i++)
        most = labels[i] >= most ? labels[i] + 1 : most;
    int(*sums)[2] = rt_alloc((size_t)(most + 1) * sizeof *sums), all[2] = {0};
    for (int i = 0; i < count; i++) {
        sums[labels[i]][test[i]]++;
        all[test[i]]++;
    }
    printf("%d pictures to train on, %d to test, of %d classes\n", all[0], all[1], most);
    for (int i = 0; i < most; i++)
        printf("  %4d  %-24s %7d %7d\n", i, classes ? rt_shown(classes->names[i]) : "",
               sums[i][0], sums[i][1]);
    free(sums);
}

static int compare_sizes(const void *a, const void *b)
{
    const Seen *one = a, *other = b;
    if (one->width != other->width)
        return one->width < other->width ? -1 : 1;
    if (one->height != other->height)
        return one->height < other->height ? -1 : 1;
    return one->item < other->item ? -1 : one->item > other->item;
}

static int compare_digests(const void *a, const void *b)
{
    const Seen *one = a, *other = b;
    int order = strcmp(one->digest, other->digest);
    return order ? order : one->item < other->item ? -1 : one->item > other->item;
}

/* The sizes there are, or, of many, between which they lie. */
static void print_sizes(Check *check)
{
    enum { MOST = 8 };
    int kinds = 0, from = 0;
    qsort(check->seen, (size_t)check->count, sizeof *check->seen, compare_sizes);
    while (from < check->count && check->seen[from].width == 0)
        from++; /* broken ones */
    int widths[2] = {0}, heights[2] = {0};
    for (int i = from; i < check->count; i++) {
        const Seen *it = &check->seen[i], *before = i > from ? it - 1 : NULL;
        kinds += !before || it->width != before->width || it->height != before->height;
        widths[0] = i == from ? it->width : widths[0];
        widths[1] = it->width;
        heights[0] = i == from || it->height < heights[0] ? it->height : heights[0];
        heights[1] = it->height > heights[1] ? it->height : heights[1];
    }
    if (kinds > MOST)
        printf("%d sizes, %d to %d wide, %d to %d high\n", kinds, widths[0], widths[1],
               heights[0], heights[1]);
    for (int i = from; kinds <= MOST && i < check->count;) {
        const Seen *it = &check->seen[i];
        int end = i;
        while (end < check->count && check->seen[end].width == it->width &&
               check->seen[end].height == it->height)
            end++;
        printf("%d of %d x %d pixels\n", end - i, it->width, it->height);
        i = end;
    }
}

/* A file that is there again, under each further name. */
static void print_duplicates(Check *check)
{
    qsort(check->seen, (size_t)check->count, sizeof *check->seen, compare_digests);
    for (int i = 1, first = 0; i < check->count; i++) {
        const char *digest = check->seen[i].digest;
        if (*digest == 0 || strcmp(digest, check->seen[first].digest) != 0) {
            first = i;
            continue;
        }
        char *name = listing_name(check->listing, check->seen[first].item);
        char *again = listing_name(check->listing, check->seen[i].item);
        printf("same: %s", rt_shown(name));
        printf(" = %s\n", rt_shown(again));
        free(again);
        free(name);
    }
}

static int print_broken(const Check *check)
{
    int broken = 0;
    for (int i = 0; i < check->count; i++) {
        if (check->seen[i].broken == NULL)
            continue;
        char *name = listing_name(check->listing, check->seen[i].item);
        printf("broken: %s", rt_shown(name));
        printf(": %s\n", rt_shown(check->seen[i].broken));
        free(name);
        broken++;
    }
    return broken;
}

/* In the place of decoding for a network. */
static bool survey(const Load *load, const Listing *listing, const int *items,
                   const int32_t *labels, const bool *test, int count,
                   const Classes *classes)
{
    Check check = {listing, rt_alloc((size_t)(count + 1) * sizeof(Seen)), count, 0};
    for (int i = 0; i < count; i++)
        check.seen[i].item = items[i];
    see_all(&check, load->path);
    print_classes(classes, labels, test, count);
    int broken = print_broken(&check);
    print_sizes(&check);
    print_duplicates(&check);
    for (int i = 0; i < count; i++)
        free(check.seen[i].broken);
    free(check.seen);
    return broken == 0 ||
           rt_fail("%s: %d of %d pictures are broken", load->path, broken, count);
}

bool data_check(const char *path)
{
    static const DataWant want = {.test_share = 0.1};
    ImageSet none = {0};
    const Load load = {path, DATA_TRAIN | DATA_TEST, &want, &none, &none, survey};
    if (csv_is(path))
        return csv_load(&load);
    if (archive_is(path))
        return archive_load(&load);
    return folders_is(path)
               ? folders_load(&load)
               : rt_fail("%s: no pictures: want class folders, a .tar of them, "
                         "or a .csv of path,label",
                         path);
}
