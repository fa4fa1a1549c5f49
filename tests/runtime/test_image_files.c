/* Images by lists and in the files of known data sets: .csv, MNIST's, CIFAR-100's,
 * NumPy's. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/loading.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* ---- Lists ---- */

START_TEST(lists)
{
    make_parts();
    const char *path = in_folder("p/all.csv");
    want.test_share = 0;
    parts = DATA_TRAIN;
    write_text(path,
               "path,label\r\ntrain/dog/deep/1.jpg,1\r\n\r\n\"val/cat/1.jpg\",\"0\"\n");
    load_well(path);
    ck_assert_int_eq(train.count, 2);
    ck_assert(is_picture(&train, 0, 2) && train.labels[0] == 1);
    ck_assert(is_picture(&train, 1, 3) && train.labels[1] == 0);
    free_both();
    write_text(path, "train/dog/deep/1.jpg,dog\nval/cat/1.jpg,cat");
    load_well(path);
    ck_assert(train.labels[0] == 1 && train.labels[1] == 0);
    free_both();
    parts = DATA_TRAIN | DATA_TEST;
    write_text(path, "train/dog/deep/1.jpg,0\nval/cat/1.jpg,1");
    check_fails(path, "%s: no images to test; data.test_share is 0", path);
    want.test_share = 1;
    check_fails(path, "%s: no images to train on; data.test_share is 1", path);
    write_text(in_folder("p/train.csv"), "train/dog/deep/1.jpg,dog\n");
    write_text(in_folder("p/val.csv"), "val/cat/1.jpg,cat\n");
    load_well(in_folder("p"));
    ck_assert(train.count == 1 && train.labels[0] == 1);
    ck_assert(test.count == 1 && test.labels[0] == 0 && is_picture(&test, 0, 3));
    free_both();
}
END_TEST

START_TEST(bad_lists)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "%s: no lines of path,label"},
        {"path,label\n", "%s: no lines of path,label"},
        {"a.jpg\n", "%s:1: want path,label"},
        {"path,label\na.jpg,\n", "%s:2: want path,label"},
        {"a.jpg,1,2\n", "%s:1: want path,label"},
        {"\"a.jpg,1\n", "%s:1: want path,label"},
        {"\"a\"b.jpg,1\n", "%s:1: want path,label"},
        {"a.jpg,2\n", "%s: label 2 of image 0, want 0..1"},
        {"a.jpg,0\nb.jpg,-1\n", "%s: label -1 of image 1, want 0..1"},
        {"a.jpg,cat\n", "%s: 1 classes, from cat to cat, the network has 2"},
    };
    make_parts();
    const char *path = in_folder("p/all.csv");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text(path, cases[i].text);
        check_fails(path, cases[i].message, path);
    }
    write_text(path, "train/cat/1.jpg,0\nnone.jpg,1\nval/cat/1.jpg,1\nnor.jpg,0\n");
    char *message = rt_format("%%s: 2 of 4 files are missing, the first is %s",
                              in_folder("p/none.jpg"));
    check_fails(path, message, path);
    free(message);
}
END_TEST

/* ---- Known data sets ---- */

static void write_idx(const char *name, int rank, int count, const uint8_t *values,
                      bool compressed)
{
    uint8_t head[16] = {0, 0, 8, (uint8_t)rank, 0, 0, 0, (uint8_t)count, 0, 0, 0, H, 0,
                        0, 0, W};
    size_t bytes = (size_t)count * (rank == 3 ? H * W : 1);
    gzFile file = gzopen(in_folder(name), compressed ? "wb" : "wbT");
    ck_assert_int_eq(gzwrite(file, head, 4 + 4 * (unsigned)rank), 4 + 4 * rank);
    ck_assert_int_eq(gzwrite(file, values, (unsigned)bytes), (int)bytes);
    ck_assert_int_eq(gzclose(file), Z_OK);
}

static uint8_t grey[3 * H * W];
static const uint8_t grey_labels[] = {1, 0, 1};

static void write_mnist(void)
{
    for (size_t i = 0; i < sizeof grey; i++)
        grey[i] = (uint8_t)random_bits(4, i);
    want.channels = 1;
    write_idx("train-images-idx3-ubyte.gz", 3, 3, grey, true);
    write_idx("train-labels-idx1-ubyte", 1, 3, grey_labels, false);
    write_idx("t10k-images.idx3-ubyte", 3, 2, grey + H * W, false);
    write_idx("t10k-labels.idx1-ubyte.gz", 1, 2, grey_labels + 1, true);
}

START_TEST(mnist)
{
    write_mnist();
    load_well(in_folder("."));
    ck_assert_int_eq(train.count, 3);
    ck_assert_int_eq(test.count, 2);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(train.labels[i], grey_labels[i]);
        ck_assert_mem_eq(image_kept(&train, i).pixels, grey + i * H * W, H * W);
    }
    ck_assert_mem_eq(image_kept(&test, 1).pixels, grey + 2 * H * W, H * W);
    ck_assert_int_eq(test.labels[0], 0);
    free_both();
}
END_TEST

