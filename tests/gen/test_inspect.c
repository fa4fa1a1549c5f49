/* What `show` and `diff` say of layers, and the line map they go by. */
#include "tests/suites.h"

#include "gen/show/inspect.h"
#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/random_weights.h"
#include "tests/tools/sanitized.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void says(const char *text)
{
    ck_assert_msg(strstr(out, text) != NULL, "no \"%s\" in:\n%.3000s", text, out);
}

static void says_not(const char *text)
{
    ck_assert_msg(strstr(out, text) == NULL, "\"%s\" in:\n%.3000s", text, out);
}

/* What an Inspection points to. */
typedef struct {
    Config config;
    CompileOptions compile;
} Looked;

static void open_net(Inspection *it, Looked *at, const char *path, const char *target)
{
    *at = (Looked){.compile.target = target_find(target)};
    ck_assert_msg(config_load(path, NULL, 0, &at->config), "%s", rt_error());
    const Subject subject = {&at->config, path, NULL, 0, &at->compile};
    ck_assert_msg(inspect_open(it, &subject, NULL), "%s", rt_error());
}

/* ---- The line map ---- */

static const char *const nets[] = {"residual", "quant_family", "odd", "geometry"};
enum { NETS = 4, TARGETS = TARGET_COUNT };

static const Part *part_at(const Source *source, int line)
{
    const Part *found = NULL;
    for (int i = 0; i < source->map.count; i++) {
        const Part *part = &source->map.parts[i];
        if (line < part->first || line > part->last)
            continue;
        ck_assert_ptr_null(found); /* no line in two parts */
        found = part;
    }
    return found;
}

/* The function `name` lies in one part of this kind, from the comment above to its last
 * line. */
static int check_function(const Source *source, const char *name, PartKind kind,
                          int after)
{
    char *start = rt_format("static void %s(", name);
    int line = after + 1;
    while (line <= source->line_count &&
           strncmp(source->lines[line], start, strlen(start)) != 0)
        line++;
    free(start);
    if (line > source->line_count)
        return 0;
    const Part *part = part_at(source, line);
    ck_assert_msg(part != NULL && part->kind == kind, "%s:%d: %s", source->file, line,
                  name);
    if (strncmp(source->lines[line - 1], "/*", 2) == 0)
        ck_assert_ptr_eq(part_at(source, line - 1), part);
    for (; strcmp(source->lines[line], "}") != 0; line++)
        ck_assert_ptr_eq(part_at(source, line), part);
    ck_assert_ptr_eq(part_at(source, line), part);
    return line;
}

static void check_ops(const Inspection *it, int program)
{
    const Net *net = &it->programs[program];
    const Source *source = inspect_source(it, program);
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        const char *suffix = op_info[op->kind].suffix;
        const char *first =
            program == PROGRAM_INFER ? it->config->name : program_names[program];
        char *name = rt_format("%s_%s_%s", first, op->name, suffix);
        int line = 0, found = 0;
        while ((line = check_function(source, name, PART_FUNCTION, line))) {
            const Part *part = part_at(source, line);
            if (!inspect_is_read(it, program, part)) /* another target's */
                continue;
            found++;
            ck_assert_str_eq(part->program, program_names[program]);
            ck_assert_int_eq(part->op, i);
            ck_assert(inspect_part_is_of(it, source, part, program, op->layer,
                                         inspect_is_backward(op)));
        }
        ck_assert_msg(found == 1, "%d functions %s", found, name);
        if (op->lowering == LOWER_DIRECT && op->kernel[0])
            for (line = 0;
                 (line = check_function(source, op->kernel, PART_KERNEL, line));)
                ck_assert_str_eq(part_at(source, line)->kernel, op->kernel);
        free(name);
    }
}

START_TEST(every_line_of_a_function_is_mapped)
{
    Looked at;
    Inspection it;
    char *path = net_path(nets[SAMPLED(_i) / TARGETS]);
    open_net(&it, &at, path, target_table[SAMPLED(_i) % TARGETS].name);
    for (int program = 0; program < (it.has_infer ? PROGRAM_COUNT : PROGRAM_INFER);
         program++)
        check_ops(&it, program);
    ck_assert(it.has_infer);
    for (int i = 1; i < it.network.map.count; i++)
        ck_assert_int_gt(it.network.map.parts[i].first, it.network.map.parts[i - 1].last);
    inspect_close(&it);
    config_free(&at.config);
    free(path);
}
END_TEST

