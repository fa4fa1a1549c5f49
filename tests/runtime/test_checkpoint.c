/* Checkpoints: what is written comes back to the bit, and no damaged or forged file gets
 * further than its message. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "tests/tools/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static const Param conv = {"stem.weight", PARAM_CONV, INIT_ZERO, 4,
                           {1, 2, 1, 3},  0,          6,         1};
static const Param bias = {"fc.bias", PARAM_BIAS, INIT_ZERO, 1, {2}, 16, 2, 1};
static const float conv_values[] = {1, -0.0f, 1e-45f, 3.4e38f, -2, 0.1f};
static const float bias_values[] = {-3, 4};

static Checkpoint sample(void)
{
    Checkpoint checkpoint = {.arch = rt_format("stem=conv 3\nfc=dense 2\n"),
                             .config = rt_format("train.epochs=3\ntrain.lr=0.1\n"),
                             .progress = rt_format("epoch=1\n")};
    checkpoint_add(&checkpoint, "", &conv, conv_values);
    checkpoint_add(&checkpoint, "ema/", &bias, bias_values);
    return checkpoint;
}

static void write_sample(const char *path)
{
    Checkpoint checkpoint = sample();
    ck_assert_msg(checkpoint_write(path, &checkpoint), "%s", rt_error());
    checkpoint_free(&checkpoint);
}

/* Reading fails and leaves nothing behind. */
static void check_refused(const char *path)
{
    Checkpoint checkpoint;
    rt_error_clear();
    ck_assert(!checkpoint_read(path, &checkpoint));
    ck_assert_ptr_null(checkpoint.arrays);
    ck_assert_ptr_null(checkpoint.arch);
    ck_assert_int_eq(checkpoint.count, 0);
    ck_assert_msg(strncmp(rt_error(), path, strlen(path)) == 0, "%s", rt_error());
}

static void check_refused_as(const char *path, const char *message)
{
    check_refused(path);
    check_error(message, path);
}

START_TEST(round_trip)
{
    const char *path = in_folder("a.ckpt");
    write_sample(path);
    Checkpoint back;
    ck_assert_msg(checkpoint_read(path, &back), "%s", rt_error());
    ck_assert_str_eq(back.arch, "stem=conv 3\nfc=dense 2\n");
    ck_assert_str_eq(back.config, "train.epochs=3\ntrain.lr=0.1\n");
    ck_assert_str_eq(back.progress, "epoch=1\n");
    ck_assert_int_eq(back.count, 2);
    const Array *array = checkpoint_find(&back, "", "stem.weight");
    ck_assert_ptr_nonnull(array);
    ck_assert_int_eq(array->rank, 4);
    ck_assert_mem_eq(array->shape, conv.shape, sizeof conv.shape);
    ck_assert_mem_eq(array->values, conv_values, sizeof conv_values);
    ck_assert_ptr_null(checkpoint_find(&back, "", "fc.bias"));
    ck_assert_mem_eq(checkpoint_find(&back, "ema/", "fc.bias")->values, bias_values,
                     sizeof bias_values);
    checkpoint_free(&back);
}
END_TEST

START_TEST(empty_and_unended_texts)
{
    const char *path = in_folder("a.ckpt");
    Checkpoint back, none = {"a=1", "", "", NULL, 0};
    ck_assert(checkpoint_write(path, &none));
    ck_assert_msg(checkpoint_read(path, &back), "%s", rt_error());
    ck_assert_str_eq(back.arch, "a=1\n");
    ck_assert_str_eq(back.config, "");
    ck_assert_int_eq(back.count, 0);
    checkpoint_free(&back);
}
END_TEST

