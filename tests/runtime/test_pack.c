/* Packs: what comes of them is what comes of the folder, to the bit; making one goes on
 * where it was cut off; what is damaged is named. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/data/pack.h"
#include "runtime/data/pack_file.h"
#include "tests/tools/folder.h"
#include "tests/tools/loading.h"
#include "tests/tools/tars.h"
#include "tests/tools/trainer_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void pack_well(const char *data, const char *name, int side, bool skip)
{
    ck_assert_msg(data_pack(data, in_folder(name), side, skip), "%s", rt_error());
}

/* Without what it prints. */
static void prepare(void)
{
    trainer_prepare();
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
}

START_TEST(a_pack_is_as_its_folder)
{
    const char *folder = make_parts();
    write_text(in_folder("p/classes.txt"), "dog\ncat\n");
    tar_folder(folder, in_folder("p.tar"));
    pack_well(folder, "a.pack", 1000, false);
    pack_well(in_folder("p.tar"), "b.pack", 1000, false);
    check_same_bytes(in_folder("a.pack"), in_folder("b.pack"));
    for (int resize = 0; resize <= 20; resize += 20) {
        want.resize = resize;
        load_well(folder);
        ck_assert_int_eq(train.labels[0], 1);
        check_loads_alike(in_folder("a.pack"));
    }
}
END_TEST

/* Made at the size that the run wants. */
START_TEST(a_resized_pack_is_as_its_folder)
{
    const char *folder = make_parts();
    want.resize = 9;
    pack_well(folder, "a.pack", 9, false);
    load_well(folder);
    check_loads_alike(in_folder("a.pack"));
}
END_TEST

/* In the order of the lines, which is none of names, with the labels that they say; to
 * train and to test as the files do. */
static const char *const lists[][2] = {
    {"path,label\nval/dog/9.jpg,1\ntrain/cat/2.JPEG,0\n\"train/dog/deep/1.jpg\",1\n"
     "val/cat/1.jpg,0\ntrain/cat/1.jpg,0\nval/../val/cat/1.jpg,1\n"},
    {"val/dog/9.jpg,dog\ntrain/cat/2.JPEG,cat\ntrain/dog/deep/1.jpg,dog\n"
     "val/cat/1.jpg,cat\ntrain/cat/1.jpg,cat"},
    {"train/dog/deep/1.jpg,1\ntrain/cat/1.jpg,0\n", "val/dog/9.jpg,1\nval/cat/1.jpg,0\n"},
};

START_TEST(a_pack_of_rows_is_as_its_files)
{
    const char *folder = make_parts(), *pack = in_folder("a.pack");
    bool two = lists[_i][1] != NULL;
    const char *data = two ? folder : in_folder("p/all.csv");
    write_text(two ? in_folder("p/train.csv") : data, lists[_i][0]);
    if (two)
        write_text(in_folder("p/val.csv"), lists[_i][1]);
    pack_well(data, "a.pack", 1000, false);
    load_well(data);
    ck_assert_int_eq(train.count + test.count, 6 - _i);
    check_loads_alike(pack);
    size_t bytes;
    char *whole = rt_read_file(pack, &bytes);
    char *line = memmem(whole, bytes, lists[_i][0] + 2, 20);
    ck_assert_ptr_nonnull(line);
    memcpy(line + 10, "\n0,0", 4);
    write_bytes(pack, whole, bytes);
    ck_assert(!load_both(pack));
    ck_assert_ptr_nonnull(strstr(rt_error(), "a.pack: "));
    rt_error_clear();
    free(whole);
}
END_TEST

START_TEST(the_same_run_from_a_pack)
{
    static const char *const names[] = {"ant", "bee", "wasp"};
    for (int i = 0; i < 36; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%s/%02d.jpg", i < 30 ? "train" : "val",
                 names[i % 3], i);
        add_picture("d", name, W + i, 2 * H + i % 5, i);
    }
    recipe.held_out = 3;
    recipe.batch = 7;
    pack_well(in_folder("d"), "d.pack", 2, false); /* the network's images are 2 x 2 */
    ck_assert_int_eq(RUN("--data", in_folder("d"), "-o", in_folder("a")), 0);
    const char *pack = in_folder("d.pack");
    ck_assert_int_eq(RUN("--data", pack, "-o", in_folder("b"), "--steps", "4"), 0);
    ck_assert_int_eq(
        RUN("--data", pack, "-o", in_folder("b"), "--resume", "--threads", "3"), 0);
    check_same_values("a/last.ckpt", "", "b/last.ckpt", "");
}
END_TEST

/* ---- Cut off ---- */

/* A broken picture ends it; what was before stays, and once it is mended, the rest
 * follows. */
