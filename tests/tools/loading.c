/* Loading pictures for tests: see loading.h. */
#include "tests/tools/loading.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/jpegs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

DataWant want = {
    .height = H, .width = W, .channels = 3, .classes = 2, .test_share = 0.25};
DataParts parts = DATA_TRAIN | DATA_TEST;
ImageSet train, test;

const char *path_below(const char *folder, const char *name)
{
    char *path = rt_format("%s/%s", folder, name);
    const char *kept = in_folder(path);
    free(path);
    return kept;
}

void add_picture(const char *folder, const char *name, int width, int height, int seed)
{
    const char *path = path_below(folder, name);
    char *parent = rt_format("%.*s", (int)(strrchr(path, '/') - path), path);
    ck_assert(rt_make_directories(parent));
    free(parent);
    jpeg_write_smooth(path, width, height, seed);
}

bool load_both(const char *path)
{
    return data_load(path, parts, &want, &train, &test);
}

void load_well(const char *path)
{
    ck_assert_msg(load_both(path), "%s", rt_error());
}

void free_both(void)
{
    data_free(&train);
    data_free(&test);
}

void check_fails(const char *path, const char *format, const char *named)
{
    ck_assert(!load_both(path));
    ck_assert_ptr_null(train.store);
    ck_assert_ptr_null(test.store);
    check_error(format, named);
}

void check_broken(const char *path, int i, const char *format, const char *named)
{
    uint8_t pixels[H * W * 4];
    PictureError error;
    load_well(path);
    ck_assert_int_eq(image_read(&train, i, pixels, &error), -1);
    image_fail(&train, i, &error);
    check_error(format, named);
    free_both();
}

const uint8_t *pixels_of(const ImageSet *set, int i)
{
    static uint8_t pixels[4][H * W * 4];
    static int next;
    uint8_t *to = pixels[next++ % 4];
    PictureError error;
    ck_assert_msg(image_read(set, i, to, &error) == i, "%s", error.text);
    return to;
}

const uint8_t *pixel(const ImageSet *set, int i, int y, int x)
{
    return pixels_of(set, i) + (y * W + x) * 3;
}

bool is_picture(const ImageSet *set, int i, int seed)
{
    for (int c = 0; c < 3; c++)
        if (abs(pixel(set, i, H / 2, W / 2)[c] -
                smooth_pixel(W, H, seed, H / 2, W / 2, c)) > 4)
            return false;
    return true;
}

void check_same(const ImageSet *a, const ImageSet *b)
{
    ck_assert_int_eq(a->count, b->count);
    ck_assert_mem_eq(a->labels, b->labels, (size_t)a->count * sizeof *a->labels);
    for (int i = 0; i < a->count; i++)
        ck_assert_mem_eq(pixels_of(a, i), pixels_of(b, i), H * W * 3);
}

void check_loads_alike(const char *path)
{
    ImageSet from_train = train, from_test = test;
    load_well(path);
    check_same(&train, &from_train);
    check_same(&test, &from_test);
    free_both();
    data_free(&from_train);
    data_free(&from_test);
}

const char *make_parts(void)
{
    add_picture("p", "train/cat/1.jpg", W, H, 0);
    add_picture("p", "train/cat/2.JPEG", 5 * W, 5 * H, 1);
    add_picture("p", "train/dog/deep/1.jpg", 2 * W, 2 * H, 2);
    add_picture("p", "val/cat/1.jpg", W, H, 3);
    add_picture("p", "val/dog/9.jpg", W, H, 4);
    write_text(in_folder("p/train/cat/notes.txt"), "no picture");
    write_text(in_folder("p/train/.hidden.jpg"), "");
    return in_folder("p");
}
