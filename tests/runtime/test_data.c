/* Data sets: the three forms load the same, every bad input gets its message; the split.
 */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/draw/picture.h"
#include "tests/tools/folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMS                                                                            \
    "random:COUNT; a pack that `lathe data pack` made; a .tar of class folders; "        \
    "a .csv of path,label; images.npy with "                                             \
    "labels.npy, or an .npz of both; CIFAR-10's data_batch_1.bin and test_batch.bin; "   \
    "CIFAR-100's train.bin and test.bin; PNG sheets data_batch_1.png and "               \
    "test_batch.png; MNIST's train-images-idx3-ubyte and its like; train/CLASS/*.jpg "   \
    "with val or test beside it; CLASS/*.jpg"

/* Not square: an exchange of height and width shows. */
enum { H = 4, W = 6, C = 3, CLASSES = 10, PIXELS = H * W * C, TRAIN = 5, TEST = 4 };

static uint8_t train_pixels[TRAIN * PIXELS], test_pixels[TEST * PIXELS];
static int32_t train_labels[TRAIN] = {7, 0, 9, 3, 3}, test_labels[TEST] = {1, 9, 0, 5};
static const DataWant wanted = {
    .height = H, .width = W, .channels = C, .classes = CLASSES};
static const DataWant grey = {.height = H, .width = W, .channels = 1, .classes = CLASSES};
static ImageSet train, test;

static void fill_pixels(void)
{
    folder_make();
    for (size_t i = 0; i < sizeof train_pixels; i++)
        train_pixels[i] = (uint8_t)random_bits(1, i);
    for (size_t i = 0; i < sizeof test_pixels; i++)
        test_pixels[i] = (uint8_t)random_bits(2, i);
    train = test = (ImageSet){0};
}

static bool load(const char *folder, DataParts parts)
{
    return data_load(folder, parts, &wanted, &train, &test);
}

static void free_both(void)
{
    data_free(&train);
    data_free(&test);
}

static void check_fails(const char *folder, DataParts parts, const char *message,
                        const char *path)
{
    ck_assert(!load(folder, parts));
    check_error(message, path);
    ck_assert_ptr_null(train.store);
    ck_assert_ptr_null(train.labels);
    ck_assert_ptr_null(test.store);
    ck_assert_ptr_null(test.labels);
}

static void write_records(const char *path, const uint8_t *pixels, const int32_t *labels,
                          int count)
{
    uint8_t file[TRAIN * (1 + PIXELS)], *to = file;
    for (int i = 0; i < count; i++) {
        *to++ = (uint8_t)labels[i];
        for (int c = 0; c < C; c++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    *to++ = pixels[((i * H + y) * W + x) * C + c];
    }
    write_bytes(path, file, (size_t)(to - file));
}

static void write_official(const char *folder)
{
    char path[300];
    ck_assert(rt_make_directories(folder));
    snprintf(path, sizeof path, "%s/data_batch_1.bin", folder);
    write_records(path, train_pixels, train_labels, 3);
    snprintf(path, sizeof path, "%s/data_batch_2.bin", folder);
    write_records(path, train_pixels + 3 * PIXELS, train_labels + 3, 2);
    snprintf(path, sizeof path, "%s/test_batch.bin", folder);
    write_records(path, test_pixels, test_labels, TEST);
}

static void write_sheets(const char *folder, const char *spelling)
{
    char path[300];
    ck_assert(rt_make_directories(folder));
    snprintf(path, sizeof path, "%s/data_batch_1.png", folder);
    ck_assert(picture_write(path, &(Picture){H * W, 3, train_pixels}));
    snprintf(path, sizeof path, "%s/data_batch_2.png", folder);
    ck_assert(picture_write(path, &(Picture){H * W, 2, train_pixels + 3 * PIXELS}));
    snprintf(path, sizeof path, "%s/test_batch.png", folder);
    ck_assert(picture_write(path, &(Picture){H * W, TEST, test_pixels}));
    snprintf(path, sizeof path, "%s/train_%s.json", folder, spelling);
    write_text(path, "[7,0,9,3,3]");
    snprintf(path, sizeof path, "%s/test_%s.json", folder, spelling);
    write_text(path, " [ 1 ,\n9,\t0, 5 ]\r\n");
}

static void check_set(const ImageSet *set, int count, const uint8_t *pixels,
                      const int32_t *labels)
{
    ck_assert_int_eq(set->count, count);
    ck_assert_int_eq(set->height, H);
    ck_assert_int_eq(set->width, W);
    ck_assert_int_eq(set->channels, C);
    for (int i = 0; i < count; i++)
        ck_assert_mem_eq(image_kept(set, i).pixels, pixels + i * PIXELS, PIXELS);
    ck_assert_mem_eq(set->labels, labels, (size_t)count * sizeof *labels);
}

START_TEST(forms_load_the_same)
{
    write_official(in_folder("plain"));
    write_official(in_folder("outer/cifar-10-batches-bin"));
    write_sheets(in_folder("sheets"), "lables");
    write_sheets(in_folder("spelled"), "labels");
    static const char *const forms[] = {"plain", "outer", "sheets", "spelled"};
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(load(in_folder(forms[i]), DATA_TRAIN | DATA_TEST), "%s",
                      rt_error());
        check_set(&train, TRAIN, train_pixels, train_labels);
        check_set(&test, TEST, test_pixels, test_labels);
        free_both();
    }
}
END_TEST

