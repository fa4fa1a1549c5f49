/* `lathe data` on small wrong sets (a right one is 184 MB: point LATHE_CIFAR10 at it),
 * and the scratch folder: programs that fail, signals, nothing left behind. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/verbs/commands.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/draw/picture.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Run the command and check its status and what it says on stderr: `format` with the %s
 * in it standing for a path. */
static void check_command(int status, const char *format, const char *path, char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    rt_error_clear();
    ck_assert_ptr_nonnull(freopen(in_folder("out"), "w", stdout));
    ck_assert_ptr_nonnull(freopen(in_folder("err"), "w", stderr));
    ck_assert_int_eq(cmd_data(argc, argv), status);
    fflush(stderr);
    char *said = rt_read_file(in_folder("err"), NULL);
    ck_assert_ptr_nonnull(said);
    const char *hole = strstr(format, "%s");
    char *wanted =
        hole ? rt_format("%.*s%s%s", (int)(hole - format), format, path, hole + 2)
             : rt_format("%s", format);
    ck_assert_str_eq(said, wanted);
    free(wanted);
    free(said);
    rt_error_clear();
}
#define COMMAND(...) ((char *[]){"data", __VA_ARGS__ __VA_OPT__(, ) NULL})

static char *path_of(const char *name)
{
    return (char *)in_folder(name);
}

START_TEST(usage)
{
    static const char usage[] =
        "lathe: data: want cifar10 FOLDER, sample CIFAR_FOLDER OUT_FOLDER, check DATA, "
        "pack DATA FILE or raw IMAGE..., see `lathe data --help`\n";
    check_command(0, "", NULL, COMMAND("--help"));
    check_command(0, "", NULL, COMMAND("cifar10", "-h"));
    check_command(1, usage, NULL, (char *[]){"data", NULL});
    check_command(1, usage, NULL, COMMAND("cifar10"));
    check_command(1, usage, NULL, COMMAND("cifar10", ""));
    check_command(1, usage, NULL, COMMAND("cifar10", "a", "b"));
    check_command(1, usage, NULL, COMMAND("mnist", "a"));
    check_command(1, usage, NULL, COMMAND("sample", "a", "b", "--from=c"));
    check_command(1, usage, NULL, COMMAND("raw"));
    check_command(1, usage, NULL, COMMAND("raw", "a", "--from=c"));
    check_command(1, "lathe: data: unknown flag --form; did you mean --from?\n", NULL,
                  COMMAND("cifar10", "--form", "a"));
    check_command(1, "lathe: --from: want SOURCE behind it\n", NULL,
                  COMMAND("cifar10", "a", "--from"));
}
END_TEST

/* Three training images and one test image of 32 x 32 as sheets. */
static void write_small_set(void)
{
    static uint8_t pixels[4 * 3072];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7);
    ck_assert(rt_make_directories(in_folder("small")));
    ck_assert(
        picture_write(in_folder("small/data_batch_1.png"), &(Picture){1024, 3, pixels}));
    ck_assert(picture_write(in_folder("small/test_batch.png"),
                            &(Picture){1024, 1, pixels + 3 * 3072}));
    write_text(in_folder("small/train_lables.json"), "[0,0,1]");
    write_text(in_folder("small/test_lables.json"), "[2]");
}

START_TEST(wrong_sources)
{
    const char *counts =
        "lathe: %s: 3 training and 1 test images, CIFAR-10 has 50000 and 10000\n";
    char *small = path_of("small"), *to = path_of("to");
    write_small_set();
    check_command(1, counts, small, COMMAND("cifar10", "--from", small, to));
    check_command(1, counts, small, COMMAND("cifar10", small)); /* has sheets itself */
    check_command(1, "lathe: %s: No such file or directory\n", path_of("none"),
                  COMMAND("cifar10", to, "--from", path_of("none")));
    write_text(in_folder("file"), "x");
    check_command(1, "lathe: %s: want a folder\n", path_of("file"),
                  COMMAND("cifar10", path_of("file")));
    ck_assert_int_ne(access(to, F_OK), 0);
}
END_TEST

START_TEST(wrong_pixels)
{
    char *all = path_of("all"), *to = path_of("to");
    ck_assert(rt_make_directories(all));
    char *zeros = rt_alloc(10000 * 3073);
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "all/data_batch_%d.bin", i);
        write_bytes(in_folder(name), zeros, 10000 * 3073);
    }
    write_bytes(in_folder("all/test_batch.bin"), zeros, 10000 * 3073);
    free(zeros);
    check_command(1,
                  "lathe: %s: not CIFAR-10: as data_batch_1.bin its SHA-256 is not "
                  "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5\n",
                  all, COMMAND("cifar10", "--from", all, to));
    ck_assert_int_ne(access(to, F_OK), 0);
}
END_TEST