START_TEST(making_goes_on)
{
    const char *folder = make_parts(), *path = in_folder("p/train/dog/deep/1.jpg");
    const char *partial = in_folder("b.pack.partial");
    size_t bytes;
    char *whole = rt_read_file(path, &bytes);
    pack_well(folder, "a.pack", 10, false);
    write_text(path, "<html>");
    ck_assert(!data_pack(folder, in_folder("b.pack"), 10, false));
    check_error("%s: want a JPEG or PNG picture", path);
    ck_assert(access(in_folder("b.pack"), F_OK) != 0 && access(partial, F_OK) == 0);
    PackHead head;
    FILE *file = fopen(partial, "rb");
    ck_assert_uint_eq(fread(&head, sizeof head, 1, file), 1);
    fclose(file);
    ck_assert_int_eq(head.done, 2);
    write_bytes(path, whole, bytes);
    write_text(in_folder("p/train/cat/1.jpg"), "unread: it is in there already");
    pack_well(folder, "b.pack", 10, false);
    check_same_bytes(in_folder("a.pack"), in_folder("b.pack"));
    ck_assert(access(partial, F_OK) != 0);
    free(whole);
}
END_TEST

/* Killed at any time, or with a file that is no part of one: the same pack in the end. */
START_TEST(killed_ones_go_on)
{
    const char *folder = make_parts(), *partial = in_folder("b.pack.partial");
    pack_well(folder, "a.pack", 10, false);
    for (int i = 0; i < 8; i++) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            data_pack(folder, in_folder("b.pack"), 10, false);
            _exit(0);
        }
        usleep((useconds_t)i * 300);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        if (i % 4 == 3 && access(partial, F_OK) == 0)
            ck_assert_int_eq(truncate(partial, 4096 + i * 30), 0);
        pack_well(folder, "b.pack", 10, false);
        check_same_bytes(in_folder("a.pack"), in_folder("b.pack"));
        ck_assert_int_eq(remove(in_folder("b.pack")), 0);
    }
    write_text(partial, "something else");
    pack_well(folder, "b.pack", 10, false);
    check_same_bytes(in_folder("a.pack"), in_folder("b.pack"));
}
END_TEST

/* ---- What is wrong ---- */

START_TEST(broken_pictures_keep_their_places)
{
    const char *folder = make_parts();
    write_text(in_folder("p/train/cat/2.JPEG"), "");
    pack_well(folder, "a.pack", 1000, true);
    const char *pack = in_folder("a.pack");
    check_broken(pack, 1,
                 "%s: train/cat/2.JPEG: an empty file, want a JPEG or PNG picture", pack);
    want.skip_broken = true;
    load_well(pack);
    uint8_t pixels[H * W * 3];
    PictureError error;
    ck_assert_int_eq(image_read(&train, 1, pixels, &error), 2);
    free_both();
}
END_TEST

static void write_over(const char *path, long at, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "r+b");
    ck_assert(file && fseek(file, at, SEEK_SET) == 0);
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

START_TEST(bad_packs)
{
    const char *folder = make_parts(), *path = in_folder("a.pack");
    static const uint32_t version = 9;
    static const uint64_t none = 0;
    pack_well(folder, "a.pack", 1000, false);
    size_t bytes;
    char *whole = rt_read_file(path, &bytes);
    write_over(path, offsetof(PackHead, version), &version, sizeof version);
    check_fails(path,
                "%s: version 9 of packs, want 1: make it again with `lathe data pack`",
                path);
    write_bytes(path, whole, bytes);
    write_over(path, offsetof(PackHead, index_bytes), &none, sizeof none);
    check_fails(path, "%s: not whole yet: go on with `lathe data pack`", path);
    write_bytes(path, whole, bytes);
    write_over(path, (long)bytes - 3, "x", 1);
    check_fails(path, "%s: a damaged pack: its index has another hash", path);
    write_bytes(path, whole, bytes - 1);
    char *message =
        rt_format("%%s: %zu bytes, want %zu: a damaged pack", bytes - 1, bytes);
    check_fails(path, message, path);
    free(message);
    write_bytes(path, whole, 100);
    ck_assert(!load_both(path));
    rt_error_clear();
    write_text(path, "text");
    ck_assert(!data_pack(folder, path, 10, false));
    check_error("%s: is there, and no pack", path);
    ck_assert_int_eq(remove(path), 0);
    ck_assert(!data_pack(in_folder("p/val/cat"), path, 10, false));
    check_error("%s: nothing to pack: want class folders, a .tar of them, or a .csv",
                in_folder("p/val/cat"));
    free(whole);
}
END_TEST

Suite *pack_suite(void)
{
    TCase *tests = tcase_create("pack");
    tcase_add_checked_fixture(tests, prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_pack_is_as_its_folder);
    tcase_add_test(tests, a_resized_pack_is_as_its_folder);
    tcase_add_loop_test(tests, a_pack_of_rows_is_as_its_files, 0, 3);
    tcase_add_test(tests, the_same_run_from_a_pack);
    tcase_add_test(tests, making_goes_on);
    tcase_add_test(tests, killed_ones_go_on);
    tcase_add_test(tests, broken_pictures_keep_their_places);
    tcase_add_test(tests, bad_packs);
    Suite *suite = suite_create("pack");
    suite_add_tcase(suite, tests);
    return suite;
}