START_TEST(only_wanted_parts_are_read)
{
    write_official(in_folder("a"));
    ck_assert_int_eq(remove(in_folder("a/test_batch.bin")), 0);
    ck_assert(load(in_folder("a"), DATA_TRAIN));
    check_set(&train, TRAIN, train_pixels, train_labels);
    ck_assert_int_eq(test.count, 0);
    ck_assert_ptr_null(test.store);
    free_both();
    check_fails(in_folder("a"), DATA_TRAIN | DATA_TEST, "%s: missing",
                in_folder("a/test_batch.bin"));

    write_sheets(in_folder("b"), "lables");
    ck_assert_int_eq(remove(in_folder("b/data_batch_1.png")), 0);
    ck_assert_int_eq(remove(in_folder("b/data_batch_2.png")), 0);
    ck_assert(load(in_folder("b"), DATA_TEST));
    check_set(&test, TEST, test_pixels, test_labels);
    ck_assert_int_eq(train.count, 0);
    free_both();
    check_fails(in_folder("b"), DATA_TRAIN, "%s: missing",
                in_folder("b/data_batch_1.png"));
}
END_TEST

START_TEST(bad_folders)
{
    const char *path = in_folder("none");
    char *message = rt_format("%%s: no such file or folder: want one of: " FORMS
                              ". `lathe data cifar10 %s` makes a folder of CIFAR-10",
                              path);
    check_fails(path, DATA_TRAIN, message, path);
    free(message);
    write_text(path, "a file");
    check_fails(path, DATA_TRAIN, "%s: no images: want one of: " FORMS, path);
    path = in_folder("empty");
    ck_assert(rt_make_directories(path));
    check_fails(path, DATA_TRAIN, "%s: no images: want one of: " FORMS, path);
}
END_TEST

START_TEST(bad_records)
{
    static const char zeros[2 * (1 + PIXELS)];
    const char *folder = in_folder("a"), *path = in_folder("a/data_batch_1.bin");
    write_official(folder);
    write_bytes(path, zeros, 1 + PIXELS + 17);
    check_fails(folder, DATA_TRAIN,
                "%s: 90 bytes, want a multiple of 73 (a label and 3 planes of 4 x 6)",
                path);
    write_bytes(path, zeros, 0);
    check_fails(folder, DATA_TRAIN,
                "%s: 0 bytes, want a multiple of 73 (a label and 3 planes of 4 x 6)",
                path);
    int32_t wrong[] = {0, 9, 10};
    write_records(path, train_pixels, wrong, 3);
    check_fails(folder, DATA_TRAIN, "%s: label 10 of image 2, want 0..9", path);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    check_fails(folder, DATA_TRAIN, "%s: Is a directory", path);
    ck_assert_int_eq(remove(path), 0);
    path = in_folder("a/data_batch_2.bin");
    check_fails(folder, DATA_TRAIN, "%s: data_batch_1.bin before it is missing", path);
}
END_TEST

