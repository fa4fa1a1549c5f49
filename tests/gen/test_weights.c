/* Weight files: every format gives the same arrays, and no damaged or hostile file does
 * harm. */
#include "tests/suites.h"

#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES "tests/weights/"

/* What tests/weights/make.py wrote: count up in eighths, but for the first three. */
static float fixture_value(const char *name, int i)
{
    if (strcmp(name, "bn1.weight") == 0)
        return -1.5f * (float)i;
    if (strcmp(name, "bn1.bias") == 0)
        return 3 * (float)i;
    if (strcmp(name, "bn1.num_batches_tracked") == 0)
        return 7;
    if (strcmp(name, "bn1.running_mean") == 0)
        return 0.125f * (float)(1 + i);
    if (strcmp(name, "bn1.running_var") == 0)
        return 0.125f * (float)(3 + 4 * i);
    if (strcmp(name, "linear.weight") == 0)
        return 0.125f * (float)(i % 2 * 4 + i / 2);
    if (strcmp(name, "linear.bias") == 0)
        return 0.125f * (float)(1 + 2 * i);
    return 0.125f * (float)i;
}

static const Array fixture[] = {
    {.name = "conv1.weight", .rank = 4, .shape = {2, 3, 2, 1}, .count = 12},
    {.name = "bn1.weight", .rank = 1, .shape = {2}, .count = 2},
    {.name = "bn1.bias", .rank = 1, .shape = {2}, .count = 2},
    {.name = "bn1.running_mean", .rank = 1, .shape = {2}, .count = 2},
    {.name = "bn1.running_var", .rank = 1, .shape = {2}, .count = 2},
    {.name = "bn1.num_batches_tracked", .rank = 0, .count = 1},
    {.name = "linear.weight", .rank = 2, .shape = {4, 2}, .count = 8},
    {.name = "linear.bias", .rank = 1, .shape = {4}, .count = 4},
};

static void check_arrays(const char *path, const char *prefix)
{
    Array *arrays;
    int count;
    ck_assert_msg(weights_read(path, &arrays, &count), "%s", rt_error());
    ck_assert_int_eq(count, 8);
    for (int i = 0; i < count; i++) {
        const Array *want = &fixture[i];
        ck_assert_int_eq(strncmp(arrays[i].name, prefix, strlen(prefix)), 0);
        ck_assert_str_eq(arrays[i].name + strlen(prefix), want->name);
        ck_assert_int_eq(arrays[i].rank, want->rank);
        ck_assert_mem_eq(arrays[i].shape, want->shape, sizeof want->shape);
        ck_assert_uint_eq(arrays[i].count, want->count);
        for (int j = 0; j < (int)want->count; j++)
            ck_assert_float_eq(arrays[i].values[j], fixture_value(want->name, j));
    }
    arrays_free(arrays, count);
}

START_TEST(every_format)
{
    check_arrays(FIXTURES "legacy.th", "module.");
    check_arrays(FIXTURES "zip.pt", "module.");
    check_arrays(FIXTURES "protocol4.pt", "module.");
    check_arrays(FIXTURES "numpy.npz", "");
    check_arrays(FIXTURES "types.safetensors", "");
    Array *array;
    int count;
    ck_assert(weights_read(FIXTURES "fortran.npy", &array, &count));
    ck_assert_str_eq(array->name, "fortran");
    ck_assert_mem_eq(array->shape, fixture[0].shape, sizeof array->shape);
    for (int i = 0; i < 12; i++)
        ck_assert_float_eq(array->values[i], fixture_value("conv1.weight", i));
    arrays_free(array, count);
}
END_TEST

static void check_fails(const char *path, const char *message)
{
    Array *arrays;
    int count;
    ck_assert_msg(!weights_read(path, &arrays, &count), "no error, want %s", message);
    check_error(message, path);
}

/* NumPy. */

