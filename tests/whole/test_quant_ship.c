/* The emitted file on its own: its self-test here, under the sanitizers and on other
 * processors; what cannot be emitted is refused. */
#include "tests/suites.h"

#include "gen/passes/compile.h"
#include "gen/passes/passes.h"
#include "gen/run/scores.h"
#include "gen/run/trace.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/quant_shipped.h"
#include "tests/tools/random_weights.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- The self-test ---- */

static const QuantCase cases[] = {
    {"uniform_static", {"net.width=16", "net.shortcut='B'"}, 1, true, ""},
    {"parametric_d_xmax", {"net.width=5", "net.growth=3", "net.pool=true"}, 6, false, ""},
};
enum { CASES = sizeof cases / sizeof *cases, WIDE = CASES };

static const struct {
    const char *compiler, *words[4], *emulator[4];
} machines[] = {
    {"gcc", {"-O2", "-march=native"}, {NULL}},
    {"gcc", {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}, {NULL}},
    {"clang", {"-O1"}, {NULL}},
    {"tcc", {NULL}, {NULL}},
    {"aarch64-linux-gnu-gcc", {"-O2", "-static"}, {"qemu-aarch64"}},
    {"aarch64-linux-gnu-gcc",
     {"-O2", "-static", "-march=armv8.2-a+dotprod"},
     {"qemu-aarch64"}},
    {"aarch64-linux-gnu-gcc",
     {"-O2", "-static", "-march=armv8.2-a+i8mm"},
     {"qemu-aarch64"}},
    {"arm-linux-gnueabihf-gcc", {"-O2", "-static"}, {"qemu-arm"}},
    {"riscv64-linux-gnu-gcc", {"-O2", "-static"}, {"qemu-riscv64"}},
    {"riscv64-linux-gnu-gcc",
     {"-O2", "-static", "-march=rv64gcv"},
     {"qemu-riscv64", "-cpu", "rv64,v=true,vext_spec=v1.0,vlen=128"}},
    {"s390x-linux-gnu-gcc", {"-O2", "-static"}, {"qemu-s390x"}},
    {"i686-linux-gnu-gcc", {"-O2", "-static"}, {"qemu-i386"}},
};
enum { MACHINES = sizeof machines / sizeof *machines };

/* c: NULL for tests/nets/wide.lua. */
static void ship(QuantNet *net, const char *file, const QuantCase *c, bool selftest)
{
    if (c)
        quant_net_open(net, c);
    else
        quant_net_open_other(net, "wide", (const char *const[]){NULL});
    random_checkpoint(&net->config, net->params, net->stats, in_folder("weights.ckpt"));
    ck_assert_msg(
        shipped_write(&net->config, in_folder("weights.ckpt"), file,
                      (ShippedOptions){.selftest = selftest ? selftest_make : NULL}),
        "%s", rt_error());
}

/* The exit status of the self-test built for that machine, and what it said. */
static int run_selftest(int machine, const char *file, char **said)
{
    const char *words[16] = {machines[machine].compiler};
    int count = 1;
    for (int i = 0; machines[machine].words[i]; i++)
        words[count++] = machines[machine].words[i];
    const char *const rest[] = {"-std=c99", "-Wall",
                                "-Wextra",  "-Wpedantic",
                                "-Werror",  "-DLATHE_SELFTEST",
                                "-o",       in_folder("selftest"),
                                file,       NULL};
    memcpy(words + count, rest, sizeof rest);
    compile_quietly(words);
    const char *run[8] = {NULL};
    count = 0;
    for (int i = 0; machines[machine].emulator[i]; i++)
        run[count++] = machines[machine].emulator[i];
    run[count] = in_folder("selftest");
    int status = process_run(NULL, in_folder("said"), NULL, run);
    *said = rt_read_file(in_folder("said"), NULL);
    return status;
}

START_TEST(the_self_test_passes_everywhere)
{
    QuantNet net;
    ship(&net, in_folder("file.c"), _i == WIDE ? NULL : &cases[_i], true);
    for (int i = 0; i < MACHINES; i++) {
        const char *emulator = machines[i].emulator[0];
        char *said;
        if (!program_installed(machines[i].compiler) ||
            (emulator && !program_installed(emulator))) {
            printf("skipped: %s %s\n", machines[i].compiler, emulator ? emulator : "");
            continue;
        }
        int status = run_selftest(i, in_folder("file.c"), &said);
        ck_assert_msg(status == 0 && strcmp(said, "passed: 0 of 15 scores differ\n") == 0,
                      "%s: status %d: %s", machines[i].compiler, status, said);
        free(said);
    }
    quant_net_close(&net);
}
END_TEST