START_TEST(bad_sheets)
{
    const char *folder = in_folder("a"), *path = in_folder("a/data_batch_2.png");
    write_sheets(folder, "lables");
    ck_assert(picture_write(path, &(Picture){H * W - 1, 2, train_pixels}));
    check_fails(folder, DATA_TRAIN,
                "%s: rows of 23 RGB pixels, want 4 x 6 = 24 of 3 channels", path);
    write_text(path, "text that is no picture");
    check_fails(folder, DATA_TRAIN, "%s: want a JPEG or PNG picture", path);
    ck_assert(!data_load(folder, DATA_TEST, &grey, &train, &test));
    check_error("%s: rows of 24 RGB pixels, want 4 x 6 = 24 of 1 channels",
                in_folder("a/test_batch.png"));
    ck_assert_int_eq(remove(in_folder("a/test_lables.json")), 0);
    check_fails(folder, DATA_TEST, "%s: No such file or directory",
                in_folder("a/test_lables.json"));
}
END_TEST

START_TEST(bad_label_files)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "%s: byte 0: want a JSON array of class numbers"},
        {"[]", "%s: byte 0: want a JSON array of class numbers"},
        {"{1}", "%s: byte 0: want a JSON array of class numbers"},
        {"[1,9,0,5", "%s: byte 8: want a JSON array of class numbers"},
        {"[1,9 0,5]", "%s: byte 5: want a JSON array of class numbers"},
        {"[1,9,,5]", "%s: byte 4: want a JSON array of class numbers"},
        {"[1,9.0,0,5]", "%s: byte 4: want a JSON array of class numbers"},
        {"[1,\"9\"]", "%s: byte 2: want a JSON array of class numbers"},
        {"[1,9,0,5] 6", "%s: byte 8: want a JSON array of class numbers"},
        {"[1,9,0]", "%s: 3 labels, want 4, one for each image"},
        {"[1,9,0,5,5]", "%s: 5 labels, want 4, one for each image"},
        {"[1,9,0,10]", "%s: label 10 of image 3, want 0..9"},
        {"[1,-1,0,1]", "%s: label -1 of image 1, want 0..9"},
        {"[1,9,4294967296,1]", "%s: label 4294967296 of image 2, want 0..9"},
    };
    write_sheets(in_folder("a"), "lables");
    const char *path = in_folder("a/test_lables.json");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(path, cases[i].text);
        check_fails(in_folder("a"), DATA_TEST, cases[i].message, path);
    }
}
END_TEST

START_TEST(random_sets)
{
    ImageSet again, unused;
    ck_assert(load("random:50:3", DATA_TRAIN | DATA_TEST));
    ck_assert_int_eq(train.count, 50);
    ck_assert_int_eq(test.count, 50);
    uint8_t first[50 * PIXELS], other[50 * PIXELS];
    memcpy(first, image_kept(&train, 0).pixels, sizeof first);
    memcpy(other, image_kept(&test, 0).pixels, sizeof other);
    ck_assert_mem_ne(first, other, sizeof first);
    bool seen[CLASSES] = {false};
    for (int i = 0; i < 50; i++) {
        ck_assert_int_ge(train.labels[i], 0);
        ck_assert_int_lt(train.labels[i], CLASSES);
        seen[train.labels[i]] = true;
    }
    for (int i = 0; i < CLASSES; i++)
        ck_assert(seen[i]);
    ck_assert(data_load("random:50:3", DATA_TRAIN, &wanted, &again, &unused));
    check_set(&again, 50, first, train.labels);
    ck_assert_int_eq(unused.count, 0);
    data_free(&again);
    ck_assert(data_load("random:50", DATA_TRAIN, &wanted, &again, &unused));
    ck_assert_mem_ne(image_kept(&again, 0).pixels, first, sizeof first);
    data_free(&again);
    free_both();
}
END_TEST