START_TEST(archives)
{
    char *to = path_of("to");
    Scratch scratch;
    write_small_set();
    ck_assert(scratch_begin(&scratch, in_folder("work")));
    ck_assert_int_eq(symlink(in_folder("small"), in_folder("package")), 0);
    char *archive = path_of("a.tgz"), *other = path_of("b.tgz");
    ck_assert(scratch_run(
        &scratch, "pack", NULL,
        (char *[]){"tar", "-czhf", archive, "-C", path_of("."), "package", NULL}));
    ck_assert(
        scratch_run(&scratch, "pack", NULL,
                    (char *[]){"tar", "-czf", other, "-C", path_of("."), "small", NULL}));
    scratch_end(&scratch);
    check_command(1, "lathe: %s: want folder package or cifar-10-batches-bin in it\n",
                  other, COMMAND("cifar10", "--from", other, to));

    char **argv = COMMAND("cifar10", "--from", archive, to); /* its images are found */
    ck_assert_int_eq(cmd_data(5, argv), 1);
    ck_assert_ptr_nonnull(strstr(rt_error(), "/package: 3 training and 1 test images"));
    ck_assert_int_ne(access(to, F_OK), 0);
}
END_TEST

START_TEST(sample_of_too_little)
{
    char *small = path_of("small");
    write_small_set();
    check_command(1, "lathe: %s: 2 training images of class airplane, want 400\n", small,
                  COMMAND("sample", small, path_of("sample")));
}
END_TEST

/* Chosen from the sample, the sample is the same again. */
START_TEST(sample_of_the_sample)
{
    ImageSet sets[2][2];
    const char *folders[2] = {"tests/sample", in_folder("made")};
    check_command(0, "", NULL, COMMAND("sample", "tests/sample", path_of("made")));
    for (int i = 0; i < 2; i++)
        ck_assert(data_load(
            folders[i], DATA_TRAIN | DATA_TEST,
            &(DataWant){.height = 32, .width = 32, .channels = 3, .classes = 10},
            &sets[i][0], &sets[i][1]));
    for (int part = 0; part < 2; part++) {
        const ImageSet *kept = &sets[0][part], *made = &sets[1][part];
        ck_assert_int_eq(made->count, kept->count);
        for (int i = 0; i < kept->count; i++)
            ck_assert_mem_eq(image_kept(made, i).pixels, image_kept(kept, i).pixels,
                             3072);
        ck_assert_mem_eq(made->labels, kept->labels,
                         (size_t)kept->count * sizeof(int32_t));
        data_free(&sets[0][part]);
        data_free(&sets[1][part]);
    }
    Picture frog;
    ck_assert(picture_read(in_folder("made/images/frog_0.png"), &frog));
    ck_assert(frog.width == 32 && frog.height == 32);
    picture_free(&frog);
}
END_TEST

static void check_printed(const char *wanted)
{
    fflush(stdout);
    char *text = rt_read_file(in_folder("out"), NULL);
    ck_assert_str_eq(text, wanted);
    free(text);
}

/* All of it is looked at, broken files or not. */
START_TEST(check_reports)
{
    static const char *const folders[] = {"d/train/cat", "d/train/dog", "d/val/dog"};
    for (int i = 0; i < 3; i++)
        ck_assert(rt_make_directories(in_folder(folders[i])));
    char *data = path_of("d");
    jpeg_write_smooth(in_folder("d/train/cat/1.jpg"), 20, 10, 1);
    jpeg_write_smooth(in_folder("d/train/dog/1.jpg"), 20, 10, 2);
    jpeg_write_smooth(in_folder("d/val/dog/2.jpg"), 20, 10, 1); /* a cat */
    jpeg_write_smooth(in_folder("d/val/dog/3.jpg"), 30, 10, 1);
    check_command(0, "", NULL, COMMAND("check", data));
    char *wanted = rt_format("2 pictures to train on, 2 to test, of 2 classes\n"
                             "     0  cat                            1       0\n"
                             "     1  dog                            1       2\n"
                             "3 of 20 x 10 pixels\n1 of 30 x 10 pixels\n"
                             "same: %s/train/cat/1.jpg = %s/val/dog/2.jpg\n",
                             data, data);
    check_printed(wanted);
    free(wanted);
    write_text(in_folder("d/train/dog/1.jpg"), "");
    check_command(1, "lathe: %s: 1 of 4 pictures are broken\n", data,
                  COMMAND("check", data));
    wanted = rt_read_file(in_folder("out"), NULL);
    ck_assert_ptr_nonnull(strstr(wanted, "dog/1.jpg: an empty file, want a JPEG or PNG"));
    ck_assert_ptr_nonnull(strstr(wanted, "2 of 20 x 10 pixels\n1 of 30 x 10"));
    free(wanted);
    check_command(1,
                  "lathe: %s: no pictures: want class folders, a .tar of them, or a .csv "
                  "of path,label\n",
                  path_of("none"), COMMAND("check", path_of("none")));
}
END_TEST

