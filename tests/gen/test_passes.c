/* The passes that say what is computed: shape, fuse, fold, grad; and the phases of a
 * transposed convolution. */
#include "tests/suites.h"

#include "gen/emit/constants.h"
#include "gen/ir/transposed.h"
#include "gen/passes/compile.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/programs.h"
#include "tests/tools/sanitized.h"

#include <stdlib.h>
#include <string.h>

/* The config whose layers these Lua lines lay out. */
static void lay_out(const char *lines, Config *config)
{
    char *text = rt_format("return { net = { layers = function()\n%s\nend } }\n", lines);
    write_text(in_folder("net.lua"), text);
    ck_assert_msg(config_load(in_folder("net.lua"), NULL, 0, config), "%s", rt_error());
    free(text);
}

/* ---- shape ---- */

/* Pads and pixels of a convolution, as TensorFlow's SAME or PyTorch's (kernel - 1) / 2
 * give them, against sliding the window over the padded axis. */
static void check_axis(int size, int before, int after, int kernel, int stride, int out)
{
    int windows = 0;
    for (int at = 0; at + kernel <= before + size + after; at += stride)
        windows++;
    ck_assert_int_eq(out, windows);
}

START_TEST(padding)
{
    static const char text[] =
        "    local y = conv{ image{ %d, %d, 1 }, name = 'a', out = 1, kernel = %d,\n"
        "        stride = %d, pad = '%s' }\n"
        "    return dense{ avgpool(y), name = 'last', out = 2 }";
    int kernel = _i % 7 + 1, stride = _i / 7 + 1;
    for (int size = 1; size <= 11; size++) {
        for (int same = 0; same < 2; same++) {
            Config config;
            int rows = size, columns = 12 - size, pad = (kernel - 1) / 2;
            if (!same && (rows + 2 * pad < kernel || columns + 2 * pad < kernel))
                continue; /* an even kernel on less */
            char *lines =
                rt_format(text, rows, columns, kernel, stride, same ? "same" : "torch");
            lay_out(lines, &config);
            const Op *op = &config.net.ops[1];
            const Tensor *y = op_out(&config.net, op, "y");
            check_axis(rows, op->pad_top, op->pad_bottom, kernel, stride, y->h);
            check_axis(columns, op->pad_left, op->pad_right, kernel, stride, y->w);
            if (same) {
                ck_assert_int_eq(y->h, (rows + stride - 1) / stride);
                ck_assert_int_eq(y->w, (columns + stride - 1) / stride);
                int all = (y->h - 1) * stride + kernel - rows;
                ck_assert_int_eq(op->pad_top + op->pad_bottom, all > 0 ? all : 0);
                ck_assert_int_eq(op->pad_top, (all > 0 ? all : 0) / 2);
                all = (y->w - 1) * stride + kernel - columns;
                ck_assert_int_eq(op->pad_left, (all > 0 ? all : 0) / 2);
            } else {
                ck_assert(op->pad_top == pad && op->pad_bottom == pad);
                ck_assert(op->pad_left == pad && op->pad_right == pad);
            }
            config_free(&config);
            free(lines);
        }
    }
}
END_TEST

/* ---- phases ---- */

/* Which output each tap of each input reaches: once, and nothing else. */
static void check_phases(int kernel, int stride, int pad, int size)
{
    enum { MOST = 16 };
    int outputs = (size + 2 * pad - kernel) / stride + 1;
    bool reached[MOST][MOST] = {{false}};
    int covered[MOST] = {0};
    Phase phases[MOST_STRIDE];
    int count = axis_phases(kernel, stride, pad, size, phases);
    for (int i = 0; i < count; i++) {
        const Phase *p = &phases[i];
        for (int j = 0; j < p->count; j++) {
            int input = p->first + j * stride;
            ck_assert_int_lt(input, size);
            covered[input]++;
            for (int u = 0; u < p->taps; u++) {
                int tap = p->tap - u * stride, output = p->start + j + u;
                ck_assert(tap >= 0 && tap < kernel);
                ck_assert_int_eq(output * stride + tap - pad, input);
                ck_assert(!reached[input][tap]);
                reached[input][tap] = true;
            }
        }
    }
    for (int input = 0; input < size; input++) {
        ck_assert_int_eq(covered[input], 1);
        for (int tap = 0; tap < kernel; tap++)
            for (int output = 0; output < outputs; output++)
                ck_assert(output * stride + tap - pad != input || reached[input][tap]);
    }
}

START_TEST(phases_are_the_transposed_convolution)
{
    int kernel = _i % 7 + 1, stride = _i / 7 + 1;
    for (int pad = 0; pad < kernel; pad++)
        for (int size = 1; size <= 12; size++)
            if (size + 2 * pad >= kernel)
                check_phases(kernel, stride, pad, size);
}
END_TEST