START_TEST(bad_random_sets)
{
    static const char *const bad[] = {
        "random:",     "random:0",   "random:-3",   "random:12x",         "random: 5",
        "random:5:",   "random:5:x", "random:5:-1", "random:99999999999", "random::5",
        "random:5:1:", "random:+5",  "random:5: 1", "random:10000001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_fails(bad[i], DATA_TRAIN | DATA_TEST,
                    "%s: want random:COUNT or random:COUNT:SEED, COUNT 1..10000000",
                    bad[i]);
}
END_TEST

/* Image i is i everywhere, so that what was moved where shows. */
static void numbered(int count)
{
    train = (ImageSet){.height = H, .width = W, .channels = C};
    uint8_t *pixels = image_set_add(&train, "numbered", (size_t)count);
    for (int i = 0; i < count; i++) {
        memset(pixels + i * PIXELS, i, PIXELS);
        train.labels[i] = i;
    }
}

static void check_increasing(const ImageSet *set, bool *seen)
{
    for (int i = 0; i < set->count; i++) {
        ck_assert(i == 0 || set->labels[i] > set->labels[i - 1]);
        ck_assert(!seen[set->labels[i]]);
        seen[set->labels[i]] = true;
        for (int p = 0; p < PIXELS; p++)
            ck_assert_int_eq(image_kept(set, i).pixels[p], set->labels[i]);
    }
}

START_TEST(hold_out_splits)
{
    int32_t first[20];
    for (uint64_t seed = 1; seed <= 3; seed++) { /* the first one twice */
        ImageSet held;
        bool seen[60] = {false};
        numbered(60);
        ck_assert(data_hold_out(&train, 20, seed / 2, &held));
        ck_assert_int_eq(train.count, 40);
        ck_assert_int_eq(held.count, 20);
        ck_assert_int_eq(held.height, H);
        ck_assert_int_eq(held.width, W);
        ck_assert_int_eq(held.channels, C);
        check_increasing(&train, seen);
        check_increasing(&held, seen);
        if (seed == 1)
            memcpy(first, held.labels, sizeof first);
        ck_assert_int_eq(memcmp(first, held.labels, sizeof first) == 0, seed / 2 == 0);
        data_free(&held);
        free_both();
    }
}
END_TEST

/* A chosen set reads the same pixels, a copy its own; each outlives the one it
 * came of. */
START_TEST(chosen_and_copied)
{
    static const int which[] = {5, 0, 5, 2};
    numbered(6);
    ImageSet chosen = image_set_select(&train, which, 4);
    ImageSet copy;
    ck_assert(image_set_copy(&chosen, which + 1, 1, &copy));
    ck_assert_ptr_eq(image_kept(&chosen, 1).pixels, image_kept(&train, 0).pixels);
    ck_assert_ptr_ne(image_kept(&copy, 0).pixels, image_kept(&train, 5).pixels);
    data_free(&train);
    for (int i = 0; i < 4; i++) {
        uint8_t pixels[PIXELS];
        PictureError error;
        ck_assert_int_eq(image_read(&chosen, i, pixels, &error), i);
        ck_assert_int_eq(chosen.labels[i], which[i]);
        ck_assert_int_eq(pixels[0], which[i]);
        ck_assert_int_eq(pixels[PIXELS - 1], which[i]);
    }
    data_free(&chosen);
    ck_assert_int_eq(copy.count, 1);
    ck_assert_int_eq(copy.labels[0], 5);
    ck_assert_int_eq(image_kept(&copy, 0).pixels[3], 5);
    data_free(&copy);
}
END_TEST