START_TEST(npz_round_trip)
{
    float values[] = {1, -0.0f, 0x1p-149f, INFINITY, 5, 6};
    Array arrays[] = {{"ema/a.b", 2, {2, 3}, 6, values},
                      {"none", 2, {0, 3}, 0, values},
                      {"one", 0, {0}, 1, values + 4}};
    const char *path = in_folder("a.npz"), *again = in_folder("b.npz");
    ck_assert_msg(npz_write(path, arrays, 3), "%s", rt_error());
    Array *back;
    int count;
    ck_assert_msg(weights_read(path, &back, &count), "%s", rt_error());
    ck_assert_int_eq(count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(back[i].name, arrays[i].name);
        ck_assert_int_eq(back[i].rank, arrays[i].rank);
        ck_assert_mem_eq(back[i].shape, arrays[i].shape, sizeof arrays[i].shape);
        ck_assert_mem_eq(back[i].values, arrays[i].values, arrays[i].count * 4);
    }
    setenv("TZ", "Asia/Tokyo", 1);
    ck_assert(npz_write(again, back, count));
    arrays_free(back, count);
    size_t bytes, again_bytes;
    char *data = rt_read_file(path, &bytes),
         *again_data = rt_read_file(again, &again_bytes);
    ck_assert_uint_eq(bytes, again_bytes);
    ck_assert_mem_eq(data, again_data, bytes);
    free(data);
    free(again_data);
}
END_TEST

START_TEST(npz_write_fails)
{
    float value = 1;
    Array twice[] = {{"a", 0, {0}, 1, &value}, {"a", 0, {0}, 1, &value}};
    const char *path = in_folder("none/a.npz");
    ck_assert(!npz_write(path, twice, 1));
    check_error("%s: No such file or directory", path);
    path = in_folder("a.npz");
    ck_assert(!npz_write(path, twice, 2));
    check_error("%s: a: File already exists", path);
    ck_assert(!npz_write(path, twice, 0));
    check_error("%s: no arrays to write", path);
}
END_TEST

static void npy_fails(const char *header, int data_bytes, const char *message)
{
    char file[256] = "\x93NUMPY\1";
    file[8] = (char)strlen(header);
    memcpy(file + 10, header, strlen(header));
    write_bytes(in_folder("w.npy"), file, 10 + strlen(header) + (size_t)data_bytes);
    check_fails(in_folder("w.npy"), message);
}

/* As ml_dtypes saves it. */
START_TEST(npy_of_bfloat16)
{
    static const char file[] =
        "\x93NUMPY\1\0\75\0"
        "{'descr': '<V2', 'fortran_order': False, 'shape': (2,), }   \n"
        "\x40\x40\xc0\xbf";
    const char *path = in_folder("w.npy");
    write_bytes(path, file, sizeof file - 1);
    Array *array;
    int count;
    ck_assert_msg(weights_read(path, &array, &count), "%s", rt_error());
    ck_assert_float_eq(array->values[0], 3);
    ck_assert_float_eq(array->values[1], -1.5f);
    arrays_free(array, count);
}
END_TEST

START_TEST(bad_npy)
{
    const char *damaged = "%s: w: damaged .npy header";
    npy_fails("", 9, damaged);
    npy_fails("{'descr': '<f4', 'fortran_order': False}", 4, damaged);
    npy_fails("{'descr': '<f4', 'fortran_order': 1, 'shape': ()}", 4, damaged);
    npy_fails("{'descr': '<f4', 'descr': '<f4', 'shape': ()}", 4, damaged);
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8, damaged);
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8, damaged);
    npy_fails("{'descr': '<U3', 'fortran_order': False, 'shape': ()}", 12,
              "%s: w: elements of type U3, want float or integer");
    npy_fails("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", 4,
              "%s: w: a record or object array, want float or integer elements");
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1)}", 4,
              "%s: w: more than 4 dimensions");
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", 15,
              "%s: w: 15 bytes of elements, want 16");
    npy_fails("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2)}", 33,
              "%s: w: 33 bytes of elements, want 32");
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999, 9999999)}", 4,
              "%s: w: dimension 0 is 9999999, too large for this file");
    npy_fails("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3000000000)}", 0,
              "%s: w: dimension 1 is 3000000000, too large for this file");
}
END_TEST

/* Safetensors. */