/* The first number of the last array called `mark`, with another digit. */
static void change_a_number(char *text, const char *mark)
{
    char *at = NULL;
    for (char *next = text; (next = strstr(next, mark)); next++)
        at = next;
    ck_assert_ptr_nonnull(at);
    at = strpbrk(strchr(at, '{'), "0123456789");
    ck_assert_ptr_nonnull(at);
    at += at[1] == 'x' ? 8 : 0;
    *at = *at == '1' ? '2' : '1';
}

/* It cannot be overwritten while windows are still read from it. */
START_TEST(a_convolution_may_be_added_to_what_it_reads)
{
    const QuantCase itself = {
        "uniform_static", {"net.width=8", "net.itself=true"}, 1, false, ""};
    QuantNet net;
    char *said;
    ship(&net, in_folder("file.c"), &itself, true);
    ck_assert_msg(run_selftest(0, in_folder("file.c"), &said) == 0, "%s", said);
    ck_assert_str_eq(said, "passed: 0 of 15 scores differ\n");
    free(said);
    quant_net_close(&net);
}
END_TEST

START_TEST(the_self_test_can_fail)
{
    static const char *const marks[] = {"expected[3][5] = {", "_stem_packed["};
    QuantNet net;
    ship(&net, in_folder("file.c"), &cases[1], true);
    for (int i = 0; i < 2; i++) {
        char *text = rt_read_file(in_folder("file.c"), NULL), *said;
        change_a_number(text, marks[i]);
        write_text(in_folder("wrong.c"), text);
        ck_assert_msg(run_selftest(0, in_folder("wrong.c"), &said) == 1, "%s: %s",
                      marks[i], said);
        ck_assert_ptr_nonnull(strstr(said, "FAILED: "));
        ck_assert(i > 0 || strcmp(said, "FAILED: 1 of 15 scores differ\n") == 0);
        free(text);
        free(said);
    }
    quant_net_close(&net);
}
END_TEST

/* What a project compiles the file with: a hook after each layer, and where constants
 * lie. */
START_TEST(hooks_and_sections)
{
    QuantNet net;
    ship(&net, in_folder("file.c"), &cases[0], false);
    char *text = rt_format(
        "#include <string.h>\n"
        "static int calls, found;\n"
        "#define LATHE_HOOK(layer) (calls++, found += strcmp(layer, \"stem\") == 0)\n"
        "#define LATHE_WEIGHTS_ATTR __attribute__((section(\".weights\")))\n"
        "#include \"file.c\"\n"
        "int main(void)\n{\n"
        "    static uint8_t image[1 << 16];\n"
        "    static int64_t arena[1 << 16];\n"
        "    %s_classify(image, arena);\n"
        "    return calls < 5 || found < 1;\n}\n",
        net.config.name);
    write_text(in_folder("main.c"), text);
    const char *const build[] = {"gcc",     "-std=c99",          "-Wall",
                                 "-Wextra", "-Werror",           "-O1",
                                 "-o",      in_folder("hooked"), in_folder("main.c"),
                                 NULL};
    compile_quietly(build);
    const char *const run[] = {in_folder("hooked"), NULL};
    ck_assert_int_eq(process_run(NULL, NULL, NULL, run), 0);
    const char *const sections[] = {"objdump", "-h", in_folder("hooked"), NULL};
    ck_assert_int_eq(process_run(NULL, in_folder("said"), NULL, sections), 0);
    char *said = rt_read_file(in_folder("said"), NULL);
    ck_assert_ptr_nonnull(strstr(said, ".weights"));
    free(said);
    free(text);
    quant_net_close(&net);
}
END_TEST

START_TEST(an_arena_over_its_budget_is_refused)
{
    QuantNet net;
    ship(&net, in_folder("file.c"), &cases[0], false);
    char *header = rt_read_file(in_folder("file.h"), NULL);
    long bytes = strtol(strstr(header, "_ARENA_BYTES ") + 13, NULL, 10);
    const char *weights = in_folder("weights.ckpt"), *other = in_folder("other.c");
    ck_assert(shipped_write(&net.config, weights, other,
                            (ShippedOptions){.arena_budget = bytes,
                                             .budget_target = target_find("plain")}));
    unlink(other);
    ck_assert(!shipped_write(&net.config, weights, other,
                             (ShippedOptions){.arena_budget = bytes - 1,
                                              .budget_target = target_find("plain")}));
    char *want = rt_format("--arena-budget %ld: the arena takes %ld bytes; most of it, ",
                           bytes - 1, bytes);
    ck_assert_msg(strncmp(rt_error(), want, strlen(want)) == 0, "%s", rt_error());
    ck_assert_ptr_nonnull(strstr(rt_error(), "quant_family.lua:"));
    ck_assert_int_ne(access(other, F_OK), 0);
    rt_error_clear();
    free(header);
    free(want);
    quant_net_close(&net);
}
END_TEST