START_TEST(hold_out_edges)
{
    ImageSet held;
    numbered(60);
    ck_assert(data_hold_out(&train, 0, 1, &held));
    ck_assert_int_eq(held.count, 0);
    ck_assert_int_eq(train.count, 60);
    data_free(&held);
    ck_assert(!data_hold_out(&train, 60, 1, &held));
    ck_assert_str_eq(rt_error(), "60 training images held out of 60, want 0..59");
    rt_error_clear();
    ck_assert(!data_hold_out(&train, -1, 1, &held));
    ck_assert_str_eq(rt_error(), "-1 training images held out of 60, want 0..59");
    ck_assert_int_eq(train.count, 60);
    ck_assert_ptr_null(held.store);
    ck_assert(data_hold_out(&train, 59, 1, &held) && train.count == 1);
    data_free(&held);
    free_both();
}
END_TEST

START_TEST(repository_sample)
{
    ck_assert_msg(
        data_load("tests/sample", DATA_TRAIN | DATA_TEST,
                  &(DataWant){.height = 32, .width = 32, .channels = 3, .classes = 10},
                  &train, &test),
        "%s (run from the top folder)", rt_error());
    ck_assert_int_eq(train.count, 4000);
    ck_assert_int_eq(test.count, 1000);
    for (int i = 0; i < train.count; i++)
        ck_assert_int_eq(train.labels[i], i % 10);
    Picture cat;
    ck_assert(picture_read("tests/sample/images/cat_0.png", &cat));
    ck_assert_int_eq(test.labels[0], 3);
    ck_assert_int_eq(cat.width, 32);
    ck_assert_int_eq(cat.height, 32);
    ck_assert_mem_eq(cat.pixels, image_kept(&test, 0).pixels, 3072);
    picture_free(&cat);
    free_both();
}
END_TEST

/* What never ends is refused before it is read, and nobody waits for a pipe's writer. */
START_TEST(devices_are_no_files)
{
    static const char *const names[] = {"device", "pipe", "link"};
    const char *path = in_folder(names[_i]);
    if (_i == 0)
        path = "/dev/zero";
    else if (_i == 1)
        ck_assert_int_eq(mkfifo(path, 0666), 0);
    else
        ck_assert_int_eq(symlink("/dev/zero", path), 0);
    ck_assert_ptr_null(rt_read_file(path, NULL));
    check_error("%s: not a regular file", path);
    rt_error_clear();
    const char *batch = in_folder("test_batch.bin");
    ck_assert_int_eq(symlink(path, batch), 0);
    ImageSet train, test;
    ck_assert(
        !data_load(in_folder("."), DATA_TEST,
                   &(DataWant){.height = 2, .width = 2, .channels = 3, .classes = 10},
                   &train, &test));
    ck_assert_ptr_nonnull(strstr(rt_error(), "test_batch.bin: not a regular file"));
}
END_TEST

Suite *data_suite(void)
{
    Suite *suite = suite_create("data");
    TCase *tests = tcase_create("loading");
    tcase_add_checked_fixture(tests, fill_pixels, folder_remove);
    tcase_add_loop_test(tests, devices_are_no_files, 0, 3);
    tcase_add_test(tests, forms_load_the_same);
    tcase_add_test(tests, only_wanted_parts_are_read);
    tcase_add_test(tests, bad_folders);
    tcase_add_test(tests, bad_records);
    tcase_add_test(tests, bad_sheets);
    tcase_add_test(tests, bad_label_files);
    tcase_add_test(tests, random_sets);
    tcase_add_test(tests, bad_random_sets);
    tcase_add_test(tests, hold_out_splits);
    tcase_add_test(tests, chosen_and_copied);
    tcase_add_test(tests, hold_out_edges);
    tcase_add_test(tests, repository_sample);
    suite_add_tcase(suite, tests);
    return suite;
}
