/* Loading labelled images: the table of the forms they come in. All
 * end as sets of pixels, channels last, which is how networks read. */
#include "runtime/data/data.h"

#include "runtime/base/support.h"
#include "runtime/data/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first whose names are there is it. */
static const struct {
    const char *what; /* as errors list it */
    bool (*is)(const char *path);
    bool (*load)(const Load *load);
} forms[] = {
    {"random:COUNT", random_is, random_load},
    {"a pack that `lathe data pack` made", pack_is, pack_load},
    {"a .tar of class folders", archive_is, archive_load},
    {"a .csv of path,label", csv_is, csv_load},
    {"images.npy with labels.npy, or an .npz of both", npy_is, npy_load},
    {"CIFAR-10's data_batch_1.bin and test_batch.bin", cifar10_is, cifar10_load},
    {"CIFAR-100's train.bin and test.bin", cifar100_is, cifar100_load},
    {"PNG sheets data_batch_1.png and test_batch.png", sheets_is, sheets_load},
    {"MNIST's train-images-idx3-ubyte and its like", idx_is, idx_load},
    {"train/CLASS/*.jpg with val or test beside it", folders_is, folders_load},
    {"CLASS/*.jpg", folders_is, folders_load},
};
enum { FORMS = sizeof forms / sizeof *forms };

DataWant data_want(const Model *model)
{
    return (DataWant){.height = model->height,
                      .width = model->width,
                      .channels = model->channels,
                      .classes = model->classes,
                      .class_names = model->class_names,
                      .resize = model->resize,
                      .test_share = model->test_share,
                      .skip_broken = model->skip_broken};
}

static bool fail_unknown(const char *path)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    char *list = rt_format("%s", forms[0].what);
    for (int i = 1; i < FORMS; i++) {
        char *longer = rt_format("%s; %s", list, forms[i].what);
        free(list);
        list = longer;
    }
    if (there)
        rt_fail("%s: no images: want one of: %s", path, list);
    else
        rt_fail(
            "%s: no such file or folder: want one of: %s. `lathe data cifar10 %s` makes "
            "a folder of CIFAR-10",
            path, list, path);
    free(list);
    return false;
}

bool data_exists(const char *path)
{
    return random_is(path)
               ? random_check(path)
               : access(path, R_OK) == 0 || rt_fail("%s: %s", path, strerror(errno));
}

bool data_has_labels(const char *path)
{
    return !npy_is(path) || npy_has_labels(path) ||
           rt_fail("%s: images without labels, which training needs", path);
}

bool data_load(const char *path, DataParts parts, const DataWant *want, ImageSet *train,
               ImageSet *test)
{
    *train = *test = (ImageSet){
        .height = want->height, .width = want->width, .channels = want->channels};
    int i = 0;
    while (i < FORMS && !forms[i].is(path))
        i++;
    bool ok = i < FORMS ? forms[i].load(&(Load){path, parts, want, train, test, NULL})
                        : fail_unknown(path);
    if (!ok) {
        data_free(train);
        data_free(test);
    }
    return ok;
}
