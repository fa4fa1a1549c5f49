/* The forms that images come in, for data.c's table: whether a path has the form, by a
 * look at names alone, and the reader. */
#ifndef LATHE_FORMS_H
#define LATHE_FORMS_H

#include "runtime/data/classes.h"
#include "runtime/data/image_set.h"
#include "runtime/data/listing.h"
#include "runtime/data/want.h"

/* One call of data_load. */
typedef struct Load Load;
struct Load {
    const char *path;
    DataParts parts;
    const DataWant *want;
    ImageSet *train, *test;
    /* Gets pictures instead of their being decoded, if not NULL. */
    bool (*survey)(const Load *load, const Listing *listing, const int *items,
                   const int32_t *labels, const bool *test, int count,
                   const Classes *classes);
};

bool random_is(const char *path);
bool random_load(const Load *load);
/* Whether it is well-formed; else false and rt_fail. */
bool random_check(const char *path);
bool npy_is(const char *path);
bool npy_load(const Load *load);
bool npy_has_labels(const char *path);
bool cifar10_is(const char *path);
bool cifar10_load(const Load *load);
bool cifar100_is(const char *path);
bool cifar100_load(const Load *load);
bool sheets_is(const char *path);
bool sheets_load(const Load *load);
bool idx_is(const char *path);
bool idx_load(const Load *load);
bool csv_is(const char *path);
bool csv_load(const Load *load);
/* The files of that form, to be freed, those to test with last; how many. 0 and rt_fail:
 * one is missing. */
int csv_files(const char *path, char *files[2]);
/* Whether the pack was made of such files; and its pictures, as the files' lines say. The
 * listing is taken over. */
bool csv_is_packed(const Listing *pack);
bool csv_load_packed(const Load *load, Listing *pack);
bool folders_is(const char *path);
bool folders_load(const Load *load);
bool pack_is(const char *path);
bool pack_load(const Load *load);
bool archive_is(const char *path);
bool archive_load(const Load *load);

/* ---- What readers share ---- */

/* Whether there is FOLDER/NAME. */
bool form_has(const char *folder, const char *name);
/* FOLDER/data_batch_1.SUFFIX, 2, ... to the training images, test_batch.SUFFIX to the
 * others; `read` adds a file's images. */
bool form_batches(const Load *load, const char *folder, const char *suffix,
                  bool (*read)(const Load *load, const char *path, ImageSet *set));
/* Whether a file's label is in range; else false and rt_fail. */
bool form_label(const DataWant *want, const char *path, size_t image, long label);
/* Give the images of `all`, which is freed, to the parts: of each class a share of test
 * ones, chosen by a seed that never changes. False and rt_fail when a wanted one gets
 * none. */
bool form_split(const Load *load, ImageSet *all);
/* Give pictures, items of the listing with their labels, to the wanted parts:
 * those of `test` for testing, or, where that is NULL, as form_choose says.
 * `classes`, or NULL, name the labels. What the listing holds is taken over; a
 * call that fails may leave it. */
bool form_pictures(const Load *load, Listing *listing, const int *items,
                   const int32_t *labels, const bool *test, int count,
                   const Classes *classes);
/* For each of `count` labelled things, whether it is for testing: the choice of
 * form_split. */
bool *form_choose(const int32_t *labels, int count, double share);

#endif