static const char *traced_object(const char *source, const char *object)
{
    const char *const words[] = {
        "gcc",     "-std=c99", "-Wall",         "-Wextra", "-Wpedantic", "-Werror", "-O1",
        "-shared", "-fPIC",    "-DLATHE_TRACE", "-o",      object,       source,    NULL};
    compile_quietly(words);
    return object;
}

/* verify says where two builds part: in the layer whose weight was changed, not in those
 * that follow. */
START_TEST(the_layer_that_differs_is_named)
{
    QuantNet net;
    Net infer;
    char said[2][256];
    ship(&net, in_folder("file.c"), &cases[0], false);
    const CompileOptions options = {.target = target_find("plain")};
    ck_assert(compile_infer(&net.config, &options, &infer));
    char *text = rt_read_file(in_folder("file.c"), NULL);
    change_a_number(text, "_b0_b_packed[");
    write_text(in_folder("wrong.c"), text);
    uint8_t *image = rt_alloc(net.pixels);
    random_bytes(image, net.pixels);
    const char *right = traced_object(in_folder("file.c"), in_folder("right.so"));
    const char *wrong = traced_object(in_folder("wrong.c"), in_folder("wrong.so"));
    for (int i = 0; i < 2; i++)
        trace_difference(right, i ? wrong : right, net.config.name, image,
                         (size_t)infer.arena_bytes, net.classes, said[i], sizeof said[i]);
    ck_assert_str_eq(said[0], "the builds agree on every layer");
    ck_assert_msg(strncmp(said[1], "b0_b: row ", 10) == 0, "%s", said[1]);
    net_free(&infer);
    quant_net_close(&net);
    free(image);
    free(text);
}
END_TEST

/* verify makes arenas before it knows how many bits were learned. */
START_TEST(the_arena_is_as_planned)
{
    QuantNet net;
    Net infer;
    ship(&net, in_folder("file.c"), &cases[_i], false);
    const CompileOptions options = {.target = target_find("plain")};
    ck_assert(compile_infer(&net.config, &options, &infer));
    char *header = rt_read_file(in_folder("file.h"), NULL);
    const char *at = strstr(header, "_ARENA_BYTES ");
    ck_assert_int_eq(strtol(at + strlen("_ARENA_BYTES "), NULL, 10), infer.arena_bytes);
    net_free(&infer);
    free(header);
    quant_net_close(&net);
}
END_TEST

/* ---- Refused ---- */

#define STATIC_LAYERS(text)                                                              \
    "quant={ quantizer = 'uniform_static', layers = { " text " } }"