/* Every layer of the config is found in every program: itself, or what took it in. */
START_TEST(no_layer_is_lost)
{
    Looked at;
    Inspection it;
    char *path = net_path(nets[_i]);
    open_net(&it, &at, path, "plain");
    for (int program = 0; program < PROGRAM_COUNT; program++)
        for (int layer = 0; layer < at.config.net.op_count; layer++) {
            int by = inspect_done_by(&it, program, layer);
            ck_assert_msg(by != NONE, "%s in %s", at.config.net.ops[layer].name,
                          program_names[program]);
        }
    if (_i == 0) { /* a convolution takes in what follows, when the network is shipped */
        int conv = inspect_layer(&it, "b0_b"), bn = inspect_layer(&it, "b0_b_bn");
        ck_assert_int_eq(inspect_done_by(&it, PROGRAM_INFER, bn), conv);
        ck_assert_int_eq(inspect_done_by(&it, PROGRAM_INFER, bn + 2), conv);
        ck_assert_int_eq(inspect_done_by(&it, PROGRAM_TRAIN, bn + 2), bn);
    }
    inspect_close(&it);
    config_free(&at.config);
    free(path);
}
END_TEST

/* ---- Cost, counted by hand for tests/golden/tiny.lua: 4x5x1 -> 4x5x2, batches of 4 ----
 */

START_TEST(costs_are_those_counted_by_hand)
{
    Looked at;
    Inspection it;
    char *path = rt_format("%s/tests/golden/tiny.lua", lathe_program());
    *strstr(path, "/out/") = 0;
    char *tiny = rt_format("%s/tests/golden/tiny.lua", path);
    open_net(&it, &at, tiny, "plain");
    int a = inspect_layer(&it, "a");
    const Cost forward = inspect_cost(&it, PROGRAM_TRAIN, a, false);
    ck_assert_int_eq(forward.ops, 1);
    ck_assert_int_eq(forward.macs, 20 * 2 * 9);
    ck_assert_double_eq(forward.bytes, 20 * 4 + 40 * 4 + 18 * 4 / 4.0);
    const Cost backward = inspect_cost(&it, PROGRAM_TRAIN, a, true);
    const double sums = 18 * 4 * 16 / 4.0; /* of each chunk, over the images of a batch */
    ck_assert_int_eq(backward.ops, 2);     /* by weights, and their sum over chunks */
    ck_assert_int_eq(backward.macs, 20 * 2 * 9);
    ck_assert_double_eq(backward.bytes, 20 * 4 + 40 * 4 + sums + sums + 18 * 4 / 4.0);
    const Cost infer = inspect_cost(&it, PROGRAM_INFER, a, false);
    ck_assert_double_eq(infer.bytes, 20 * 4 + 40 * 4 + 18 * 4);
    inspect_close(&it);
    config_free(&at.config);
    free(path);
    free(tiny);
}
END_TEST

/* ---- show LAYER ---- */

START_TEST(a_float_layer_is_shown)
{
    char *path = net_path("residual");
    LATHE_OK("show", path, "b0_a", "--target", "avx2");
    says("b0_a: conv 3x3/1, 4x4x4 -> 4x4x4; 144 parameters, 2304 MACs, 576 bytes at 32 "
         "bits\n");
    says("tests/nets/residual.lua\n");
    says("\n>     9              return bn{ conv{ x, name = name, out = out, kernel = 3");
    says("---- IR, train ----\n");
    says("\n  b0_a CONV: convolution\n    kernel_h=3 kernel_w=3 stride=1 ");
    says("CONV_BWD_WEIGHT");
    says("-> y          b0_a ");
    says("---- C, training, forward ----\n\nnetwork.c:");
    says("static void train_b0_a_forward(const At *at)\n{\n");
    says("static void train_b0_a_backward_weight(const At *at)\n{\n");
    says("static void evaluate_b0_a_forward(const At *at)\n{\n");
    says("static void residual_b0_a_forward(const uint8_t *image, char *arena, float "
         "*scores)\n{\n");
    says("static void residual_conv_folded_3x3_");
    says_not("train_b0_b_forward");
    LATHE_OK("show", path, "b0_a_relu");
    says("b0_a_relu is done by b0_a: lathe show tests/nets/residual.lua b0_a\n");
    free(path);
}
END_TEST