START_TEST(safetensors_round_trip)
{
    float values[] = {1, -0.0f, 0x1p-149f, INFINITY, 5, 6};
    Array arrays[] = {{"ema/a.b", 2, {2, 3}, 6, values},
                      {"none \"\xc3\xa9\"", 2, {0, 3}, 0, values},
                      {"one", 0, {0}, 1, values + 4}};
    const char *path = in_folder("a.safetensors");
    ck_assert_msg(safetensors_write(path, arrays, 3), "%s", rt_error());
    size_t bytes;
    char *data = rt_read_file(path, &bytes);
    static const char header[] =
        "{\"ema/a.b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"none \\\"\xc3\xa9\\\"\":{\"dtype\":\"F32\",\"shape\":[0,3],"
        "\"data_offsets\":[24,24]},"
        "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]}}";
    size_t length = (sizeof header - 1 + 7) / 8 * 8;
    ck_assert_uint_eq(bytes, 8 + length + 28);
    ck_assert_uint_eq((unsigned char)data[0], length);
    ck_assert_mem_eq(data + 8, header, sizeof header - 1);
    ck_assert_mem_eq(data + 8 + length, values, 24);
    free(data);
    Array *back;
    int count;
    ck_assert_msg(weights_read(path, &back, &count), "%s", rt_error());
    ck_assert_int_eq(count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(back[i].name, arrays[i].name);
        ck_assert_int_eq(back[i].rank, arrays[i].rank);
        ck_assert_mem_eq(back[i].shape, arrays[i].shape, sizeof back[i].shape);
        ck_assert_mem_eq(back[i].values, arrays[i].values, arrays[i].count * 4);
    }
    arrays_free(back, count);
    arrays[1].name = "one";
    ck_assert(!safetensors_write(path, arrays, 3));
    check_error("%s: two arrays are named one", path);
    arrays[1].name = "\xff";
    ck_assert(!safetensors_write(path, arrays, 3));
    check_error("%s: \\xff: a name that is no UTF-8", path);
    ck_assert(!safetensors_write(path, arrays, 0));
    check_error("%s: no arrays to write", path);
    path = in_folder("none/a.safetensors");
    ck_assert(!safetensors_write(path, arrays, 1));
    check_error("%s: No such file or directory", path);
}
END_TEST

/* A file of that header, said to be so long, and of that many bytes behind it. */
static void safetensors_fails(const char *header, uint64_t length, size_t data_bytes,
                              const char *message)
{
    char file[512] = {0};
    for (int i = 0; i < 8; i++)
        file[i] = (char)(length >> 8 * i);
    memcpy(file + 8, header, strlen(header));
    write_bytes(in_folder("w"), file, 8 + strlen(header) + data_bytes);
    check_fails(in_folder("w"), message);
}

#define ARRAY(name, dtype, shape, offsets)                                               \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                             \
    ",\"data_offsets\":" offsets "}"
#define HEADER_FAILS(header, data_bytes, message)                                        \
    safetensors_fails(header, sizeof header - 1, data_bytes, message)

