/* Images as people have them: folders and archives give the same images and labels;
 * pictures become the network's size; what is wrong is named. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/data/augment.h"
#include "runtime/data/data.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"
#include "tests/tools/loading.h"
#include "tests/tools/tars.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(folders)
{
    load_well(make_parts());
    ck_assert_int_eq(train.count, 3);
    ck_assert_int_eq(test.count, 2);
    static const int32_t labels[] = {0, 0, 1};
    ck_assert_mem_eq(train.labels, labels, sizeof labels);
    ck_assert_mem_eq(test.labels, labels + 1, 2 * sizeof *labels);
    for (int i = 0; i < 3; i++)
        ck_assert(is_picture(&train, i, i));
    ck_assert(is_picture(&test, 0, 3) && is_picture(&test, 1, 4));
    free_both();
}
END_TEST

static void check_names(const ClassNames *names, const char *want_text)
{
    char *text = rt_format("%s", "");
    for (int i = 0; i < names->count; i++) {
        char *longer = rt_format("%s%s%s", text, i ? ", " : "", names->items[i]);
        free(text);
        text = longer;
    }
    ck_assert_str_eq(text, want_text);
    free(text);
}

/* Numbers go by the network's names, by classes.txt, or by order. */
START_TEST(numbers_of_classes)
{
    static const char *const names[] = {"dog", "cat"};
    const char *folder = make_parts();
    ClassNames found = {0};
    want.found = &found;
    want.class_names = names;
    load_well(folder);
    ck_assert_int_eq(found.count, 0); /* the network's are the names */
    ck_assert_int_eq(train.labels[0], 1);
    free_both();
    want.class_names = NULL;
    load_well(folder);
    check_names(&found, "cat, dog");
    free_both();
    want.classes = 3;
    write_text(in_folder("p/classes.txt"), "dog \t a dog, or two\r\nfox\ncat \n");
    load_well(folder);
    check_names(&found, "a dog, or two, fox, cat");
    ck_assert_int_eq(train.labels[0], 2);
    ck_assert_int_eq(train.labels[2], 0);
    free_both();
    write_text(in_folder("p/classes.txt"), "dog\nfox\ncow\n");
    check_fails(folder, "%s: class cat is not in classes.txt", folder);
    ck_assert_int_eq(remove(in_folder("p/classes.txt")), 0);
    check_fails(folder, "%s: 2 classes, from cat to dog, the network has 3", folder);
    want.found = NULL;
    class_names_free(&found);
}
END_TEST

/* Of each class the same share is for testing, the same each time; no image in both
 * parts. */
START_TEST(class_folders_are_split)
{
    for (int i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%02d.jpg", i < 8 ? "a" : "b", i);
        add_picture("one", name, W, H, i);
    }
    load_well(in_folder("one"));
    ck_assert_int_eq(train.count, 9);
    ck_assert_int_eq(test.count, 3);
    static const int32_t labels[] = {0, 0, 1};
    ck_assert_mem_eq(test.labels, labels, sizeof labels);
    ImageSet first = test, none;
    for (int i = 0; i < test.count; i++)
        for (int j = 0; j < train.count; j++)
            ck_assert_mem_ne(pixels_of(&test, i), pixels_of(&train, j), H * W * 3);
    ck_assert(data_load(in_folder("one"), DATA_TEST, &want, &none, &test));
    check_same(&first, &test);
    data_free(&first);
    free_both();
    want.test_share = 1;
    ck_assert(data_load(in_folder("one"), DATA_TEST, &want, &none, &test));
    ck_assert_int_eq(test.count, 12);
    free_both();
}
END_TEST

/* ---- Archives ---- */

static const char *const part_files[] = {"train/cat/1.jpg", "train/cat/2.JPEG",
                                         "train/dog/deep/1.jpg", "val/cat/1.jpg",
                                         "val/dog/9.jpg"};

/* Entries from last to first, in a folder around them all, one name too long for old
 * tars. */
static void write_tar(const char *path, const char *filter)
{
    struct archive *tar = tar_begin(path, filter);
    for (int i = 4; i >= 0; i--) {
        char name[300], folder[150];
        memset(folder, 'x', sizeof folder - 1);
        folder[sizeof folder - 1] = 0;
        snprintf(name, sizeof name, "./%s/%s", folder, part_files[i]);
        tar_put(tar, name, path_below("p", part_files[i]));
    }
    tar_end(tar);
}

START_TEST(archives_are_as_folders)
{
    load_well(make_parts());
    write_tar(in_folder("a.tar"), NULL);
    check_loads_alike(in_folder("a.tar"));
}
END_TEST

