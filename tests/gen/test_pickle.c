/* PyTorch's pickles: nothing in them runs, and no damaged or hostile one does harm. */
#include "tests/suites.h"

#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_fails(const char *path, const char *message)
{
    Array *arrays;
    int count;
    ck_assert_msg(!weights_read(path, &arrays, &count), "no error, want %s", message);
    check_error(message, path);
}

/* Hostile pickles, in a legacy file around `object`. */

#define LEGACY_HEADER                                                                    \
    "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."                                          \
    "\x80\2M\xe9\3."                                                                     \
    "\x80\2}U\rlittle_endian\x88s."

static void object_fails(const char *object, size_t bytes, const char *message)
{
    size_t header = sizeof LEGACY_HEADER - 1;
    char *file = rt_alloc(header + bytes);
    memcpy(file, LEGACY_HEADER, header);
    memcpy(file + header, object, bytes);
    write_bytes(in_folder("w.th"), file, header + bytes);
    free(file);
    check_fails(in_folder("w.th"), message);
}

#define FAILS(object, message) object_fails(object, sizeof object - 1, message)

#define NO_TENSORS "%s: no tensors by name, want a state_dict"
#define KEYS "\x80\2]."

/* Whatever a pickle names, nothing is called: a call is an object of no use. */
START_TEST(nothing_runs)
{
#define NO_WEIGHTS "want a state_dict, as torch.save(model.state_dict(), FILE) writes it"
    FAILS("\x80\2cos\nsystem\nU\4true\x85R." KEYS,
          "%s: no tensors by name, but an object of os.system: " NO_WEIGHTS);
    FAILS("\x80\4\x8c\5posix\x8c\6system\x93)R." KEYS,
          "%s: no tensors by name, but an object of posix.system: " NO_WEIGHTS);
    FAILS("\x80\2}U\5modelc__builtin__\neval\nU\1a\x85Rs." KEYS,
          "%s: no tensors by name, but an object of __builtin__.eval: " NO_WEIGHTS);
    FAILS("\x80\2ctorchvision\nResNet\n)\x81}U\1aK\1sb." KEYS,
          "%s: no tensors by name, but an object of torchvision.ResNet: " NO_WEIGHTS);
    FAILS("\x80\4\x8c\1m\x8c\1n\x93)}\x92." KEYS,
          "%s: no tensors by name, but an object of m.n: " NO_WEIGHTS);
    FAILS("\x80\2cos\nsystem\n." KEYS, NO_TENSORS);
    FAILS("\x80\2cm\nn\n)R)R0cm\nn\n)R(K\1K\2u(K\1e0]." KEYS, NO_TENSORS);
    FAILS("\x80\2}U\1wctorch._utils\n_rebuild_qtensor\n)Rs." KEYS,
          "%s: w: made by torch._utils._rebuild_qtensor, want a plain tensor");
    FAILS("\x80\2}U\1wctorch._utils\n_rebuild_parameter\n)Rs." KEYS,
          "%s: w: made by torch._utils._rebuild_parameter, want a plain tensor");
    const char *path = in_folder("w.pkl");
    write_text(path, "\x80\2cos\nsystem\n.");
    check_fails(path, "%s: a Python pickle that torch.save did not write");
    write_text(path, "\x80\2K\1.");
    check_fails(path, "%s: a Python pickle that torch.save did not write");
}
END_TEST

START_TEST(forbidden)
{
    FAILS(
        "\x80\2U\2os)R.",
        "%s: pickle instruction REDUCE at byte 7 calls something that is not a function");
    FAILS("\x80\2cos\nsystem\nU\4trueR.",
          "%s: pickle instruction REDUCE at byte 19 calls "
          "something that is not a function");
    FAILS("\x80\2U\1a)}\x92.", "%s: pickle instruction NEWOBJ_EX at byte 7 calls "
                               "something that is not a function");
    FAILS("(S'true'\nios\nsystem\n.",
          "%s: 0x53 at byte 1 is no pickle instruction of protocols 2 to 5");
    FAILS("(ios\nsystem\n.",
          "%s: 0x69 at byte 1 is no pickle instruction of protocols 2 to 5");
    FAILS("\x80\2\x82\1.",
          "%s: 0x82 at byte 2 is no pickle instruction of protocols 2 to 5");
    FAILS("\x80\2K\1}b.", "%s: pickle instruction BUILD at byte 5 sets the state of "
                          "something that is no object");
    FAILS("\x80\2c\x1b[2J\nsystem\n.", "%s: pickle instruction GLOBAL at byte 2 names "
                                       "something without a proper name");
    FAILS("\x80\7.", "%s: pickle of protocol 7, want 2 to 5");
    FAILS("\x80\2\xff.",
          "%s: 0xff at byte 2 is no pickle instruction of protocols 2 to 5");
}
END_TEST