START_TEST(header_is_readable)
{
    const char *path = in_folder("a.ckpt");
    write_sample(path);
    char *text = rt_read_file(path, NULL);
    const char *const lines[] = {
        "lathe checkpoint 1\nheader ",
        "arch 2 lines, sha256 ",
        "\nstem=conv 3\nfc=dense 2\nconfig 2 lines, sha256 ",
        "\nprogress 1 lines\nepoch=1\narrays 2: name, shape, byte offset, crc32; behind",
        " them float32, little-endian\nstem.weight 1x2x1x3 0 ",
        "\nema/fc.bias 2 24 "};
    const char *at = text;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        at = strstr(at, lines[i]);
        ck_assert_msg(at != NULL, "line %zu of %s", i, text);
    }
    free(text);
}
END_TEST

/* ---- Damage ---- */

/* Where the third line begins, and where the arrays do. */
static void find_parts(const char *data, size_t *body, size_t *arrays)
{
    size_t header_bytes;
    const char *second = strchr(data, '\n') + 1;
    ck_assert_int_eq(sscanf(second, "header %zu", &header_bytes), 1);
    *body = (size_t)(strchr(second, '\n') + 1 - data);
    *arrays = *body + header_bytes;
}

static bool error_ends(const char *end)
{
    size_t length = strlen(end), all = strlen(rt_error());
    return all >= length && strcmp(rt_error() + all - length, end) == 0;
}

static void check_preamble_error(size_t at)
{
    const char *const ends[] = {
        ": not a lathe checkpoint",     ", this program reads version 1",
        ": the second line is damaged", ": the header is damaged (its CRC-32 differs)",
        ": the header is malformed",
    };
    bool found = strstr(rt_error(), ": cut off in the header: ") != NULL;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        found |= error_ends(ends[i]);
    ck_assert_msg(found, "byte %zu: %s", at, rt_error());
}

START_TEST(every_damaged_byte_is_noticed)
{
    const char *path = in_folder("a.ckpt"), *broken = in_folder("b.ckpt");
    size_t bytes, body, arrays;
    write_sample(path);
    char *data = rt_read_file(path, &bytes);
    find_parts(data, &body, &arrays);
    ck_assert_uint_eq(bytes, arrays + sizeof conv_values + sizeof bias_values);
    static const char changes[] = {1, 16, (char)128};
    for (size_t i = 0; i < bytes * sizeof changes; i++) {
        size_t at = i / sizeof changes;
        data[at] ^= changes[i % sizeof changes];
        write_bytes(broken, data, bytes);
        data[at] ^= changes[i % sizeof changes];
        check_refused(broken);
        if (at < body)
            check_preamble_error(at);
        else if (at < arrays)
            check_error("%s: the header is damaged (its CRC-32 differs)", broken);
        else if (at < arrays + sizeof conv_values)
            check_error("%s: stem.weight: damaged (its CRC-32 differs)", broken);
        else
            check_error("%s: ema/fc.bias: damaged (its CRC-32 differs)", broken);
    }
    free(data);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
    const char *path = in_folder("a.ckpt"), *broken = in_folder("b.ckpt");
    size_t bytes, body, arrays;
    write_sample(path);
    char *data = rt_read_file(path, &bytes);
    find_parts(data, &body, &arrays);
    for (size_t length = 0; length < bytes; length++) {
        write_bytes(broken, data, length);
        char *wanted =
            length < body ? rt_format("%%s: %s", length < strlen("lathe checkpoint 1\n")
                                                     ? "not a lathe checkpoint"
                                                     : "the second line is damaged")
            : length < arrays
                ? rt_format("%%s: cut off in the header: %zu bytes, want at least %zu",
                            length, arrays)
                : rt_format("%%s: cut off: %zu bytes of arrays, want %zu",
                            length - arrays, bytes - arrays);
        check_refused_as(broken, wanted);
        free(wanted);
    }
    data[bytes] = 0;
    write_bytes(broken, data, bytes + 1);
    check_refused_as(broken, "%s: too long: 33 bytes of arrays, want 32");
    free(data);
}
END_TEST

