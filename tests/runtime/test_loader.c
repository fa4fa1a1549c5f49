/* Images decoded ahead by threads: what comes out is a function of seed, epoch and image
 * alone, from folders and archives alike; broken pictures end a run that can go on, or
 * are passed over. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/augment.h"
#include "runtime/data/loader.h"
#include "tests/tools/folder.h"
#include "tests/tools/loading.h"
#include "tests/tools/tars.h"
#include "tests/tools/trainer_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIXELS = H * W * 3, PICTURES = 30, TAKEN = 26, MOST = 5 };

static const Recipe changes = {
    .flip = true, .crop = 2, .cutout = 3, .area = 0.3, .ratio = 1.5};
static const uint8_t zero[4] = {7, 8, 9, 0};

/* PICTURES of three classes to train on, six to test. */
static void make_pictures(void)
{
    static const char *const classes[] = {"ant", "bee", "wasp"};
    for (int i = 0; i < PICTURES + 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%s/%02d.jpg", i < PICTURES ? "train" : "val",
                 classes[i % 3], i);
        add_picture("d", name, W + i, 2 * H + i % 5, i);
    }
}

/* What the loader is to give for a position: pixels and label. */
static void expect(const ImageSet *set, const Recipe *how, int image, uint64_t key,
                   uint8_t *pixels)
{
    PictureError error;
    Image kept;
    if (how == NULL) {
        ck_assert_int_eq(image_read(set, image, pixels, &error), image);
        return;
    }
    ck_assert_int_eq(image_get(set, image, &kept, &error), image);
    augment(set, &kept, how, zero, random_bits(key, (uint64_t)image), pixels);
    image_done(&kept);
}

/* From `first` on, in takes of 1 to MOST. */
static void check_order(const ImageSet *set, const Recipe *how, int decoders, int first)
{
    static uint8_t got[MOST * PIXELS], wanted[PIXELS];
    int order[PICTURES];
    int32_t labels[MOST];
    bool stand_ins[MOST];
    random_permutation(3, PICTURES, order);
    Loader *loader = loader_open(&(LoaderOptions){.set = set,
                                                  .recipe = how,
                                                  .zero_pixel = zero,
                                                  .most = MOST,
                                                  .decoders = decoders});
    loader_start(loader, NULL, 0, PICTURES, 5); /* left for another order */
    ck_assert(loader_take(loader, 0, 2, got, labels, NULL));
    loader_start(loader, order, first, TAKEN, 8);
    for (int at = first, count = 1; at < TAKEN; at += count, count = count % MOST + 1) {
        count = TAKEN - at < count ? TAKEN - at : count;
        ck_assert(loader_take(loader, at, count, got, labels, stand_ins));
        for (int i = 0; i < count; i++) {
            int image = order[at + i];
            expect(set, how, image, 8, wanted);
            ck_assert_mem_eq(got + i * PIXELS, wanted, PIXELS);
            ck_assert_int_eq(labels[i], set->labels[image]);
            ck_assert(!stand_ins[i]);
        }
    }
    loader_close(loader);
}

START_TEST(any_number_of_threads_keeps_the_order)
{
    make_pictures();
    want.classes = 3;
    for (int whole = 0; whole < 2; whole++) {
        want.whole = whole;
        load_well(in_folder("d"));
        for (int decoders = 1; decoders <= 7; decoders += 3)
            check_order(&train, whole ? &changes : NULL, decoders, 4 * (decoders - 1));
        free_both();
    }
}
END_TEST

/* ---- Broken pictures ---- */

/* Of this number in the training set. */
static const char *break_picture(int image)
{
    static const char *const classes[] = {"ant", "bee", "wasp"};
    char name[64];
    snprintf(name, sizeof name, "d/train/%s/%02d.jpg", classes[image / 10],
             image % 10 * 3 + image / 10);
    write_text(in_folder(name), "no picture");
    return in_folder(name);
}

START_TEST(the_first_broken_one_is_named)
{
    make_pictures();
    const char *sixth = break_picture(6);
    break_picture(7);
    want.classes = 3;
    load_well(in_folder("d"));
    uint8_t pixels[MOST * PIXELS];
    int32_t labels[MOST];
    for (int decoders = 1; decoders <= 4; decoders++) {
        Loader *loader = loader_open(
            &(LoaderOptions){.set = &train, .most = MOST, .decoders = decoders});
        loader_start(loader, NULL, 0, PICTURES, 0);
        ck_assert(loader_take(loader, 0, MOST, pixels, labels, NULL));
        ck_assert(!loader_take(loader, MOST, MOST, pixels, labels, NULL));
        check_error("%s: want a JPEG or PNG picture", sixth);
        loader_close(loader);
    }
    free_both();
}
END_TEST