/* ---- fuse ---- */

/* The ops as "kind name(inputs)", names of the tensors read. */
static char *describe(const Net *net)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int i = 1; i < net->op_count - 2; i++) { /* between image and pool */
        const Op *op = &net->ops[i];
        if (op->kind == OP_BN_FOLD)
            continue; /* seen in its POINT */
        fprintf(file, "%s%s %s", i > 1 ? ", " : "", op_info[op->kind].name,
                net->tensors[op->out[0]].name);
        for (int j = 0; j < OP_INPUTS; j++)
            if (op->in[j] != NONE && net->tensors[op->in[j]].role != ROLE_PARAM)
                fprintf(file, " %s", net->tensors[op->in[j]].name);
        fputs(op->relu ? " relu" : "", file);
    }
    fclose(file);
    return text;
}

/* Layers on a convolution a, or on two, and what they become; y is the last. */
static const struct {
    const char *layers, *fused;
} fusions[] = {
    {"y = a", "CONV a image"},
    {"y = relu(a)", "CONV a image, POINT a_relu a relu"},
    {"y = bn(a)", "CONV a image, POINT a_bn a a_bn.coef"},
    {"y = relu(bn(a))", "CONV a image, POINT a_relu a a_bn.coef relu"},
    {"y = bn(relu(a))", "CONV a image, POINT a_relu a relu, POINT a_bn a_relu a_bn.coef"},
    {"y = add(a, x)", "CONV a image, POINT a_add a image"},
    {"y = add(x, a)", "CONV a image, POINT image_add image a"},
    {"y = add(a, a)", "CONV a image, POINT a_add a a"},
    {"y = relu(add(a, x))", "CONV a image, POINT a_relu a image relu"},
    {"y = add(bn(a), x)", "CONV a image, POINT a_add a a_bn.coef image"},
    {"y = add(x, bn(a))", "CONV a image, POINT image_add a a_bn.coef image"},
    {"y = relu(add(bn(a), x))", "CONV a image, POINT a_relu a a_bn.coef image relu"},
    {"y = relu(add(x, bn(a)))", "CONV a image, POINT image_relu a a_bn.coef image relu"},
    {"y = add(relu(bn(a)), x)",
     "CONV a image, POINT a_relu a a_bn.coef relu, POINT a_add a_relu image"},
    {"y = bn(add(a, x))",
     "CONV a image, POINT a_add a image, POINT a_bn a_add a_bn.coef"},
    {"y = relu(relu{ a, name = 'r' })",
     "CONV a image, POINT r a relu, POINT r_relu r relu"},
    {"y = add(add{ a, x, name = 's' }, x)",
     "CONV a image, POINT s a image, POINT s_add s image"},
    /* What something else reads must stay: */
    {"y = relu(add{ bn(a), a, name = 's' })",
     "CONV a image, POINT s_relu a a_bn.coef a relu"},
    {"local b = bn(a) y = add(relu(b), b)", "CONV a image, POINT a_bn a a_bn.coef, POINT "
                                            "a_relu a_bn relu, POINT a_add a_relu a_bn"},
    {"local s = add(bn(a), x) y = add{ relu(s), s, name = 't' }",
     "CONV a image, POINT a_add a a_bn.coef image, POINT a_relu a_add relu, POINT t "
     "a_relu a_add"},
    /* A projection: the add joins one of the two. */
    {"local b = conv{ x, name = 'b', out = 3, kernel = 1 } y = relu(add(bn(a), bn(b)))",
     "CONV a image, CONV b image, POINT b_bn b b_bn.coef, POINT a_relu a a_bn.coef b_bn "
     "relu"},
    {"local b = conv{ x, name = 'b', out = 3, kernel = 1 } y = relu(add(bn(b), bn(a)))",
     "CONV a image, CONV b image, POINT a_bn a a_bn.coef, POINT b_relu b b_bn.coef a_bn "
     "relu"},
};
enum { FUSIONS = sizeof fusions / sizeof *fusions };

static char *layers_of(const char *y)
{
    return rt_format("    local x = image{ 4, 4, 3 }\n"
                     "    local a = conv{ x, name = 'a', out = 3, kernel = 3 }\n"
                     "    local y %s\n"
                     "    return dense{ avgpool{ y, name = 'pool' }, name = 'last', "
                     "out = 2 }",
                     y);
}

START_TEST(runs_become_points)
{
    Config config;
    char *lines = layers_of(fusions[_i].layers);
    lay_out(lines, &config);
    Net net = net_copy(&config.net);
    pass_fuse(&net, false);
    net_verify(&net, "fuse");
    char *fused = describe(&net);
    ck_assert_str_eq(fused, fusions[_i].fused);
    free(fused);
    free(lines);
    net_free(&net);
    config_free(&config);
}
END_TEST