START_TEST(other_files_are_refused)
{
    const char *path = in_folder("x");
    check_refused_as(path, "%s: No such file or directory");
    ck_assert_int_eq(mkdir(path, 0777), 0);
    check_refused_as(path, "%s: not a regular file");
    check_refused_as("/dev/zero", "%s: not a regular file");
    path = in_folder("y");
    write_text(path, "lathe checkpoint 2\nwhatever");
    check_refused_as(path, "%s: format version 2, this program reads version 1");
    write_text(path, "lathe checkpoint 1\nheader 99999999 bytes, crc32 00000000\n");
    check_refused_as(path, "%s: the second line is damaged");
}
END_TEST

/* ---- Forgery: a right CRC over a wrong header ---- */

#define NO_LINES                                                                         \
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
#define TEXTS "arch 0 lines, " NO_LINES "config 0 lines, " NO_LINES "progress 0 lines\n"
#define ARRAYS(count)                                                                    \
    TEXTS "arrays " count                                                                \
          ": name, shape, byte offset, crc32; behind them float32, little-endian\n"

static const struct {
    const char *header, *message;
} forgeries[] = {
    {"", "%s: the header is malformed"},
    {"arch 1 lines, " NO_LINES, "%s: the header is malformed"},
    {"arch 1 lines, " NO_LINES "a=1\n", "%s: the header is malformed"},
    {"arch 9999 lines, " NO_LINES "a=1\n", "%s: the header is malformed"},
    {"arch 0 lines, sha256 e3", "%s: the header is malformed"},
    {TEXTS, "%s: the header is malformed"},
    {ARRAYS("-1"), "%s: the header is malformed"},
    {ARRAYS("10001"), "%s: the header is malformed"},
    {ARRAYS("18446744073709551617"), "%s: the header is malformed"},
    {ARRAYS("0") "more", "%s: the header is malformed"},
    {ARRAYS("1"), "%s: the line of array 1, \"\", is malformed"},
    {ARRAYS("1") "a 1 0 00000000", "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 0 0 00000000\n", "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 2x-1 0 00000000\n", "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 1x1x1x1x1 0 00000000\n",
     "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 2147483648 0 00000000\n",
     "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 2147483647x2147483647x2147483647 0 00000000\n",
     "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 1 4 00000000\n", "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a 1 0 0000\n", "%s: the line of array 1, \"a\", is malformed"},
    {ARRAYS("1") "a\tb 1 0 00000000\n",
     "%s: the line of array 1, \"a\\x09b\", is malformed"},
    {ARRAYS("1") "a 2147483647x2147483647 0 00000000\n",
     "%s: cut off: 8 bytes of arrays, want 18446744056529682436"},
    {ARRAYS("2") "a 2147483647x2147483647 0 00000000\nb 2147483647x2147483647 "
                 "18446744056529682436 00000000\n",
     "%s: the line of array 2, \"b\", is malformed"},
    {ARRAYS("2") "a 1 0 00000000\na 1 4 00000000\n", "%s: the header is malformed"},
};

START_TEST(forgery_is_refused)
{
    const char *path = in_folder("f.ckpt"), *header = forgeries[_i].header;
    size_t bytes = strlen(header);
    char *text =
        rt_format("lathe checkpoint 1\nheader %zu bytes, crc32 %08lx\n%s12345678", bytes,
                  crc32_z(0, (const Bytef *)header, bytes), header);
    write_text(path, text);
    free(text);
    check_refused_as(path, forgeries[_i].message);
}
END_TEST

START_TEST(zero_byte_in_header_is_refused)
{
    const char *path = in_folder("f.ckpt"), header[] = ARRAYS("0") "\0";
    size_t bytes = sizeof header;
    char *text = rt_format("lathe checkpoint 1\nheader %zu bytes, crc32 %08lx\n", bytes,
                           crc32_z(0, (const Bytef *)header, bytes));
    size_t start = strlen(text);
    text = rt_grow(text, start + bytes);
    memcpy(text + start, header, bytes);
    write_bytes(path, text, start + bytes);
    free(text);
    check_refused_as(path, "%s: the header is damaged (its CRC-32 differs)");
}
END_TEST

/* ---- Writing ---- */