/* Pixels as they are in the file, one picture behind the other; or nothing at all. */
START_TEST(packs)
{
    char *data = path_of("d"), *pack = path_of("d.pack");
    ck_assert(rt_make_directories(in_folder("d/cat")));
    jpeg_write_smooth(in_folder("d/cat/1.jpg"), 400, 300, 1);
    jpeg_write_smooth(in_folder("d/cat/2.jpg"), 20, 10, 2);
    check_command(0, "", NULL, COMMAND("pack", "--side", "30", data, pack));
    char *wanted = rt_format("%s: 2 pictures, 0.0 MB\n", pack);
    check_printed(wanted); /* 40 x 30 and 20 x 10 */
    free(wanted);
    write_text(in_folder("d/cat/1.jpg"), "");
    check_command(1, "lathe: %s/cat/1.jpg: an empty file, want a JPEG or PNG picture\n",
                  data, COMMAND("pack", data, pack));
    check_command(0, "", NULL, COMMAND("pack", "--skip-broken", data, pack));
    check_command(1, "lathe: data: --side and --skip-broken are for pack DATA FILE\n",
                  NULL, COMMAND("check", data, "--skip-broken"));
}
END_TEST

START_TEST(raw)
{
    static const uint8_t pixels[2 * 3 * 3] = {255, 0, 1, 10, 13, 26, 128, 127, 129,
                                              2,   3, 4, 5,  6,  7,  8,   9,   0};
    char *wide = path_of("wide.png"), *tall = path_of("tall.png");
    ck_assert(picture_write(wide, &(Picture){3, 2, (uint8_t *)pixels}));
    ck_assert(picture_write(tall, &(Picture){2, 3, (uint8_t *)pixels}));
    size_t bytes;
    check_command(0, "", NULL, COMMAND("raw", wide, wide));
    char *written = rt_read_file(in_folder("out"), &bytes);
    ck_assert_uint_eq(bytes, 2 * sizeof pixels);
    ck_assert_mem_eq(written, pixels, sizeof pixels);
    ck_assert_mem_eq(written + sizeof pixels, pixels, sizeof pixels);
    free(written);

    /* one that is missing, or of another size than the first, stops no other */
    char *errors = rt_format("lathe: %s: No such file or directory\n"
                             "lathe: %s: 2 x 3 pixels, %s has 3 x 2\n"
                             "lathe: 2 of 4 pictures could not be read\n",
                             path_of("none"), tall, wide);
    check_command(1, errors, NULL, COMMAND("raw", path_of("none"), wide, tall, wide));
    free(rt_read_file(in_folder("out"), &bytes));
    ck_assert_uint_eq(bytes, 2 * sizeof pixels);
    free(errors);
}
END_TEST

/* With a config, of any size, and those after a broken one, too. */
START_TEST(raw_fits_pictures)
{
    char *config = rt_format("%s/configs/demo_cifar10.lua", lathe_root());
    char *wide = path_of("wide.jpg"), *small = path_of("small.jpg");
    jpeg_write_smooth(wide, 200, 100, 1);
    jpeg_write_smooth(small, 32, 32, 2);
    char *errors = rt_format("lathe: %s: No such file or directory\n"
                             "lathe: 1 of 3 pictures could not be read\n",
                             path_of("none"));
    check_command(1, errors, NULL, COMMAND("raw", config, wide, path_of("none"), small));
    size_t bytes;
    uint8_t *written = (uint8_t *)rt_read_file(in_folder("out"), &bytes);
    ck_assert_uint_eq(bytes, 2 * 3072);
    Picture picture;
    ck_assert(picture_read(small, &picture));
    ck_assert_mem_eq(written + 3072, picture.pixels, 3072);
    picture_free(&picture);
    free(written);
    free(errors);
    check_command(1, "lathe: data raw: no picture\n", NULL, COMMAND("raw", config));
    free(config);
}
END_TEST