/* As ImageNet comes: an archive of one archive for each class. */
START_TEST(archives_in_archives)
{
    make_parts();
    for (int class = 0; class < 2; class ++) {
        struct archive *inner = tar_begin(in_folder(class ? "dog.tar" : "cat.tar"), NULL);
        for (int i = 0; i < 4; i++) {
            char name[16];
            snprintf(name, sizeof name, "%d.jpg", i);
            tar_put(inner, name, path_below("p", part_files[class * 2 + i % 2]));
        }
        tar_end(inner);
    }
    struct archive *tar = tar_begin(in_folder("a.tar"), NULL);
    tar_put(tar, "dog.tar", in_folder("dog.tar"));
    tar_put(tar, "cat.tar", in_folder("cat.tar"));
    tar_end(tar);
    load_well(in_folder("a.tar"));
    ck_assert_int_eq(train.count, 6);
    ck_assert_int_eq(test.count, 2);
    for (int i = 0; i < 6; i++)
        ck_assert(train.labels[i] == 0
                      ? is_picture(&train, i, 0) || is_picture(&train, i, 1)
                      : is_picture(&train, i, 2) || is_picture(&train, i, 3));
    free_both();
}
END_TEST

/* Whatever they are called: what they begin with says how they are compressed. */
START_TEST(compressed_archives_are_as_folders)
{
    static const struct {
        const char *name, *filter;
    } kinds[] = {{"a.tar.gz", "gzip"},
                 {"a.tgz", "zstd"},
                 {"a.tar.zst", NULL},
                 {"a.TAR.XZ", "xz"},
                 {"a.tar.bz2", "bzip2"}};
    load_well(make_parts());
    const char *path = in_folder(kinds[_i].name);
    write_tar(path, kinds[_i].filter);
    check_loads_alike(path);
    if (kinds[_i].filter == NULL)
        return;
    setenv("TMPDIR", in_folder("nowhere"), 1);
    char *message =
        rt_format("%%s: is compressed, and unpacked into a file in %s: No such "
                  "file or directory; TMPDIR names another folder, or unpack "
                  "it with tar",
                  in_folder("nowhere"));
    check_fails(path, message, path);
    free(message);
    setenv("TMPDIR", in_folder("."), 1);
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(truncate(path, status.st_size - 60), 0);
    ck_assert(!load_both(path));
    ck_assert_int_eq(strncmp(rt_error(), path, strlen(path)), 0);
    ck_assert_ptr_nonnull(strstr(rt_error(), ": a broken archive: "));
    rt_error_clear();
}
END_TEST

START_TEST(bad_archives)
{
    make_parts();
    const char *path = in_folder("a.tar");
    write_text(path, "no archive, but some text");
    check_fails(path, "%s: want a .tar archive: Unrecognized archive format", path);
    write_tar(in_folder("b.tar"), "gzip");
    struct archive *tar = tar_begin(path, NULL);
    tar_put(tar, "cat.tar", in_folder("b.tar"));
    tar_end(tar);
    check_fails(path,
                "%s: cat.tar: want a plain .tar archive: Unrecognized archive format",
                path);
    write_tar(path, NULL);
    ck_assert_int_eq(truncate(path, 3000), 0);
    ck_assert(!load_both(path));
    ck_assert_ptr_nonnull(strstr(rt_error(), path));
    rt_error_clear();
    write_text(path, "");
    check_fails(path, "%s: no pictures (.jpg, .jpeg, .png) in class folders", path);
}
END_TEST

/* ---- What is wrong with pictures and folders ---- */

START_TEST(bad_pictures)
{
    const char *folder = make_parts(), *path = in_folder("p/train/dog/bad.jpg");
    size_t bytes;
    char *whole = rt_read_file(in_folder("p/train/cat/2.JPEG"), &bytes);
    write_text(path, "");
    check_broken(folder, 2, "%s: an empty file, want a JPEG or PNG picture", path);
    write_text(path, "<html>");
    check_broken(folder, 2, "%s: want a JPEG or PNG picture", path);
    write_bytes(path, whole, bytes - 100);
    check_broken(folder, 2, "%s: a broken JPEG picture: Premature end of JPEG file",
                 path);
    free(whole);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(symlink("nowhere", path), 0);
    check_broken(folder, 2, "%s: No such file or directory", path);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(symlink("nowhere", in_folder("p/val/link")), 0);
    check_fails(folder, "%s: No such file or directory", in_folder("p/val/link"));
    ck_assert_int_eq(remove(in_folder("p/val/link")), 0);
    static const uint8_t huge[] = {/* the head of a PNG of 30,000 x 30,000 */
                                   0x89, 'P',  'N',  'G',  13,   10,   26,   10,   0,
                                   0,    0,    13,   'I',  'H',  'D',  'R',  0,    0,
                                   0x75, 0x30, 0,    0,    0x75, 0x30, 8,    2,    0,
                                   0,    0,    0xe9, 0x45, 0x6f, 0xed, 0,    0,    0,
                                   0,    'I',  'D',  'A',  'T',  0x35, 0xaf, 0x06, 0x1e};
    write_bytes(path, huge, sizeof huge);
    check_broken(folder, 2, "%s: 30000 x 30000 pixels, want at most 64 million", path);
    ck_assert_int_eq(remove(path), 0);
    want.resize = 7;
    path = in_folder("p/train/cat/1.jpg");
    check_broken(folder, 0,
                 "%s: 10 x 7 pixels by data.resize=7, want at least 12 x 8 and at most "
                 "64 million",
                 path);
}
END_TEST