START_TEST(bad_writes_leave_nothing)
{
    Checkpoint checkpoint = sample();
    const char *path = in_folder("none/a.ckpt");
    ck_assert(!checkpoint_write(path, &checkpoint));
    check_error("%s: No such file or directory", path);
    path = in_folder("a.ckpt");
    checkpoint.arrays[1].name[0] = ' ';
    ck_assert(!checkpoint_write(path, &checkpoint));
    check_error("%s: \" ma/fc.bias\" is no name for an array", path);
    struct stat status;
    ck_assert_int_ne(stat(path, &status), 0);
    checkpoint_free(&checkpoint);
}
END_TEST

/* ---- Matching and taking ---- */

static const struct {
    const char *config, *message; /* NULL: matches */
} configs[] = {
    {"train.epochs=3\ntrain.lr=0.1\n", NULL},
    {"train.epochs=9\ntrain.lr=0.1\n", NULL},
    {"train.lr=0.1\n", NULL},
    {"train.epochs=3\ntrain.lr=0.2\n",
     "%s: train.lr: the checkpoint has 0.1, the config says 0.2"},
    {"train.epochs=3\ntrain.lr=0.10\n",
     "%s: train.lr: the checkpoint has 0.1, the config says 0.10"},
    {"train.epochs=3\n", "%s: train.lr: the checkpoint has 0.1, the config says nothing"},
    {"train.batch=8\ntrain.epochs=3\ntrain.l=2\ntrain.lr=0.1\n",
     "%s: train.batch: the checkpoint has nothing, the config says 8"},
    /* of before layers' fields were kept: nothing is known of them */
    {"layer.fields=recorded\nlayer.drop.rate=0.5\ntrain.epochs=3\ntrain.lr=0.1\n", NULL},
};

START_TEST(config_differences_are_named)
{
    Checkpoint checkpoint = sample();
    bool same = checkpoint_match_config(&checkpoint, "a.ckpt", configs[_i].config);
    ck_assert_int_eq(same, configs[_i].message == NULL);
    if (!same)
        check_error(configs[_i].message, "a.ckpt");
    checkpoint_free(&checkpoint);
}
END_TEST

/* Whose sums are right, as of a run that diverged. */
START_TEST(values_are_finite)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    static const char *const names[] = {"NaN", "infinite", "infinite"};
    const char *path = in_folder("a.ckpt");
    Checkpoint checkpoint = sample();
    checkpoint.arrays[0].values[4] = wrong[_i];
    ck_assert(checkpoint_write(path, &checkpoint));
    checkpoint_free(&checkpoint);
    char *message =
        rt_format("%%s: stem.weight: value 4 is %s, want finite numbers", names[_i]);
    check_refused_as(path, message);
    free(message);
}
END_TEST

static const struct {
    const char *has, *says, *message;
} quantisers[] = {
    {"", "", NULL},
    {"quantised.a=w_bits 4\n", "", NULL}, /* a float network takes its weights */
    {"quant.w_bits=8\nquantised.a=w_bits 4\n", "quant.w_bits=4\nquantised.a=w_bits 4\n",
     NULL},
    {"quant.quantizer=uniform_static\n", "quantised.a=w_bits 4\n",
     "%s: these are float weights, the config is quantised: run lathe ptq or lathe train "
     "with them first"},
    {"quantised.a=w_bits 4\n", "quantised.a=w_bits 5\n",
     "%s: quantised.a: the checkpoint has w_bits 4, the config says w_bits 5; quantise "
     "its "
     "float weights anew with lathe ptq or lathe train"},
    {"quantised.a=w_bits 4\nquantised.b=a_bits 4\n", "quantised.a=w_bits 4\n",
     "%s: quantised.b: the checkpoint has a_bits 4, the config says nothing; quantise "
     "its "
     "float weights anew with lathe ptq or lathe train"},
};
enum { QUANTISERS = sizeof quantisers / sizeof *quantisers };