/* Quantisers without and with the numbers of a checkpoint. */
START_TEST(a_quantised_layer_is_shown)
{
    Config config;
    char *path = net_path("quant_family");
    const char *const sets[] = {"quant.layers={{ 'b1_a', per_channel = true }}"};
    ck_assert_msg(config_load(path, sets, 1, &config), "%s", rt_error());
    float *params = rt_alloc(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc(config.net.stat_floats * sizeof(float));
    random_weights(&config.net, params, stats);
    int layer = NONE;
    for (int i = 0; i < config.net.op_count; i++)
        layer = strcmp(config.net.ops[i].name, "b0_a") == 0 ? i : layer;
    stats[config.net.tensors[config.net.ops[layer].own.range].offset] =
        3.5F; /* 7 codes */
    random_checkpoint(&config, params, stats, in_folder("w.ckpt"));
    LATHE_OK("show", path, "b0_a", "--set", sets[0]);
    says("\nweights: uniform_static, 4 bits, one step; its range: with --weights FILE\n");
    says("72 bytes at 4 bits\n");
    says(" quantizer=uniform_static w_bits=4 a_bits=4 per_channel=false ");
    says("static void train_b0_a_quantise(");
    says(" I_UNPACK: ");
    says("static void quant_family_b0_a_forward(const uint8_t *image, char *arena, "
         "int32_t *scores)\n");
    LATHE_OK("show", path, "b0_a", "--set", sets[0], "--weights", in_folder("w.ckpt"));
    says("\nweights: uniform_static, 4 bits, one step, step 0.5, range 3.5\n");
    LATHE_OK("show", path, "b1_a", "--set", sets[0], "--weights", in_folder("w.ckpt"));
    says("\nweights: uniform_static, 4 bits, one step a channel, step ");
    says("..");
    ck_assert_int_eq(
        LATHE("show", path, "b0_a", "--set", "quant.layers={{ 'b0_a', w_bits = 32 }}"),
        0);
    ck_assert_ptr_nonnull(strstr(err, "b0_a: weights are kept at 32 bits; it trains, "));
    says("---- C, infer.c ----\nthere is none: ");
    says("b0_a: weights are kept at 32 bits");
    config_free(&config);
    free(params);
    free(stats);
    free(path);
}
END_TEST

START_TEST(machine_code_is_shown)
{
#ifdef __x86_64__
    char *path = net_path("picture");
    LATHE_OK("show", path, "a", "--asm", "--target", "plain");
    says("---- machine code, train, forward ----\n");
    says("---- machine code, train, backward ----\n");
    const char *forward = strstr(out, "---- machine code, train, forward");
    const char *total = strstr(forward, " instructions as they lie in the object");
    ck_assert_ptr_nonnull(total);
    while (total[-1] != '\n')
        total--;
    long all, wide[3], scalar, others;
    double share;
    ck_assert_int_eq(
        sscanf(total,
               "%ld instructions as they lie in the object, padding aside; %lf %% are "
               "vector instructions:\n%ld of 512 bits, %ld of 256, %ld of 128; %ld "
               "scalar floating point, %ld others",
               &all, &share, &wide[0], &wide[1], &wide[2], &scalar, &others),
        7);
    long lines = 0; /* instructions printed above it */
    for (const char *line = strchr(forward, '\n') + 1; line < total;
         line = strchr(line, '\n') + 1)
        lines += strncmp(line, "    ", 4) == 0;
    ck_assert_int_eq(all, lines);
    ck_assert_int_eq(all, wide[0] + wide[1] + wide[2] + scalar + others);
    ck_assert_int_gt(scalar,
                     0); /* plain: no vectors in the template, no wide registers */
    ck_assert(wide[0] == 0 && wide[1] == 0);
    if (machine_runs("avx2")) {
        LATHE_OK("show", path, "a", "--asm", "--target", "avx2");
        forward = strstr(out, "---- machine code, train, forward");
        ck_assert_ptr_nonnull(strstr(forward, "vfmadd"));
        ck_assert_int_eq(
            sscanf(strstr(forward, " of 512 bits, "), " of 512 bits, %ld", &wide[1]), 1);
        ck_assert_int_gt(wide[1], 0);
    }
    says("of infer.c with the constants of a checkpoint: --weights FILE\n");
    free(path);
#endif
}
END_TEST

/* ---- diff ---- */

START_TEST(configs_are_compared)
{
    char *path = net_path("quant_family"), *other = net_path("residual");
    LATHE_OK("diff", path, path);
    ck_assert_str_eq(out, "identical\n");
    write_text(in_folder("changed.lua"),
               "local config = require 'quant_family'\n"
               "config.quant.layers = { { 'b0_a', w_bits = 8 } }\n"
               "config.train.lr = 0.5\n"
               "return config\n");
    char *text = rt_read_file(path, NULL);
    write_text(in_folder("quant_family.lua"), text);
    LATHE_OK("diff", path, in_folder("changed.lua"));
    says("fields\n");
    says("\n  train.lr 0.01 -> 0.5\n");
    says(
        "\n~ b0_a\n    bits 4 -> 8\n    bytes 72 -> 144\n    infer-forward-bytes-moved ");
    says("\n    w_bits 4 -> 8\n");
    says("\n    infer: no more I_UNPACK\n");
    says_not("~ b0_b\n");
    says("\ntotals\n  bytes of weights ");
    LATHE_OK("diff", path, other);
    says("\n- b1_b_avgpool: avgpool 4x5/1, 4x5x8");
    says("\n+ b2_a: conv 3x3/1, 2x2x8");
    says("\n~ ");
    free(text);
    free(path);
    free(other);
}
END_TEST

START_TEST(generated_programs_are_compared)
{
    char *path = net_path("quant_family");
    LATHE_OK("gen", path, "-o", in_folder("a"));
    LATHE_OK("gen", path, "-o", in_folder("b"));
    LATHE_OK("diff", in_folder("a"), in_folder("b"));
    ck_assert_str_eq(out, "identical\n");
    LATHE_OK("gen", path, "-o", in_folder("b"), "--set",
             "quant.layers={{ 'b0_a', w_bits = 5 }}");
    LATHE_OK("diff", in_folder("a"), in_folder("b"));
    says("network.c\n< ");
    says("\n~ b0_a\n--- ");
    says("\n-    rt_quant_weights(&(const RtWeights){{RT_QUANT_STATIC, 4, ");
    says("\n+    rt_quant_weights(&(const RtWeights){{RT_QUANT_STATIC, 5, ");
    says_not("\n~ b0_b\n");
    ck_assert_int_eq(unlink(in_folder("b/train.c")), 0);
    LATHE_OK("diff", in_folder("a"), in_folder("b"));
    says("train.c\n- only in ");
    LATHE_OK("gen", path, "-o", in_folder("b"), "--set", "net.shortcut='B'");
    LATHE_OK("diff", in_folder("a/network.c"), in_folder("b/network.c"));
    says("~ b1_short\n- only in ");
    says("~ b1_proj\n+ only in ");
    free(path);
}
END_TEST

/* ---- Mistakes ---- */

static const struct {
    const char *words[6],
        *message; /* CONFIG stands for a config, FOLDER for the test's */
} mistakes[] = {
    {{"show", "CONFIG", "b0_aa"},
     "lathe: tests/nets/residual.lua: no layer is called b0_aa; did you mean b0_a?\n"},
    {{"show", "CONFIG", "zzzzzz"},
     "lathe: tests/nets/residual.lua: no layer is called zzzzzz; lathe show "
     "tests/nets/residual.lua lists them\n"},
    {{"show", "CONFIG", "b0_a", "b0_b"}, "lathe: show: unexpected word b0_b\n"},
    {{"show", "CONFIG", "--asm"}, "lathe: show: --asm wants a LAYER\n"},
    {{"show", "CONFIG", "b0_a", "--dump", "train/plan"},
     "lathe: show: --dump is for whole programs: without a LAYER or --html\n"},
    {{"show", "CONFIG", "--html", "page.lua"},
     "lathe: show: --html page.lua: want a name that ends in .html\n"},
    {{"show", "CONFIG", "--html", "none/page.html"},
     "lathe: none/page.html: No such file or directory\n"},
    {{"show", "CONFIG", "b0_a", "--weights", "none"},
     "lathe: none: No such file or directory\n"},
    {{"diff", "CONFIG"},
     "lathe: diff: want two configs, or two generated folders or files\n"},
    {{"diff", "CONFIG", "FOLDER"},
     "lathe: diff: CONFIG is a config, FOLDER is none; want two of "
     "a kind\n"},
    {{"diff", "FOLDER", "FOLDER"},
     "lathe: FOLDER and FOLDER have no network.c, train.c or infer.c\n"},
    {{"diff", "none", "FOLDER"},
     "lathe: diff: FOLDER is a folder, none is none; want two of a "
     "kind\n"},
    {{"diff", "none", "none"}, "lathe: none: No such file or directory\n"},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

static char *with_names(const char *text, const char *config, const char *folder)
{
    static const char *const names[] = {"CONFIG", "FOLDER"};
    const char *const values[] = {config, folder};
    char *result = rt_format("%s", text);
    for (int i = 0; i < 2; i++) {
        for (char *at; (at = strstr(result, names[i]));) {
            char *longer = rt_format("%.*s%s%s", (int)(at - result), result, values[i],
                                     at + strlen(names[i]));
            free(result);
            result = longer;
        }
    }
    return result;
}

START_TEST(what_is_no_file_is_not_replaced)
{
    ck_assert_int_eq(symlink("/dev/null", in_folder("page.html")), 0);
    ck_assert_int_eq(
        LATHE("show", net_config("residual"), "--html", in_folder("page.html")), 1);
    char *want = rt_format("lathe: %s: not a regular file\n", in_folder("page.html"));
    ck_assert_str_eq(err, want);
    free(want);
    write_text(in_folder("to.html"), "old");
    ck_assert_int_eq(symlink(in_folder("to.html"), in_folder("link.html")), 0);
    LATHE_OK("show", net_config("residual"), "--html", in_folder("link.html"));
    char *text = rt_read_file(in_folder("to.html"), NULL); /* the link stays one */
    ck_assert_int_eq(strncmp(text, "<!DOCTYPE", 9), 0);
    free(text);
}
END_TEST

START_TEST(mistakes_are_explained)
{
    char *path = net_path("residual"), *words[6] = {NULL};
    const char *folder = in_folder("");
    for (int i = 0; i < 5 && mistakes[_i].words[i]; i++)
        words[i] = with_names(mistakes[_i].words[i], path, folder);
    ck_assert_int_eq(lathe_run(NULL, (const char *const *)words), 1);
    char *message = with_names(mistakes[_i].message, path, folder);
    ck_assert_str_eq(err, message);
    ck_assert_str_eq(out, "");
    for (int i = 0; i < 5; i++)
        free(words[i]);
    free(message);
    free(path);
}
END_TEST

Suite *inspect_suite(void)
{
    TCase *tests = tcase_create("inspect");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_line_of_a_function_is_mapped, 0,
                        SAMPLE(NETS * TARGETS));
    tcase_add_loop_test(tests, no_layer_is_lost, 0, NETS);
    tcase_add_test(tests, costs_are_those_counted_by_hand);
    tcase_add_test(tests, a_float_layer_is_shown);
    tcase_add_test(tests, a_quantised_layer_is_shown);
    tcase_add_test(tests, machine_code_is_shown);
    tcase_add_test(tests, configs_are_compared);
    tcase_add_test(tests, generated_programs_are_compared);
    tcase_add_test(tests, what_is_no_file_is_not_replaced);
    tcase_add_loop_test(tests, mistakes_are_explained, 0, MISTAKES);
    Suite *suite = suite_create("inspect");
    suite_add_tcase(suite, tests);
    return suite;
}