START_TEST(malformed)
{
    FAILS("\x80\2X\xff\xff\xff\xff.",
          "%s: pickle instruction BINUNICODE at byte 2 is cut "
          "short");
    FAILS("\x80\2B\xff\xff\xff\x7f.", "%s: pickle instruction BINBYTES at byte 2 is cut "
                                      "short");
    FAILS("\x80\2\x86.", "%s: pickle instruction TUPLE2 at byte 2 finds no value");
    FAILS("\x80\2(\x85.", "%s: pickle instruction TUPLE1 at byte 3 finds no value");
    FAILS("\x80\2t.", "%s: pickle instruction TUPLE at byte 2 finds no mark");
    FAILS("\x80\2}(.", "%s: pickle instruction STOP at byte 4 finds no value");
    FAILS("\x80\2}(K\1u.",
          "%s: pickle instruction SETITEMS at byte 6 finds a key without a value");
    FAILS("\x80\2K\1K\1a.",
          "%s: pickle instruction APPEND at byte 6 finds nothing to add to");
    FAILS("\x80\2h\3.",
          "%s: pickle instruction BINGET at byte 2 finds nothing under its number");
    FAILS("\x80\2]r\xff\xff\xff\xff.",
          "%s: pickle instruction LONG_BINPUT at byte 3 has a number out of range");
    FAILS("\x80\2]K\1Q", "%s: pickle ends before its STOP");
    FAILS("\x80\2K\1Q.", "%s: pickle refers to data in a way PyTorch does not");
}
END_TEST

/* One instruction or piece of a pickle, many times; then the rest. */
static void repeat_fails(const char *start, const char *piece, size_t piece_bytes,
                         size_t times, const char *end, const char *message)
{
    size_t start_bytes = strlen(start), end_bytes = strlen(end);
    size_t bytes = start_bytes + piece_bytes * times + end_bytes;
    char *object = rt_alloc(bytes);
    memcpy(object, start, start_bytes);
    for (size_t i = 0; i < times; i++)
        memcpy(object + start_bytes + i * piece_bytes, piece, piece_bytes);
    memcpy(object + bytes - end_bytes, end, end_bytes);
    object_fails(object, bytes, message);
    free(object);
}

START_TEST(bombs)
{
    static const char too_long[] =
        "%s: pickle is too long, want at most 4194304 instructions";
    static const char keys[] = "." KEYS;
    repeat_fails("\x80\2", "(", 1, 5000000, ".", too_long);
    repeat_fails("\x80\2]", "]q\1", 3, 2200000, ".", too_long);
    repeat_fails("\x80\2)", "\x85", 1, 1000000, keys, NO_TENSORS);
    repeat_fails("\x80\2]q\1", "(h\1h\1eq\1", 8, 1000, keys, NO_TENSORS);
    repeat_fails("\x80\2]q\1", "h\1\x86q\1h\1", 7, 100000, keys, NO_TENSORS);
    FAILS("\x80\2}q\1U\nstate_dicth\1s." KEYS, NO_TENSORS);
    FAILS("\x80\2}q\1U\1ah\1sU\1bh\1sU\1ch\1s." KEYS, NO_TENSORS);
    /* each dictionary holds the one before it twice */
    repeat_fails("\x80\2}q\1", "}(U\1ah\1U\1bh\1uq\1", 15, 1000, keys, NO_TENSORS);

    /* OrderedDict of the same long list again and again */
    char *list = rt_alloc(4096 * 5 + 64);
    size_t at = (size_t)sprintf(list, "\x80\2ccollections\nOrderedDict\nq\1](");
    for (int i = 0; i < 4096; i++, at += 3)
        memcpy(list + at, "NN\x86", 3);
    strcpy(list + at, "eq\2");
    repeat_fails(list, "h\1h\2\x85R", 6, 4096, keys, too_long);
    free(list);
}
END_TEST

