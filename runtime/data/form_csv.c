/* Pictures that a .csv lists, a line each: path,label. Paths are from the file's folder
 * on; a label is a number, or a class's name. A pack of them has the files' text beside
 * the pictures, line by line. */
#include "runtime/data/classes.h"
#include "runtime/data/forms.h"

#include "runtime/base/parse.h"
#include "runtime/base/support.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The lines of all files. */
typedef struct {
    const Load *load;
    Listing listing; /* in their order; of a pack: all of it */
    bool packed;
    int count;
    char **labels; /* [count] */
    bool *is_test; /* [count] */
    bool named;    /* some label is no number */
} Rows;

/* The field at *at, its quotes taken away; *at moves behind it and the comma. NULL where
 * a quote is not closed. free() it. */
static char *take_field(const char **at, const char *end)
{
    const char *from = *at;
    char *field = rt_alloc((size_t)(end - from) + 1), *to = field;
    bool quoted = from < end && *from == '"';
    from += quoted;
    for (; from < end && (quoted || *from != ','); from++) {
        if (quoted && *from == '"') {
            if (from + 1 < end && from[1] == '"')
                from++;
            else
                break;
        }
        *to++ = *from;
    }
    bool closed = !quoted || from < end;
    from += quoted && closed;
    if (!closed || (from < end && *from != ',')) {
        free(field);
        return NULL;
    }
    *at = from < end ? from + 1 : end;
    return field;
}

static bool add_row(Rows *rows, char *path, char *label, bool is_test)
{
    long number;
    int i = rows->count;
    rows->labels = rt_grow(rows->labels, ((size_t)i + 1) * sizeof *rows->labels);
    rows->is_test = rt_grow(rows->is_test, (size_t)i + 1);
    rows->labels[i] = label;
    rows->is_test[i] = is_test;
    rows->named = rows->named || !parse_long(label, LONG_MIN, LONG_MAX, &number);
    rows->count++;
    if (!rows->packed)
        return listing_add(&rows->listing, &(Listed){.path = path, .bytes = -1});
    bool same = i < rows->listing.count && strcmp(rows->listing.items[i].path, path) == 0;
    free(path);
    return same || rt_fail("%s: a damaged pack: picture %d is not that of its line",
                           rows->load->path, i + 1);
}

static bool add_line(Rows *rows, const char *file, int line, const char *from,
                     const char *end, bool is_test)
{
    char *path = take_field(&from, end), *label = NULL;
    if (path && from < end)
        label = take_field(&from, end);
    bool ok = path && label && from == end && *path && *label;
    if (!ok || (line == 1 && strcasecmp(label, "label") == 0)) {
        free(path);
        free(label);
        return ok || rt_fail("%s:%d: want path,label", file, line);
    }
    return add_row(rows, path, label, is_test);
}

static bool take_rows(Rows *rows, const char *file, const char *text, bool is_test)
{
    int line = 0;
    bool ok = true;
    for (const char *at = text; ok && *at;) {
        const char *end = at + strcspn(at, "\r\n");
        line++;
        if (end > at)
            ok = add_line(rows, file, line, at, end, is_test);
        at = end + (*end == '\r') + (end[*end == '\r'] == '\n');
    }
    return ok;
}

static bool read_rows(Rows *rows, const char *file, bool is_test)
{
    char *text = rt_read_file(file, NULL);
    bool ok = text && take_rows(rows, file, text, is_test);
    free(text);
    return ok;
}

static bool check_files(const Rows *rows)
{
    int missing = 0, first = 0;
    for (int i = rows->count - 1; i >= 0; i--) {
        char *name = listing_name(&rows->listing, i);
        if (access(name, R_OK) != 0) {
            missing++;
            first = i;
        }
        free(name);
    }
    if (missing == 0)
        return true;
    char *name = listing_name(&rows->listing, first);
    rt_fail("%s: %d of %d files are missing, the first is %s", rows->load->path, missing,
            rows->count, name);
    free(name);
    return false;
}