static const struct {
    const char *set, *layer, *why;
} refused[] = {
    {STATIC_LAYERS("{ 'stem', w_bits = 32 }"), "stem",
     "weights are kept at 32 bits; it trains, but has no integer form"},
    {STATIC_LAYERS("{ 'b1_b', w_bits = 32 }"), "b1_b",
     "weights are kept at 32 bits; it trains, but has no integer form"},
    {STATIC_LAYERS("{ 'b1_proj', w_bits = 32 }"), "b1_proj",
     "weights are kept at 32 bits; it trains, but has no integer form"},
    {STATIC_LAYERS("{ 'last', w_bits = 32 }"), "last",
     "weights are kept at 32 bits; it trains, but has no integer form"},
    {STATIC_LAYERS("{ 'b0_a', a_bits = 32 }"), "b0_a_bn",
     "activation is kept at 32 bits; it trains, but has no integer form"},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(layers_at_32_bits_are_refused)
{
    const QuantCase c = {"", {"net.shortcut='B'", refused[_i].set}, -1, false, NULL};
    QuantNet net;
    quant_net_open(&net, &c);
    random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
    ck_assert(!shipped_write(&net.config, in_folder("weights.ckpt"), in_folder("x.c"),
                             (ShippedOptions){.selftest = selftest_make}));
    const Net *layout = &net.config.net;
    int i = 0;
    while (i + 1 < layout->op_count &&
           strcmp(layout->ops[i].name, refused[_i].layer) != 0)
        i++;
    char *want = rt_format("tests/nets/quant_family.lua:%d: %s: %s", layout->ops[i].line,
                           refused[_i].layer, refused[_i].why);
    ck_assert_str_eq(rt_error(), want);
    ck_assert_int_ne(access(in_folder("x.c"), F_OK), 0);
    free(want);
    quant_net_close(&net);
}
END_TEST

/* At once, by what comes before emit. */
START_TEST(what_cannot_be_shipped_is_a_warning)
{
    const char *config = net_config("quant_family"), *set = refused[_i].set;
    const char *data = in_folder("pictures");
    QuantNet net;
    quant_net_open(&net, &(QuantCase){"", {"net.shortcut='B'", set}, -1, false, NULL});
    const Net *layout = &net.config.net;
    int line = 0;
    for (int i = 0; i < layout->op_count; i++)
        if (strcmp(layout->ops[i].name, refused[_i].layer) == 0)
            line = layout->ops[i].line;
    char *want = rt_format("warning: tests/nets/quant_family.lua:%d: %s: %s\n", line,
                           refused[_i].layer, refused[_i].why);
    ck_assert_int_eq(LATHE("show", config, "--set", "net.shortcut='B'", "--set", set), 0);
    ck_assert_str_eq(err, want);
    ck_assert_int_eq(LATHE("ptq", config, "--set", "net.shortcut='B'", "--set", set,
                           "--weights", data, "--data", data, "-o", in_folder("q.ckpt")),
                     1);
    ck_assert_msg(strncmp(err, want, strlen(want)) == 0, "%s", err);
    ck_assert_int_eq(LATHE("train", config, "--set", "net.shortcut='B'", "--set", set,
                           "--data", data, "--jit=tcc", "-o", in_folder("run")),
                     1);
    ck_assert_msg(strncmp(err, want, strlen(want)) == 0, "%s", err);
    free(want);
    quant_net_close(&net);
}
END_TEST

START_TEST(what_can_be_shipped_is_none)
{
    static const char *const ships[] = {"quant_family", "preact", "residual"};
    LATHE_OK("show", net_config(ships[_i]));
}
END_TEST

/* 1056 pixels of 64 channels: 1056 * 64 * 255 * 127 is 2^31 and a little. */
START_TEST(scores_that_can_overflow_32_bits_have_64)
{
    const QuantCase c = {
        "",
        {"net.side=64", "net.width=64", "net.growth=1",
         _i ? "quant={ quantizer='uniform_static', w_bits=8, a_bits=7 }"
            : "quant={ quantizer='uniform_static', w_bits=8, a_bits=8 }"},
        -1,
        false,
        NULL};
    QuantNet net;
    quant_net_open(&net, &c);
    Net fused = net_copy(&net.config.net);
    pass_fuse(&fused, false);
    ck_assert_msg(pass_integer(&fused, true), "%s", rt_error());
    const Op *last = &fused.ops[fused.op_count - 1];
    ck_assert_int_eq(op_in(&fused, last, "bias")->type, _i ? TYPE_I32 : TYPE_I64);
    net_free(&fused);
    quant_net_close(&net);
}
END_TEST

Suite *quant_ship_suite(void)
{
    TCase *tests = tcase_create("quant_ship");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, the_self_test_passes_everywhere, 0, WIDE + 1);
    tcase_add_test(tests, a_convolution_may_be_added_to_what_it_reads);
    tcase_add_test(tests, the_self_test_can_fail);
    tcase_add_test(tests, hooks_and_sections);
    tcase_add_test(tests, an_arena_over_its_budget_is_refused);
    tcase_add_test(tests, the_layer_that_differs_is_named);
    tcase_add_loop_test(tests, the_arena_is_as_planned, 0, CASES);
    tcase_add_loop_test(tests, layers_at_32_bits_are_refused, 0, REFUSED);
    tcase_add_loop_test(tests, what_cannot_be_shipped_is_a_warning, 0, REFUSED);
    tcase_add_loop_test(tests, what_can_be_shipped_is_none, 0, 3);
    tcase_add_loop_test(tests, scores_that_can_overflow_32_bits_have_64, 0, 2);
    Suite *suite = suite_create("quant_ship");
    suite_add_tcase(suite, tests);
    return suite;
}