START_TEST(bad_safetensors)
{
    safetensors_fails("{}", 3, 0, "%s: cut short: a header of 3 bytes in a file of 10");
    safetensors_fails("{}", 0xffffffff, 9,
                      "%s: a header of 4294967295 bytes, want at most 8388608");
    HEADER_FAILS("{}", 0, "%s: no arrays in it");
    HEADER_FAILS("{]", 0, "%s: header, byte 2: string or '}' expected near ']'");
    HEADER_FAILS("{\"w\":[4]}", 0, "%s: w: no dtype");
    HEADER_FAILS("{\"w\":{},\"w\":{}}", 0,
                 "%s: header, byte 11: duplicate object key near '\"w\"'");
    HEADER_FAILS(
        "{\"w\\u0000\":{}}", 0,
        "%s: header, byte 10: NUL byte in object key not supported near '\"w\\u0000\"'");
    HEADER_FAILS("{\"w\\u001b[2J\":{}}", 0,
                 "%s: an array whose name is empty, longer "
                 "than 255 bytes or not text");
    HEADER_FAILS("{" ARRAY("w", "F8_E4M3", "[4]", "[0,4]") "}", 4,
                 "%s: w: elements of type F8_E4M3, want F32, F16, BF16, F64, an integer "
                 "or BOOL");
    const char *shape = "%s: w: shape: want a list of at most 4 numbers from 0 up";
    HEADER_FAILS("{" ARRAY("w", "F32", "[1,1,1,1,1]", "[0,4]") "}", 4, shape);
    HEADER_FAILS("{" ARRAY("w", "F32", "[-1]", "[0,4]") "}", 4, shape);
    HEADER_FAILS("{" ARRAY("w", "F32", "[1.0]", "[0,4]") "}", 4, shape);
    HEADER_FAILS("{" ARRAY("w", "F32", "{}", "[0,4]") "}", 4, shape);
    const char *offsets = "%s: w: data_offsets: want two numbers, rising, from 0 to 4";
    HEADER_FAILS("{" ARRAY("w", "F32", "[1]", "[0]") "}", 4, offsets);
    HEADER_FAILS("{" ARRAY("w", "F32", "[1]", "[4,0]") "}", 4, offsets);
    HEADER_FAILS("{" ARRAY("w", "F32", "[1]", "[-4,0]") "}", 4, offsets);
    HEADER_FAILS("{" ARRAY("w", "F32", "[2]", "[0,8]") "}", 4, offsets);
    HEADER_FAILS("{" ARRAY("w", "F32", "[2]", "[0,4]") "}", 4,
                 "%s: w: 4 bytes of elements, want 8");
    HEADER_FAILS("{" ARRAY("w", "F32", "[2147483647,2147483647]", "[0,4]") "}", 4,
                 "%s: w: dimension 0 is 2147483647, too large for this file");
    HEADER_FAILS("{" ARRAY("w", "F32", "[0,9223372036854775807]", "[0,0]") "}", 4,
                 "%s: w: dimension 1 is 9223372036854775807, too large for this file");
    HEADER_FAILS(
        "{" ARRAY("w", "F32", "[1]", "[0,4]") "," ARRAY("v", "F32", "[1]", "[0,4]") "}",
        4,
        "%s: v begins at byte 0 of the elements, want 4, where the array "
        "before ends");
    HEADER_FAILS("{" ARRAY("w", "F32", "[1]", "[4,8]") "}", 8,
                 "%s: w begins at byte 4 of the elements, want 0, where the array before "
                 "ends");
    HEADER_FAILS("{" ARRAY("w", "F32", "[1]", "[0,4]") "}", 5,
                 "%s: 1 bytes behind the last array");
}
END_TEST

/* Files that lie, are cut short or damaged. */

START_TEST(no_weights)
{
    const char *path = in_folder("w");
    check_fails(path, "%s: No such file or directory");
    const char *message =
        "%s: no weights: want a file of PyTorch (.pt, .pth, .th), .safetensors, NumPy "
        "(.npz, .npy) or Keras (.h5)";
    write_text(path, "");
    check_fails(path, message);
    write_text(path, "\x89PNG and so on");
    check_fails(path, message);
    write_text(path, "PK\3\4 and no directory");
    check_fails(path, "%s: damaged zip: Not a zip archive");
}
END_TEST

/* Little-endian, over 4 bytes of the zip's record of its first entry. */
static void lie_about_size(char *zip, size_t bytes, int field, uint32_t value)
{
    char *record = memmem(zip, bytes, "PK\1\2", 4);
    ck_assert_ptr_nonnull(record);
    for (int i = 0; i < 4; i++)
        record[field + i] = (char)(value >> 8 * i);
}

START_TEST(zip_bombs)
{
    enum { CHECKSUM = 16, PACKED = 20, UNPACKED = 24 };
    const char *path = in_folder("w.npz");
    size_t bytes;
    char *zip = rt_read_file(FIXTURES "numpy.npz", &bytes);
    lie_about_size(zip, bytes, UNPACKED, 0xf0000000);
    write_bytes(path, zip, bytes);
    check_fails(path, "%s: damaged zip: an entry of 105 bytes claims to unpack to "
                      "4026531840");
    lie_about_size(zip, bytes, UNPACKED, 200);
    write_bytes(path, zip, bytes);
    check_fails(path, "%s: zip entry 0: unpacks to another size than it claims");
    lie_about_size(zip, bytes, PACKED, 0xf0000000);
    lie_about_size(zip, bytes, UNPACKED, 0xf0000000);
    write_bytes(path, zip, bytes);
    check_fails(path, "%s: the zip claims to unpack to more than 2147483648 bytes");
    free(zip);
    zip = rt_read_file(FIXTURES "numpy.npz", &bytes);
    lie_about_size(zip, bytes, CHECKSUM, 0);
    write_bytes(path, zip, bytes);
    check_fails(path, "%s: zip entry 0: CRC error");
    free(zip);
}
END_TEST