/* The next that is whole stands in, with its own label, and is known as such. */
START_TEST(broken_ones_are_passed_over)
{
    make_pictures();
    break_picture(8);
    break_picture(9);
    break_picture(29);
    want.classes = 3;
    want.skip_broken = true;
    load_well(in_folder("d"));
    uint8_t pixels[PIXELS], wanted[PIXELS];
    int32_t label;
    bool stands_in;
    Loader *loader = loader_open(&(LoaderOptions){.set = &train, .most = 1});
    loader_start(loader, NULL, 0, PICTURES, 0);
    for (int i = 0; i < PICTURES; i++) {
        int found = i == 8 || i == 9 ? 10 : i == 29 ? 0 : i;
        ck_assert(loader_take(loader, i, 1, pixels, &label, &stands_in));
        expect(&train, NULL, found, 0, wanted);
        ck_assert_mem_eq(pixels, wanted, PIXELS);
        ck_assert(label == train.labels[found] && stands_in == (found != i));
    }
    loader_close(loader);
    free_both();
}
END_TEST

START_TEST(all_broken)
{
    make_pictures();
    want.classes = 3;
    want.skip_broken = true;
    for (int i = 0; i < PICTURES; i++)
        break_picture(i);
    uint8_t pixels[PIXELS];
    PictureError error;
    load_well(in_folder("d"));
    ck_assert_int_eq(image_read(&train, 3, pixels, &error), -1);
    ck_assert_str_eq(error.text, "want a JPEG or PNG picture");
    free_both();
}
END_TEST

/* ---- Whole runs ---- */

/* The same weights from a folder and an archive, for any number of threads, stopped
 * within an epoch and resumed. */
START_TEST(the_same_run_from_folder_and_archive)
{
    static const double areas[] = {0, 0.3};
    const char *folder = in_folder("d"), *tar = in_folder("d.tar");
    make_pictures();
    tar_folder(folder, tar);
    recipe.held_out = 3;
    recipe.batch = 7; /* in passes of 4 */
    recipe.area = areas[_i];
    recipe.ratio = 1.5;
    ck_assert_int_eq(RUN("--data", folder, "-o", in_folder("a"), "--threads", "1"), 0);
    ck_assert_int_eq(RUN("--data", tar, "-o", in_folder("b"), "--steps", "4"), 0);
    ck_assert_ptr_nonnull(strstr(printed, "\nstopped at epoch 2 step 1;"));
    ck_assert_int_eq(
        RUN("--data", tar, "-o", in_folder("b"), "--resume", "--threads", "5"), 0);
    check_same_values("a/last.ckpt", "", "b/last.ckpt", "");
    check_same_values("a/best.ckpt", "", "b/best.ckpt", "");
}
END_TEST

/* It stops as if asked to, before the step of the broken one, and goes on from there. */
START_TEST(a_broken_picture_loses_nothing)
{
    make_pictures();
    recipe.batch = 7;
    recipe.held_out = 0;
    const char *folder = in_folder("d");
    ck_assert_int_eq(RUN("--data", folder, "-o", in_folder("a")), 0);
    const char *path = in_folder("d/train/bee/13.jpg");
    size_t bytes;
    char *whole = rt_read_file(path, &bytes);
    write_bytes(path, whole, bytes - 20);
    check_complaint_about(RUN("--data", folder, "-o", in_folder("b")), path,
                          "a broken JPEG picture: Premature end of JPEG file");
    ck_assert_ptr_nonnull(strstr(printed, "; continue with --resume\n"));
    write_bytes(path, whole, bytes);
    free(whole);
    ck_assert_int_eq(RUN("--data", folder, "-o", in_folder("b"), "--resume"), 0);
    check_same_run("a", "b");
}
END_TEST

START_TEST(a_run_tells_what_it_passed_over)
{
    make_pictures();
    break_picture(3);
    break_picture(12);
    write_text(in_folder("d/val/wasp/35.jpg"), "");
    model.skip_broken = true;
    ck_assert_int_eq(RUN("--data", in_folder("d"), "-o", in_folder("a")), 0);
    char *line = rt_format("%s: 3 broken pictures left out: train/ant/09.jpg, "
                           "train/bee/07.jpg, val/wasp/35.jpg\n",
                           in_folder("d"));
    ck_assert_str_eq(complained, line);
    free(line);
    ck_assert_ptr_nonnull(strstr(printed, "/5) with the weights"));
    ck_assert_int_eq(
        RUN("eval", "--data", in_folder("d"), "--weights", in_folder("a/best.ckpt")), 0);
    ck_assert_ptr_nonnull(strstr(complained, ": 1 broken picture left out: val/wasp/"));
    ck_assert_ptr_nonnull(strstr(printed, "/5)\n"));
}
END_TEST

Suite *loader_suite(void)
{
    TCase *tests = tcase_create("loader");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, any_number_of_threads_keeps_the_order);
    tcase_add_test(tests, the_first_broken_one_is_named);
    tcase_add_test(tests, broken_ones_are_passed_over);
    tcase_add_test(tests, all_broken);
    tcase_add_loop_test(tests, the_same_run_from_folder_and_archive, 0, 2);
    tcase_add_test(tests, a_broken_picture_loses_nothing);
    tcase_add_test(tests, a_run_tells_what_it_passed_over);
    Suite *suite = suite_create("loader");
    suite_add_tcase(suite, tests);
    return suite;
}