START_TEST(bad_mnist)
{
    write_mnist();
    const char *folder = in_folder("."),
               *images = path_below(".", "train-images-idx3-ubyte");
    const char *labels = path_below(".", "train-labels-idx1-ubyte");
    static const uint8_t five[] = {1, 0, 5};
    write_idx("train-labels-idx1-ubyte", 1, 3, five, false);
    check_fails(folder, "%s: label 5 of image 2, want 0..1", labels);
    write_idx("train-labels-idx1-ubyte", 1, 2, five, false);
    check_fails(folder, "%s: 2 labels, want 3, one for each image", labels);
    ck_assert_int_eq(remove(labels), 0);
    check_fails(folder, "%s/train-labels-idx1-ubyte: missing, and with .gz", folder);
    write_idx("train-images-idx3-ubyte", 3, 3, grey, false);
    write_idx("train-labels-idx1-ubyte", 1, 3, grey_labels, false);
    ck_assert_int_eq(truncate(images, 16 + 2 * H * W), 0);
    check_fails(folder, "%s: ends early, want 3 images", images);
    ck_assert_int_eq(truncate(images, 16 + 4 * H * W), 0);
    check_fails(folder, "%s: more than its 3 images", images);
    write_text(images, "IDX");
    check_fails(folder, "%s: want an IDX file of bytes with 3 sizes", images);
    write_idx("train-images-idx3-ubyte", 3, 3, grey, false);
    want.height = 28;
    check_fails(folder, "%s: 3 images of 8 x 12 x 1, the network reads 28 x 12 x 1",
                images);
}
END_TEST

START_TEST(cifar_100)
{
    uint8_t file[2][2 + 3 * H * W];
    for (int i = 0; i < 2; i++) {
        memset(file[i], 10 * i, sizeof file[i]);
        file[i][0] = (uint8_t)(i + 3); /* coarse */
        file[i][1] = (uint8_t)(i + 70);
    }
    ck_assert(rt_make_directories(in_folder("cifar-100-binary")));
    write_bytes(in_folder("cifar-100-binary/train.bin"), file, sizeof file);
    write_bytes(in_folder("cifar-100-binary/test.bin"), file[1], sizeof file[1]);
    want.classes = 100;
    load_well(in_folder("."));
    ck_assert(train.count == 2 && train.labels[0] == 70 && train.labels[1] == 71);
    ck_assert(test.count == 1 && test.labels[0] == 71 && pixel(&test, 0, 1, 1)[2] == 10);
    free_both();
    want.classes = 20;
    load_well(in_folder("."));
    ck_assert(train.labels[0] == 3 && test.labels[0] == 4);
    free_both();
}
END_TEST

static void write_npy(const char *path, const char *header, const void *values,
                      size_t bytes)
{
    char head[128];
    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    memcpy(head + 10, header, strlen(header));
    head[127] = '\n';
    char *all = rt_alloc(128 + bytes);
    memcpy(all, head, 128);
    memcpy(all + 128, values, bytes);
    write_bytes(path, all, 128 + bytes);
    free(all);
}

START_TEST(numpy)
{
    static uint8_t pixels[4 * H * W * 3];
    static const int64_t labels[] = {0, 1, 0, 1};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)random_bits(8, i);
    const char *images = in_folder("images.npy");
    write_npy(images,
              "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 8, 12, 3), }",
              pixels, sizeof pixels);
    ck_assert(!data_has_labels(images));
    rt_error_clear();
    write_npy(in_folder("labels.npy"),
              "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }", labels,
              sizeof labels);
    ck_assert(data_has_labels(images));
    want.test_share = 0.5;
    for (int i = 0; i < 2; i++) {
        load_well(i ? in_folder(".") : images);
        ck_assert_int_eq(train.count, 2);
        ck_assert_int_eq(test.count, 2);
        ck_assert_int_eq(test.labels[0] + test.labels[1], 1);
        ck_assert(!test.unlabelled);
        free_both();
    }
    write_npy(in_folder("labels.npy"),
              "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", labels, 24);
    check_fails(images,
                "%s: want NumPy's array of 4 whole numbers, a label for each image",
                in_folder("labels.npy"));
}
END_TEST

Suite *image_files_suite(void)
{
    TCase *tests = tcase_create("files");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, bad_lists);
    tcase_add_test(tests, mnist);
    tcase_add_test(tests, bad_mnist);
    tcase_add_test(tests, cifar_100);
    tcase_add_test(tests, numpy);
    Suite *suite = suite_create("image_files");
    suite_add_tcase(suite, tests);
    return suite;
}