static bool is_linear(const void *context, const char *name)
{
    return strstr(name, context) != NULL;
}

/* An outline has no values; some have theirs, and the others are not there. */
START_TEST(outlines_and_parts)
{
    static const char *const paths[] = {FIXTURES "legacy.th", FIXTURES "zip.pt",
                                        FIXTURES "protocol4.pt", FIXTURES "numpy.npz",
                                        FIXTURES "types.safetensors"};
    Array *arrays, *some;
    int count, wanted;
    ck_assert_msg(weights_outline(paths[_i], NULL, &arrays, &count, NULL), "%s",
                  rt_error());
    ck_assert_int_eq(count, 8);
    for (int i = 0; i < count; i++) {
        ck_assert_ptr_null(arrays[i].values);
        ck_assert_uint_eq(arrays[i].count, fixture[i].count);
        ck_assert_mem_eq(arrays[i].shape, fixture[i].shape, sizeof arrays[i].shape);
    }
    ck_assert_msg(
        weights_read_some(paths[_i], NULL, is_linear, "linear.", &some, &wanted), "%s",
        rt_error());
    ck_assert_int_eq(wanted, 2);
    for (int i = 0; i < wanted; i++) {
        ck_assert_str_eq(some[i].name, arrays[6 + i].name);
        for (int j = 0; j < (int)some[i].count; j++)
            ck_assert_float_eq(some[i].values[j], fixture_value(fixture[6 + i].name, j));
    }
    arrays_free(arrays, count);
    arrays_free(some, wanted);
}
END_TEST

static const char *const files[] = {FIXTURES "legacy.th",         FIXTURES "zip.pt",
                                    FIXTURES "numpy.npz",         FIXTURES "fortran.npy",
                                    FIXTURES "types.safetensors", FIXTURES "beside.pt"};

/* A new file each time: file systems are slow to overwrite one. */
static void rewrite(const char *data, size_t bytes)
{
    remove(in_folder("w"));
    write_bytes(in_folder("w"), data, bytes);
}

START_TEST(cut_short)
{
    size_t bytes;
    char *data = rt_read_file(files[_i], &bytes);
    Array *arrays;
    int count;
    for (size_t length = 0; length < bytes; length++) {
        rewrite(data, length);
        ck_assert(!weights_read(in_folder("w"), &arrays, &count));
        ck_assert_str_ne(rt_error(), "");
        rt_error_clear();
    }
    free(data);
}
END_TEST

START_TEST(damaged)
{
    size_t bytes;
    char *data = rt_read_file(files[_i], &bytes);
    Array *arrays;
    int count;
    for (size_t i = 0; i < 2 * bytes; i++) {
        char flip = i % 2 ? 1 : (char)0xff;
        data[i / 2] ^= flip;
        rewrite(data, bytes);
        if (weights_read(in_folder("w"), &arrays, &count))
            arrays_free(arrays, count);
        else
            ck_assert_str_ne(rt_error(), "");
        rt_error_clear();
        data[i / 2] ^= flip;
    }
    free(data);
}
END_TEST

Suite *weights_suite(void)
{
    Suite *suite = suite_create("weights");
    TCase *formats = tcase_create("formats");
    tcase_add_checked_fixture(formats, folder_make, folder_remove);
    tcase_add_test(formats, every_format);
    tcase_add_test(formats, npz_round_trip);
    tcase_add_test(formats, npz_write_fails);
    tcase_add_test(formats, npy_of_bfloat16);
    tcase_add_test(formats, bad_npy);
    tcase_add_test(formats, safetensors_round_trip);
    tcase_add_test(formats, bad_safetensors);
    suite_add_tcase(suite, formats);

    TCase *hostile = tcase_create("hostile");
    tcase_add_checked_fixture(hostile, folder_make, folder_remove);
    tcase_set_timeout(hostile, 60);
    tcase_add_test(hostile, no_weights);
    tcase_add_loop_test(hostile, outlines_and_parts, 0, 5);
    tcase_add_test(hostile, zip_bombs);
    tcase_add_loop_test(hostile, cut_short, 0, sizeof files / sizeof *files);
    tcase_add_loop_test(hostile, damaged, 0, sizeof files / sizeof *files);
    suite_add_tcase(suite, hostile);
    return suite;
}