static bool take_labels(const Rows *rows, Classes *classes, int32_t *labels)
{
    const Load *load = rows->load;
    int count = rows->count;
    if (rows->named && !classes_make(classes, load->path, load->want,
                                     (const char *const *)rows->labels, count, NULL))
        return false;
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        long label = rows->named ? classes_find(classes, rows->labels[i])
                                 : strtol(rows->labels[i], NULL, 10);
        ok = form_label(load->want, load->path, (size_t)i, label);
        labels[i] = (int32_t)label;
    }
    return ok;
}

static bool load_rows(Rows *rows, bool split)
{
    int count = rows->count;
    if (count == 0)
        return rt_fail("%s: no lines of path,label", rows->load->path);
    int *items = rt_alloc((size_t)count * sizeof *items);
    int32_t *labels = rt_alloc((size_t)count * sizeof *labels);
    for (int i = 0; i < count; i++)
        items[i] = i;
    Classes classes = {0};
    bool ok =
        take_labels(rows, &classes, labels) && (rows->packed || check_files(rows)) &&
        form_pictures(rows->load, &rows->listing, items, labels,
                      split ? NULL : rows->is_test, count, rows->named ? &classes : NULL);
    classes_free(&classes);
    free(labels);
    free(items);
    return ok;
}

/* ---- One file, or train.csv with val.csv or test.csv beside it ---- */

bool csv_is(const char *path)
{
    return name_ends(path, ".csv") || form_has(path, "train.csv");
}

int csv_files(const char *path, char *files[2])
{
    bool val = form_has(path, "val.csv");
    if (name_ends(path, ".csv")) {
        files[0] = rt_format("%s", path);
        return 1;
    }
    if (!val && !form_has(path, "test.csv")) {
        rt_fail("%s: train.csv has neither val.csv nor test.csv beside it", path);
        return 0;
    }
    files[0] = rt_format("%s/train.csv", path);
    files[1] = rt_format("%s/%s.csv", path, val ? "val" : "test");
    return 2;
}

static void free_rows(Rows *rows)
{
    for (int i = 0; i < rows->count; i++)
        free(rows->labels[i]);
    free(rows->labels);
    free(rows->is_test);
    listing_free(&rows->listing);
}

bool csv_load(const Load *load)
{
    char *files[2];
    int count = csv_files(load->path, files);
    const char *slash = strrchr(load->path, '/');
    Rows rows = {.load = load};
    rows.listing.root = count == 2 ? rt_format("%s", load->path)
                        : slash ? rt_format("%.*s", (int)(slash - load->path), load->path)
                                : rt_format(".");
    bool ok = count > 0;
    for (int i = 0; i < count; i++) {
        ok = ok && read_rows(&rows, files[i], i > 0);
        free(files[i]);
    }
    ok = ok && load_rows(&rows, count == 1);
    free_rows(&rows);
    return ok;
}

/* The pack's items behind the pictures that are such files; how many. */
static int packed_files(const Listing *pack, int items[2])
{
    int count = 0;
    for (int i = pack->count; i > 0 && count < 2 && listing_is_rows(pack, i - 1); i--)
        items[count++] = i - 1;
    return count;
}

bool csv_is_packed(const Listing *pack)
{
    int items[2];
    return packed_files(pack, items) > 0;
}

bool csv_load_packed(const Load *load, Listing *pack)
{
    int items[2], files = packed_files(pack, items);
    Rows rows = {.load = load, .listing = *pack, .packed = true};
    bool ok = true;
    *pack = (Listing){0};
    for (int i = 0; i < files && ok; i++) {
        const Listed *it = &rows.listing.items[items[files - 1 - i]];
        char *text =
            rt_format("%.*s", (int)it->bytes, (char *)rows.listing.map + it->offset);
        char *name = rt_format("%s: %s", load->path, it->path);
        ok = take_rows(&rows, name, text, i > 0);
        free(name);
        free(text);
    }
    if (ok && rows.count + files != rows.listing.count)
        ok = rt_fail("%s: a damaged pack: %d pictures of %d lines", load->path,
                     rows.listing.count - files, rows.count);
    ok = ok && load_rows(&rows, files == 1);
    free_rows(&rows);
    return ok;
}
