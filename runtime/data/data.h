/* Loading labelled images, whatever form they are in. */
#ifndef LATHE_DATA_H
#define LATHE_DATA_H

#include "runtime/data/image_set.h"
#include "runtime/data/want.h"
#include "runtime/rt.h"

/* What the model was generated for. */
DataWant data_want(const Model *model);

/* Load the wanted parts of what is at `path`, in one of the forms that the rows of data.c
 * list; the other set stays empty. Fails, naming the file, when sizes differ from what is
 * wanted, a label is not in 0..classes-1, a file is short or broken, or a part is
 * missing. Pictures are resized and their centre is cut out; files that say nothing of
 * test images are split by a seeded choice that is the same each time. */
bool data_load(const char *path, DataParts parts, const DataWant *want, ImageSet *train,
               ImageSet *test);
/* Whether `path` is there, or is a well-formed "random:..."; else false and rt_fail. */
bool data_exists(const char *path);
/* Whether images of that form have labels; else false and rt_fail. To be asked early: it
 * reads no image. */
bool data_has_labels(const char *path);

#endif
