/* Sheets: a PNG whose row i is image i, its pixels row by row, and labels in
 * JSON files. */
#include "runtime/data/forms.h"

#include "runtime/base/support.h"
#include "runtime/draw/picture.h"

#include <stdlib.h>
#include <string.h>

static bool read_sheet(const Load *load, const char *path, ImageSet *set)
{
    (void)load; /* the labels of all sheets are in one file, read after them */
    Picture sheet;
    if (!picture_read(path, &sheet))
        return false;
    bool ok = set->channels == 3 && sheet.width == set->height * set->width;
    if (!ok) {
        rt_fail("%s: rows of %d RGB pixels, want %d x %d = %d of %d channels", path,
                sheet.width, set->height, set->width, set->height * set->width,
                set->channels);
    } else {
        uint8_t *to = image_set_add(set, path, (size_t)sheet.height);
        ok = to != NULL;
        if (ok)
            memcpy(to, sheet.pixels, (size_t)sheet.height * image_set_bytes(set));
    }
    picture_free(&sheet);
    return ok;
}

/* "[3, 8, 8, ...]" */
static bool parse_labels(ImageSet *set, const char *path, const char *text,
                         const DataWant *want)
{
    const char *space = " \t\r\n", *at = text + strspn(text, space);
    size_t count = 0;
    for (char before = '['; *at == before; before = ',') {
        char *end;
        long label = strtol(at + 1, &end, 10);
        if (end == at + 1)
            break;
        if (!form_label(want, path, count, label))
            return false;
        if (count < (size_t)set->count)
            set->labels[count] = (int32_t)label;
        count++;
        at = end + strspn(end, space);
    }
    if (count == 0 || *at != ']' || at[1 + strspn(at + 1, space)] != 0)
        return rt_fail("%s: byte %td: want a JSON array of class numbers", path,
                       at - text);
    if (count != (size_t)set->count)
        return rt_fail("%s: %zu labels, want %d, one for each image", path, count,
                       set->count);
    return true;
}

/* The spelling of the npm package comes first. */
static bool read_labels(const Load *load, const char *part, ImageSet *set)
{
    char *name = rt_format("%s_lables.json", part),
         *proper = rt_format("%s_labels.json", part);
    bool use_proper = !form_has(load->path, name) && form_has(load->path, proper);
    char *path = rt_format("%s/%s", load->path, use_proper ? proper : name);
    char *text = rt_read_file(path, NULL);
    bool ok = text && parse_labels(set, path, text, load->want);
    free(text);
    free(path);
    free(proper);
    free(name);
    return ok;
}

bool sheets_is(const char *path)
{
    return form_has(path, "data_batch_1.png") || form_has(path, "test_batch.png");
}

bool sheets_load(const Load *load)
{
    return form_batches(load, load->path, "png", read_sheet) &&
           (!(load->parts & DATA_TRAIN) || read_labels(load, "train", load->train)) &&
           (!(load->parts & DATA_TEST) || read_labels(load, "test", load->test));
}