/* A float storage "0" of four elements, and a tensor that views it so. */
#define TENSOR_OF(type, count, offset, shape, stride)                                    \
    "\x80\2}U\1wctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n" type "\nU\1"    \
    "0U\3cpu" count "tQ" offset shape stride "\x89NtRs."                                 \
    "\x80\2]U\1"                                                                         \
    "0a."                                                                                \
    "\4\0\0\0\0\0\0\0"                                                                   \
    "\0\0\0\0"                                                                           \
    "\0\0\x80\x3f"                                                                       \
    "\0\0\0\x40"                                                                         \
    "\0\0\x40\x40"
#define TENSOR(offset, shape, stride)                                                    \
    TENSOR_OF("FloatStorage", "K\4", offset, shape, stride)

START_TEST(views_in_bounds)
{
    static const char object[] = LEGACY_HEADER TENSOR("K\3", "K\2K\2\x86", "K\0K\0\x86");
    write_bytes(in_folder("w.th"), object, sizeof object - 1);
    Array *arrays;
    int count;
    ck_assert_msg(weights_read(in_folder("w.th"), &arrays, &count), "%s", rt_error());
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(arrays[0].values[i], 3);
    arrays_free(arrays, count);

    static const char empty[] =
        LEGACY_HEADER TENSOR("\x8a\x08zzzzzzz\x7f", "K\0\x85", "K\1\x85");
    write_bytes(in_folder("w.th"), empty, sizeof empty - 1);
    ck_assert_msg(weights_read(in_folder("w.th"), &arrays, &count), "%s", rt_error());
    ck_assert_uint_eq(arrays[0].count, 0);
    arrays_free(arrays, count);
}
END_TEST

START_TEST(views_out_of_bounds)
{
    const char *beyond = "%s: w reaches beyond the 4 elements of storage 0";
    const char *shapeless =
        "%s: w: want offset, shape and strides from 0 up, 4 dimensions at most";
    FAILS(TENSOR("K\4", ")", ")"), beyond);
    FAILS(TENSOR("K\1", "K\2K\2\x86", "K\2K\1\x86"), beyond);
    FAILS(TENSOR("K\0", "K\5\x85", "K\1\x85"), beyond);
    FAILS(TENSOR("\x8a\x08zzzzzzz\x7f", "K\2\x85", "\x8a\x08zzzzzzz\x7f\x85"), beyond);
    FAILS(TENSOR("K\0", "\x8a\x08\1\0\0\0\0\0\0\x40\x85", "K\4\x85"), beyond);
    FAILS(TENSOR("K\0", "\x8a\x08\1\0\0\0\0\0\0\x40\x85", "K\0\x85"),
          "%s: w: dimension 0 is 4611686018427387905, too large for this file");
    FAILS(TENSOR("K\0", "JJJJ\0JJJJ\0\x86", "K\0K\0\x86"),
          "%s: w: dimension 0 is 4868682, too large for this file");
    FAILS(TENSOR("J\xff\xff\xff\xff", "K\2\x85", "K\1\x85"), shapeless);
    FAILS(TENSOR("K\3", "K\2\x85", "J\xff\xff\xff\xff\x85"), shapeless);
    FAILS(TENSOR("K\0", "K\2\x85", ")"), shapeless);
    FAILS(TENSOR("K\0", "(K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1t"), shapeless);
    FAILS(TENSOR("K\0", "N", "N"), shapeless);
    FAILS(TENSOR_OF("FloatStorage", "K\5", "K\0", "K\4\x85", "K\1\x85"),
          "%s: storage 0 is cut short");
    FAILS(TENSOR_OF("FloatStorage", "K\3", "K\0", "K\3\x85", "K\1\x85"),
          "%s: storage 0 has 4 elements, want 3");
    FAILS(TENSOR_OF("FloatStorage", "J\0\0\0\x80", "K\0", "K\3\x85", "K\1\x85"),
          "%s: storage 0 has -2147483648 elements, want 0 to 2147483648");
    FAILS(TENSOR_OF("DoubleStorage", "K\4", "K\0", "K\4\x85", "K\1\x85"),
          "%s: storage 0 is cut short");
    FAILS(TENSOR_OF("QInt8Storage", "K\4", "K\0", "K\4\x85", "K\1\x85"),
          "%s: storage 0 is a torch.QInt8Storage, want floats, integers or booleans");
}
END_TEST

Suite *pickle_suite(void)
{
    Suite *suite = suite_create("pickle");
    TCase *tests = tcase_create("pickle");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nothing_runs);
    tcase_add_test(tests, forbidden);
    tcase_add_test(tests, malformed);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, views_in_bounds);
    tcase_add_test(tests, views_out_of_bounds);
    suite_add_tcase(suite, tests);
    return suite;
}