/* ---- fold ---- */

/* What the folded program reads as parameters is what the constants of its file hold. */
START_TEST(folded_parameters_are_constants)
{
    Config config;
    char *lines = layers_of(fusions[_i].layers);
    lay_out(lines, &config);
    const CompileOptions options = {.target = target_find("plain")};
    Net infer, fused = net_copy(&config.net);
    ck_assert(compile_infer(&config, &options, &infer));
    pass_fuse(&fused, false);
    float *params = rt_alloc(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc((config.net.stat_floats + 1) * sizeof(float));
    Constants constants = {0};
    constants_fold(&fused, params, stats, &constants);
    for (int i = 0; i < infer.op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++) {
            int tensor = infer.ops[i].in[j];
            const Tensor *t = tensor == NONE ? NULL : &infer.tensors[tensor];
            if (t == NULL || t->role != ROLE_PARAM)
                continue;
            const Constant *constant = constants_find(&constants, t->name);
            ck_assert_msg(constant != NULL, "%s: %s is no constant", lines, t->name);
            ck_assert_int_eq(constant->count, tensor_count(t));
        }
    constants_free(&constants);
    net_free(&infer);
    net_free(&fused);
    config_free(&config);
    free(params);
    free(stats);
    free(lines);
}
END_TEST

/* ---- again, schedule ---- */

/* What is made again is made in the loop that reads it first, or the last before. */
START_TEST(what_is_made_again_is_not_kept)
{
    Net net;
    compile_program(SAMPLED(_i), &net);
    Links links = links_of(&net);
    for (int i = 0; i < net.op_count; i++) {
        const Op *op = &net.ops[i];
        if (!op->again)
            continue;
        ck_assert_int_gt(net_readers(&links, op->out[0]), 0);
        const Op *first = net_reader(&links, op->out[0], 0);
        ck_assert_msg(first->segment >= op->segment, "%s", op->name);
        for (const Op *loop = op + 1; loop < first; loop++)
            ck_assert_msg(loop->scope != SCOPE_IMAGE || loop->segment == op->segment,
                          "%s waits behind %s", op->name, loop->name);
    }
    links_free(&links);
    net_free(&net);
}
END_TEST

/* ---- grad ---- */

/* Each gradient is written once, by the first of its ops, and then added to or replaced
 * by what is left of it; those of all parameters are there, none of what no parameter
 * lies before. */
START_TEST(gradients_are_written_then_added_to)
{
    Net net;
    compile_program(SAMPLED(_i), &net);
    int *writers = rt_alloc(net.tensor_count * sizeof(int));
    for (int i = 0; i < net.op_count; i++) {
        const Op *op = &net.ops[i];
        for (int j = 0; j < OP_OUTPUTS; j++) {
            if (op->out[j] == NONE)
                continue;
            const Tensor *t = &net.tensors[op->out[j]];
            const bool after = op_reads(op, op->out[j]);
            ck_assert_msg(after == (writers[op->out[j]] > 0) || t->role != ROLE_DATA,
                          "%s %s", op->name, t->name);
            writers[op->out[j]]++;
            ck_assert_str_ne(t->name, "image.gradient");
            ck_assert_str_ne(t->name, "pixels.gradient");
        }
    }
    for (int i = 0; i < net.tensor_count; i++) {
        if (net.tensors[i].role != ROLE_PARAM)
            continue;
        int found = 0;
        for (int j = 0; j < net.tensor_count; j++)
            found += net.tensors[j].role == ROLE_GRADIENT && writers[j] == 1 &&
                     net.tensors[j].offset == net.tensors[i].offset &&
                     tensor_count(&net.tensors[j]) == tensor_count(&net.tensors[i]);
        ck_assert_msg(found == 1, "%s has %d gradients", net.tensors[i].name, found);
    }
    free(writers);
    net_free(&net);
}
END_TEST

/* ---- Names ---- */

/* Layers with names as long as may be, alike up to the last letter, and some called as
 * lathe would call ops of another: streams, parts, joined codes, gradients. */
#define LONG "as_long_as_names_of_layers_may_ever_be_"
static const char names_net[] =
    "    local function active(x, name, to)\n"
    "        return relu{ bn{ x, name = name }, name = to }\n"
    "    end\n"
    "    local x = conv{ image{ 8, 8, 3 }, name = '" LONG "0', out = 4, kernel = 3 }\n"
    "    local y = conv{ active(x, '" LONG "1', '" LONG "2'), name = '" LONG
    "3', out = 4,\n"
    "        kernel = 3 }\n"
    "    x = concat{ y, x, y, name = '" LONG "4' }\n"
    "    local a = conv{ active(x, '" LONG "5', '" LONG "6'), name = '" LONG
    "7', out = 4,\n"
    "        kernel = 1 }\n"
    "    local b = conv{ active(x, '" LONG "8', '" LONG "9'), name = '" LONG
    "a', out = 4,\n"
    "        kernel = 1, bias = true }\n"
    "    a, b = active(a, '" LONG "b', 'n_part1'), active(b, 'n_part2', '" LONG "c')\n"
    "    x = concat{ a, b, name = '" LONG "d' }\n"
    "    y = concat{ b, a, name = '" LONG "e' }\n"
    "    x = conv{ x, name = '" LONG "f', out = 4, kernel = 3 }\n"
    "    y = conv{ y, name = 'cat_joined', out = 4, kernel = 3 }\n"
    "    x = active(add{ x, y, name = '" LONG "g' }, '" LONG "h', '" LONG "i')\n"
    "    x = concat{ active(x, 'j', 'n_joined'), a, name = 'n' }\n"
    "    x = conv{ x, name = 'n_floats', out = 4, kernel = 3 }\n"
    "    return dense{ avgpool{ relu{ x, name = '" LONG "j' }, name = 'n_residual' },\n"
    "        name = '" LONG "k', out = 2 }";

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_apart(char **names, int count, const char *what)
{
    qsort(names, count, sizeof *names, by_text);
    for (int i = 1; i < count; i++)
        ck_assert_msg(strcmp(names[i - 1], names[i]) != 0, "two %s are called %s", what,
                      names[i]);
    for (int i = 0; i < count; i++)
        free(names[i]);
}

/* Functions of ops, and what is made for an image or a batch: tensors are found by name
 * when constants are made. */
static int check_names(Net *net)
{
    char **names = rt_alloc(net->tensor_count * sizeof *names);
    char **functions = rt_alloc(net->op_count * sizeof *functions);
    int count = 0, longest = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        functions[i] = rt_format("%s_%s", op->name, op_info[op->kind].suffix);
        longest = (int)strlen(op->name) > longest ? (int)strlen(op->name) : longest;
    }
    for (int t = 0; t < net->tensor_count; t++) {
        int writer = 0;
        while (writer < net->op_count && !op_writes(&net->ops[writer], t))
            writer++;
        if (writer < net->op_count && net->tensors[t].role == ROLE_ONCE)
            names[count++] = rt_format("%s", net->tensors[t].name);
    }
    check_apart(functions, net->op_count, "functions");
    check_apart(names, count, "tensors");
    free(functions);
    free(names);
    net_free(net);
    return longest;
}