/* A grey picture among colours is no fault. */
START_TEST(another_mode)
{
    static uint8_t grey[H * W];
    memset(grey, 99, sizeof grey);
    const char *folder = make_parts();
    jpeg_write(in_folder("p/train/cat/1.jpg"), &(JpegKind){W, H, 1, 0, 0}, grey);
    load_well(folder);
    for (int c = 0; c < 3; c++)
        ck_assert_int_le(abs(pixel(&train, 0, 2, 2)[c] - 99), 2);
    free_both();
}
END_TEST

START_TEST(bad_folders)
{
    const char *folder = make_parts();
    ck_assert_int_eq(mkdir(in_folder("p/train/fox"), 0700), 0);
    check_fails(folder, "%s: a class folder without pictures (.jpg, .jpeg, .png)",
                in_folder("p/train/fox"));
    ck_assert_int_eq(rmdir(in_folder("p/train/fox")), 0);
    add_picture("p", "train/stray.jpg", W, H, 1);
    check_fails(folder, "%s: a picture outside of the class folders",
                in_folder("p/train/stray.jpg"));
    ck_assert_int_eq(remove(in_folder("p/train/stray.jpg")), 0);
    ck_assert_int_eq(rename(in_folder("p/val"), in_folder("p/other")), 0);
    check_fails(folder, "%s: train has neither val nor test beside it", folder);
    ck_assert_int_eq(rename(in_folder("p/other"), in_folder("p/val")), 0);
    ck_assert_int_eq(rename(in_folder("p/train"), in_folder("p/other")), 0);
    check_fails(folder, "%s: val has no train beside it", folder);
    ck_assert_int_eq(rename(in_folder("p/other"), in_folder("p/train")), 0);
    ck_assert_int_eq(symlink("..", in_folder("p/train/cat/loop")), 0);
    check_fails(folder, "%s: a link to a folder that it is in",
                in_folder("p/train/cat/loop"));
}
END_TEST

/* ---- Random parts ---- */

/* Parts of the picture as it is, not resized: within it, of the area asked for, the same
 * for a key. */
START_TEST(random_parts)
{
    add_picture("p", "train/cat/1.jpg", 40, 40, 1);
    add_picture("p", "train/dog/1.jpg", 100, 10, 1);
    add_picture("p", "val/cat/1.jpg", 40, 40, 1);
    want.resize = 30;
    want.whole = true;
    load_well(in_folder("p"));
    Image kept, wide;
    PictureError error;
    ck_assert_int_eq(image_get(&train, 0, &kept, &error), 0);
    ck_assert_int_eq(image_get(&train, 1, &wide, &error), 1);
    ck_assert(kept.height == 40 && kept.width == 40);
    ck_assert(wide.height == 10 && wide.width == 100);
    uint8_t out[H * W * 3], again[H * W * 3], centre[H * W * 3];
    const uint8_t pad[4] = {0};
    Recipe recipe = {.area = 0.2, .ratio = 1.3333};
    int darkest = 255, brightest = 0;
    for (uint64_t key = 0; key < 300; key++) {
        augment(&train, &kept, &recipe, pad, key, out);
        augment(&train, &kept, &recipe, pad, key, again);
        ck_assert_mem_eq(out, again, sizeof out);
        int across = out[(H / 2 * W + W - 1) * 3] - out[H / 2 * W * 3];
        ck_assert_int_ge(across, 20); /* of 100: sqrt(0.2 / 1.3333) less a border of it */
        darkest = out[0] < darkest ? out[0] : darkest;
        brightest = out[W * 3 - 3] > brightest ? out[W * 3 - 3] : brightest;
        augment(&train, &wide, &recipe, pad, key, out);
    }
    ck_assert_int_lt(darkest, 35); /* of 27 to 127 */
    ck_assert_int_gt(brightest, 119);
    image_done(&kept);
    image_done(&wide);
    memcpy(centre, pixels_of(&train, 0), sizeof centre);
    free_both();
    want.whole = false;
    load_well(in_folder("p")); /* held out of either, an image is the same */
    ck_assert_mem_eq(centre, pixels_of(&train, 0), sizeof centre);
    free_both();
}
END_TEST

Suite *images_suite(void)
{
    TCase *tests = tcase_create("images");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, folders);
    tcase_add_test(tests, numbers_of_classes);
    tcase_add_test(tests, class_folders_are_split);
    tcase_add_test(tests, archives_are_as_folders);
    tcase_add_test(tests, archives_in_archives);
    tcase_add_loop_test(tests, compressed_archives_are_as_folders, 0, 5);
    tcase_add_test(tests, bad_archives);
    tcase_add_test(tests, bad_pictures);
    tcase_add_test(tests, another_mode);
    tcase_add_test(tests, bad_folders);
    tcase_add_test(tests, random_parts);
    Suite *suite = suite_create("images");
    suite_add_tcase(suite, tests);
    return suite;
}