START_TEST(the_real_set)
{
    char *from = getenv("LATHE_CIFAR10"), *to = path_of("to");
    if (from == NULL)
        return;
    check_command(0, "", NULL, COMMAND("cifar10", "--from", from, to));
    check_command(0, "", NULL, COMMAND("cifar10", to)); /* has it: no download */
    write_text(in_folder("to/test_batch.bin"), "damaged");
    check_command(0, "", NULL, COMMAND("cifar10", "--from", from, to));
    check_command(0, "", NULL, COMMAND("cifar10", to));
}
END_TEST

START_TEST(programs)
{
    Scratch scratch;
    ck_assert(scratch_begin(&scratch, in_folder("deep/er/name//")));
    char *folder = rt_format("%s", scratch.folder), *copy = rt_format("%s/copy", folder);
    ck_assert_ptr_eq(strstr(folder, in_folder("deep/er/name.tmp.")), folder);
    write_text(in_folder("input"), "some text");
    ck_assert(scratch_run(&scratch, "copy", in_folder("input"),
                          (char *[]){"sh", "-c", "cat > copy", NULL}));
    char *text = rt_read_file(copy, NULL);
    ck_assert_str_eq(text, "some text");
    ck_assert(
        !scratch_run(&scratch, "try", NULL, (char *[]){"sh", "-c", "exit 3", NULL}));
    check_error("%s: sh failed with status 3", "try");
    ck_assert(!scratch_run(&scratch, "try", NULL, (char *[]){"lathe-no-such", NULL}));
    check_error("%s: needs lathe-no-such, which is not installed: apt install "
                "lathe-no-such",
                "try");
    ck_assert(
        !scratch_run(&scratch, "try", NULL, (char *[]){"sh", "-c", "kill -9 $$", NULL}));
    check_error("%s: sh ended by signal 9", "try");
    ck_assert(!scratch_run(&scratch, "try", in_folder("none"), (char *[]){"true", NULL}));
    check_error("%s: No such file or directory", in_folder("none"));
    ck_assert(scratch_goes_on());
    scratch_end(&scratch);
    ck_assert_int_ne(access(folder, F_OK), 0);
    free(text);
    free(copy);
    free(folder);
}
END_TEST

START_TEST(signals)
{
    Scratch scratch;
    struct sigaction before;
    ck_assert_int_eq(sigaction(SIGTERM, NULL, &before), 0);
    ck_assert(scratch_begin(&scratch, in_folder("a")));
    char *kill_us = rt_format("kill -TERM %ld; sleep 60", (long)getpid());
    ck_assert(!scratch_run(&scratch, "try", NULL, (char *[]){"sh", "-c", kill_us, NULL}));
    check_error("%s by signal 15", "interrupted");
    ck_assert(!scratch_run(&scratch, "try", NULL, (char *[]){"sleep", "60", NULL}));
    rt_error_clear();
    ck_assert(!scratch_goes_on());
    rt_error_clear();
    scratch_end(&scratch);
    free(kill_us);

    ck_assert(scratch_begin(&scratch, in_folder("a"))); /* a new one starts afresh */
    ck_assert(scratch_goes_on());
    scratch_end(&scratch);
    struct sigaction after;
    ck_assert_int_eq(sigaction(SIGTERM, NULL, &after), 0);
    ck_assert(after.sa_handler == before.sa_handler);

    write_text(in_folder("file"), "");
    ck_assert(!scratch_begin(&scratch, in_folder("file/a")));
}
END_TEST

Suite *cmd_data_suite(void)
{
    Suite *suite = suite_create("cmd_data");
    TCase *tests = tcase_create("command");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, usage);
    tcase_add_test(tests, wrong_sources);
    tcase_add_test(tests, wrong_pixels);
    tcase_add_test(tests, archives);
    tcase_add_test(tests, sample_of_too_little);
    tcase_add_test(tests, sample_of_the_sample);
    tcase_add_test(tests, check_reports);
    tcase_add_test(tests, packs);
    tcase_add_test(tests, raw);
    tcase_add_test(tests, raw_fits_pictures);
    tcase_add_test(tests, the_real_set);
    tcase_add_test(tests, programs);
    tcase_add_test(tests, signals);
    suite_add_tcase(suite, tests);
    return suite;
}