START_TEST(names_are_apart)
{
    static const char *const sets[] = {
        "quant={ quantizer = 'parametric_d', w_bits = 4, a_bits = 4 }"};
    ck_assert_int_eq(strlen(LONG), NAME_LETTERS - 1);
    Config config;
    Net net;
    const CompileOptions options = {.target = target_find("plain")};
    lay_out(names_net, &config);
    compile_train(&config, &options, &net);
    ck_assert_int_gt(check_names(&net), NAME_LETTERS + (int)strlen("_part"));
    config_free(&config);
    ck_assert_msg(config_load(in_folder("net.lua"), sets, 1, &config), "%s", rt_error());
    compile_train(&config, &options, &net);
    ck_assert_int_gt(check_names(&net), NAME_LETTERS + (int)strlen("_joined_part"));
    compile_evaluate(&config, &options, &net);
    ck_assert_int_gt(check_names(&net), NAME_LETTERS + (int)strlen("_part"));
    ck_assert_msg(compile_infer(&config, &options, &net), "%s", rt_error());
    check_names(&net);
    config_free(&config);
}
END_TEST

Suite *passes_suite(void)
{
    TCase *tests = tcase_create("passes");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, padding, 0, 7 * 4);
    tcase_add_loop_test(tests, phases_are_the_transposed_convolution, 0, 7 * 4);
    tcase_add_loop_test(tests, runs_become_points, 0, FUSIONS);
    tcase_add_loop_test(tests, folded_parameters_are_constants, 0, FUSIONS);
    tcase_add_loop_test(tests, what_is_made_again_is_not_kept, 0, SAMPLE(PROGRAMS / 2));
    tcase_add_loop_test(tests, gradients_are_written_then_added_to, 0,
                        SAMPLE(PROGRAMS / 2));
    tcase_add_test(tests, names_are_apart);
    Suite *suite = suite_create("passes");
    suite_add_tcase(suite, tests);
    return suite;
}