START_TEST(quantisers_are_compared_by_layer)
{
    Checkpoint checkpoint = sample();
    free(checkpoint.config);
    checkpoint.config = rt_format("%s", quantisers[_i].has);
    bool same = checkpoint_match_quantisers(&checkpoint, "a.ckpt", quantisers[_i].says);
    ck_assert_int_eq(same, quantisers[_i].message == NULL);
    if (!same)
        check_error(quantisers[_i].message, "a.ckpt");
    checkpoint_free(&checkpoint);
}
END_TEST

START_TEST(arch_differences_are_named)
{
    Checkpoint checkpoint = sample();
    ck_assert(checkpoint_match_arch(&checkpoint, "a", checkpoint.arch));
    ck_assert(!checkpoint_match_arch(&checkpoint, "a", "stem=conv 3\nfc=dense 10\n"));
    check_error("%s: fc: the checkpoint has dense 2, the config says dense 10", "a");
    ck_assert(!checkpoint_match_arch(&checkpoint, "a", "stem=conv 3\n"));
    check_error("%s: fc: the checkpoint has dense 2, the config says nothing", "a");
    checkpoint_free(&checkpoint);
}
END_TEST

START_TEST(taking_wants_every_array_in_its_shape)
{
    Checkpoint checkpoint = sample();
    float values[32] = {0};
    Param params[] = {conv, bias};
    ck_assert(checkpoint_take(&checkpoint, "a", "ema/", &bias, 1, values));
    ck_assert_mem_eq(values + 16, bias_values, sizeof bias_values);
    ck_assert(!checkpoint_take(&checkpoint, "a", "", params, 2, values));
    check_error("%s: fc.bias: not in the checkpoint", "a");
    params[0].shape[3] = 4;
    ck_assert(!checkpoint_take(&checkpoint, "a", "", params, 1, values));
    check_error("%s: stem.weight: the checkpoint has shape 1x2x1x3, the config says "
                "1x2x1x4",
                "a");
    params[0].rank = 3;
    ck_assert(!checkpoint_take(&checkpoint, "a", "", params, 1, values));
    check_error("%s: stem.weight: the checkpoint has shape 1x2x1x3, the config says "
                "1x2x1",
                "a");
    checkpoint_free(&checkpoint);
}
END_TEST

START_TEST(averages_are_for_use)
{
    Checkpoint checkpoint = sample();
    static const float plain[] = {7, 8};
    float values[32] = {0};
    checkpoint_add(&checkpoint, "", &bias, plain);
    ck_assert(checkpoint_take_for_use(&checkpoint, "a", &bias, 1, values));
    ck_assert_mem_eq(values + 16, bias_values, sizeof bias_values);
    ck_assert(checkpoint_take_for_use(&checkpoint, "a", &conv, 1, values));
    ck_assert_mem_eq(values, conv_values, sizeof conv_values);
    checkpoint_free(&checkpoint);
}
END_TEST

Suite *checkpoint_suite(void)
{
    TCase *tests = tcase_create("checkpoint");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, empty_and_unended_texts);
    tcase_add_test(tests, header_is_readable);
    tcase_add_test(tests, every_damaged_byte_is_noticed);
    tcase_add_test(tests, every_cut_is_noticed);
    tcase_add_test(tests, other_files_are_refused);
    tcase_add_loop_test(tests, forgery_is_refused, 0,
                        sizeof forgeries / sizeof forgeries[0]);
    tcase_add_test(tests, zero_byte_in_header_is_refused);
    tcase_add_test(tests, bad_writes_leave_nothing);
    tcase_add_loop_test(tests, values_are_finite, 0, 3);
    tcase_add_loop_test(tests, quantisers_are_compared_by_layer, 0, QUANTISERS);
    tcase_add_loop_test(tests, config_differences_are_named, 0,
                        sizeof configs / sizeof configs[0]);
    tcase_add_test(tests, arch_differences_are_named);
    tcase_add_test(tests, taking_wants_every_array_in_its_shape);
    tcase_add_test(tests, averages_are_for_use);
    Suite *suite = suite_create("checkpoint");
    suite_add_tcase(suite, tests);
    return suite;
}
