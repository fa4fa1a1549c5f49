/* lathe repl as a person and as a script use it: what is said, what changes and what
 * does not, and the files it writes. */
#include "tests/suites.h"

#include "gen/config/config.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/random_weights.h"
#include "tests/tools/repl_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LATHE_HERE(...) lathe_run(in_folder("."), WORDS(__VA_ARGS__))

#define SCRIPT_SAYS(text, said)                                                          \
    do {                                                                                 \
        int status = repl_script(text);                                                  \
        ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);           \
        ck_assert_str_eq(out, said);                                                     \
    } while (0)

/* ---- Fields ---- */

START_TEST(fields_are_read_and_set)
{
    SCRIPT_SAYS("print(net.quant.w_bits, net.w_bits, net.train.lr, net.train.flip)\n"
                "net.w_bits = 5\n"
                "net.a.w_bits = 3\n"
                "net[\"[bl]*\"].a_bits = 6\n"
                "net.train.lr = 0.25\n"
                "net.data.mean = { 1, 2.5, 3 }\n"
                "print(net.quant.w_bits, net.a.w_bits, net.b.w_bits, net.a.a_bits, "
                "net.b.a_bits)\n"
                "print(net.train.lr, table.concat(net.data.mean, ' '), #net:layers())\n"
                "print(table.concat(net:changes(), '\\n'))\n"
                "net.a.w_bits = 2\n"
                "print(net.a.w_bits, #net:changes())\n"
                "net:undo()\n"
                "print(net.a.w_bits, #net:changes())\n"
                "net:reset()\n"
                "print(net.w_bits, #net:changes())\n"
                "net:undo()\n"
                "print(net.a.w_bits, #net:changes())\n"
                "for i = 1, 5 do net:undo() end\n"
                "print(pcall(net.undo, net))\n",
                "4\t4\t0.05\ttrue\n"
                "5\t3\t5\t4\t6\n"
                "0.25\t1 2.5 3\t9\n"
                "quant.w_bits=5\n"
                "quant.layers+={ \"a\", w_bits = 3 }\n"
                "quant.layers+={ \"[bl]*\", a_bits = 6 }\n"
                "train.lr=0.25\n"
                "data.mean={ 1, 2.5, 3 }\n"
                "2\t5\n"
                "3\t5\n"
                "4\t0\n3\t5\nfalse\tscript.lua:19: there is nothing to undo\n");
}
END_TEST

/* Every mistake is explained, and changes nothing. */
static const struct {
    const char *line, *message;
} mistakes[] = {
    {"net.quant.w_bits = 9",
     "small.lua: quant.w_bits: 9, want a whole number from 2 to 8, or 32"},
    {"net.a.w_bits = 'four'",
     "small.lua: a.w_bits: string, want a whole number from 2 to 8, or 32"},
    {"net.quant.w_bit = 4",
     "small.lua: unknown field quant.w_bit; did you mean quant.w_bits?"},
    {"net.a.w_bit = 4",
     "small.lua: unknown field quant.w_bit; did you mean quant.w_bits?"},
    {"return net.a.w_bit", "unknown field a.w_bit; did you mean w_bits?"},
    {"return net.quant.w_bit", "unknown field quant.w_bit; did you mean w_bits?"},
    {"net.quant.quantizer = 'none at all'",
     "small.lua: quant.quantizer: want 'none', 'uniform_static', 'parametric_d' or "
     "'parametric_d_xmax'"},
    {"net.train.batch = 0",
     "small.lua: train.batch: 0, want a whole number from 1 to 65536"},
    {"net.a = 3", "a: set one of its fields, such as net[\"a\"].w_bits"},
    {"net.b_rel.w_bits = 3", "unknown name net.b_rel; did you mean b_relu?"},
    {"net.evla()", "unknown name net.evla; did you mean eval?"},
    {"net.train.lr = 1/0", "train.lr: inf, want a finite number"},
    {"net:eval{ imges = 3 }", "eval: unknown option imges; did you mean images?"},
    {"net:eval{ images = 1000 }", "random:64: 64 test images, want 1000"},
    {"net:eval{ images = 0.5 }", "eval: images: 0.5, want a whole number from 1"},
    {"net.eval{}", "call it as net:eval(...), with a colon"},
    {"net:ptq{ images = 65 }",
     "random:64: has 64 training images, want 65 to calibrate with"},
    {"net:sweep('w_bits', {})", "sweep: want a list of values, such as { 8, 4, 2 }"},
    {"net:source('lats')", "small.lua: no layer is called lats; did you mean last?"},
    {"net:load_weights('none.ckpt')", "none.ckpt: No such file or directory"},
    {"net:save('small.lua', { overwrite = true })",
     "small.lua: is what the saved config would require; want another name"},
    {"net:save('picture.lua', { overwrite = true })",
     "picture.lua: is what the saved config would require; want another name"},
    {"net:save('none/my.lua')",
     "none/my.lua: there is no such folder (small.lua is in another "
     "one)"},
    {"net['[ab]'].w_bits = 99",
     "small.lua: [ab].w_bits: 99, want a whole number from 2 to 8, or 32"},
    {"net.image.a_bits = 4", "image: its codes are the bytes of the picture"},
    {"net.a_relu.w_bits = 4", "a_relu: has no weights"},
    {"net.a.w_bits = nil",
     "a.w_bits: nil, want a value; net:undo() takes the last change back"},
    {"local t = {} t.t = t net.train.lr = t", "train.lr: a table in itself, or too deep"},
    {"net:sweep('nosuch', { 1 })", "sweep: unknown field nosuch"},
    {"net:sweep('w_bits', { 4 }, { file = 'small.lua' })",
     "sweep: file: small.lua: want a file whose name ends in .png"},
    {"net:save_weights('small.lua')",
     "save_weights: small.lua: want a file whose name ends in .ckpt"},
    {"net:train{ output = 5 }", "train: output: want a folder, got number"},
    {"net:train{ resume = 'x' }", "train: resume: string, want true or false"},
    {"open('small.lua', 5)",
     "open: number, want a table such as { weights = \"float.ckpt\" }"},
    {"open('small.lua', { set = 'x' })",
     "open: set: string, want a table such as { \"quant.w_bits=4\" }"},
    {"net:undo('x')", "undo: takes no argument, and one change back"},
    {"net:use_data('/nope')", "/nope: No such file or directory"},
    {"net:save('script.lua')",
     "script.lua: exists; net:save(FILE, { overwrite = true }) replaces it"},
    {"net:save_weights('f.ckpt')",
     "f.ckpt: exists; net:save_weights(FILE, { overwrite = true }) replaces it"},
    {"net:save('script.lua', { overwrite = 1 })",
     "save: overwrite: number, want true or false"},
    {"return net['q*']", "net[\"q*\"]: no layer matches; net:layers() has their names"},
    {"net['q*'] = 3", "net[\"q*\"]: no layer matches; net:layers() has their names"},
    {"plot('p.txt', {})", "plot: p.txt: want a file whose name ends in .png"},
    {"plot('p.png')",
     "plot: want a list of series, such as { { x = { 1, 2 }, y = { 3, 4 } } }"},
    {"plot('p.png', { { x = { 1 }, y = {} } })", "plot: y: want a list of 1 numbers"},
    {"plot('p.png', { { x = { 1 }, y = { '2' } } })",
     "plot: y[1]: string, want a number"},
    {"plot('p.png', { { x = { 1 }, y = { 2 }, title = 'no' } })",
     "plot: unknown option title"},
    {"plot('p.png', { { x = { 1 }, y = { 2 } } }, { log = 1 })",
     "plot: log: number, want a boolean"},
    {"net:sweep('q*.w_bits', { 4 })", "small.lua: quant.layers: no layer matches 'q*'"},
    {"net:sweep('train.lr', { 0.1, 0.2 })",
     "sweep: train.lr: evaluation does not look at it, training does"},
    {"net:sweep('quant.gradient', { 'ewgs' })",
     "sweep: quant.gradient: evaluation does not look at it, training does"},
    {"net:save('my.c')", "my.c: want a file whose name ends in .lua"},
    {"open('none.lua')", "none.lua: No such file or directory"},
    {"open('small.lua', { weight = 'f.ckpt' })",
     "open: unknown option weight; did you mean weights?"},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(mistakes_change_nothing)
{
    char *text = rt_format("%s", "local before = net:hash()\nlocal chunk, ok, message\n");
    char *said = rt_format("%s", "");
    for (int i = 0; i < MISTAKES; i++) {
        char *more =
            rt_format("%sok, message = pcall(load(%s%s%s, '=x'))\nprint(message)\n"
                      "assert(not ok and net:hash() == before and #net:changes() == 0)\n",
                      text, "[=[", mistakes[i].line, "]=]");
        char *longer = rt_format("%sx:1: %s\n", said, mistakes[i].message);
        free(text);
        free(said);
        text = more;
        said = longer;
    }
    int status = repl_script(text);
    ck_assert_msg(status == 0, "%s%s", out, err);
    ck_assert_str_eq(out, said);
    free(text);
    free(said);
}
END_TEST

/* ---- Work ---- */

/* The accuracy of a session is that of the command line's verbs. */
START_TEST(accuracy_is_that_of_the_verbs)
{
    ck_assert_int_eq(LATHE_HERE("ptq", "small.lua", "--weights", "f.ckpt", "--data",
                                "random:64", "--plain", "--images", "32", "-o", "q.ckpt"),
                     0);
    ck_assert_int_eq(LATHE_HERE("eval", "small.lua", "--jit=tcc", "--weights", "q.ckpt",
                                "--data", "random:64"),
                     0);
    int right = -1, all = -1, correct = -2, images = -2;
    ck_assert_int_eq(sscanf(out, "accuracy %*f (%d/%d)", &right, &all), 2);
    ck_assert_int_eq(
        repl_script(
            "local r = net:eval()\n"
            "print(r.correct, r.images, r.accuracy * r.images == r.correct)\n"
            "assert(r.bytes == 633 and r.weights == 'ranges only')\n"
            "assert(tostring(r):find('^accuracy 0%.%d+ %(%d+/64%)  size 0%.6 KB'))\n"
            "local same = net:eval{ quiet = true }\n"
            "assert(same.correct == r.correct)\n"
            "assert(net:eval(7).images == 7)\n"),
        0);
    ck_assert_str_eq(err, "");
    ck_assert_int_eq(
        sscanf(out, "accuracy %*f (%*d/%*d) size %*f KB %*f s [ranges only]\n%d %d true",
               &correct, &images),
        2);
    ck_assert_int_eq(correct, right);
    ck_assert_int_eq(images, all);
}
END_TEST

/* Weights in use follow quantisation there and back. */
START_TEST(weights_follow_the_bits)
{
    SCRIPT_SAYS(
        "local function which() return net:eval{ images = 8, quiet = true }.weights end\n"
        "print(which())\n"
        "net:ptq{ images = 16, quiet = true }\n"
        "print(which())\n"
        "net.a.w_bits = 3\n"
        "print(which())\n"
        "net.train.lr = 0.1\n"
        "net.quant.gradient = 'ewgs'\n"
        "net.a.w_bits = 4\n"
        "print(which())\n"
        "net:save_weights('ptq.ckpt')\n"
        "net:reset()\n"
        "print(which())\n"
        "net:load_weights('ptq.ckpt')\n"
        "print(which())\n"
        "net.quant.quantizer = 'none'\n"
        "net:load_weights('f.ckpt')\n"
        "print(which())\n",
        "ranges only\nptq\nranges only\nptq\nptq.ckpt: the weights in use\nranges only\n"
        "ptq.ckpt\nf.ckpt\n");
}
END_TEST

START_TEST(training_changes_the_weights)
{
    write_text(in_folder("images.npy"), "");
    int status = repl_script(
        "net:train{ epochs = 1, lr = 0.01, held_out = 4, output = 'run' }\n"
        "assert(net.train.lr == 0.05 and #net:changes() == 0)\n"
        "assert(net:eval{ quiet = true }.weights == 'trained')\n"
        "local other = { epochs = 5, steps = 1, held_out = 4, output = 'run' }\n"
        "local ok, why = pcall(net.train, net, other)\n"
        "assert(not ok and why:find('holds another run', 1, true), why)\n"
        "other.force = true\n"
        "net:train(other)\n"
        "assert(net:eval{ quiet = true }.weights == 'trained')\n"
        "local more = { resume = true, steps = 1, held_out = 4, output = 'run' }\n"
        "net:train(more) net:train(more)\n"
        "net.w_bits = 3\n"
        "assert(net:eval{ quiet = true }.weights == 'ranges only')\n"
        "for i = 1, 5 do net:undo() end\n"
        "assert(net:eval{ quiet = true }.weights == 'ranges only')\n"
        "local fresh = open('picture.lua', { data = 'random:64' })\n"
        "fresh:load_weights('run/best.ckpt')\n"
        "assert(fresh:eval{ quiet = true }.weights == 'run/best.ckpt')\n"
        "fresh:use_data('images.npy')\n"
        "ok, why = pcall(fresh.train, fresh, { epochs = 1 })\n"
        "assert(not ok and why:find('images without labels', 1, true), why)\n");
    ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);
    ck_assert_ptr_nonnull(strstr(out, "epoch 1/1: loss "));
    ck_assert_ptr_nonnull(strstr(out, "stopped at epoch 1 step 1"));
    ck_assert_ptr_nonnull(strstr(out, "stopped at epoch 1 step 2"));
    ck_assert_ptr_nonnull(strstr(out, "stopped at epoch 2 step 0"));
    ck_assert_int_eq(access(in_folder("run/best.ckpt"), R_OK), 0);
}
END_TEST

/* Constants that have no 64-bit form are an error like others, and the session goes on.
 */
START_TEST(constants_that_overflow)
{
    Config config;
    ck_assert(config_load(in_folder("small.lua"), NULL, 0, &config));
    float *params = rt_alloc(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc(config.net.stat_floats * sizeof(float));
    random_seed(3);
    random_weights(&config.net, params, stats);
    for (int i = 0; i < config.net.tensor_count; i++)
        if (strcmp(config.net.tensors[i].name, "b.act_range") == 0)
            stats[config.net.tensors[i].offset] = 1e-30f;
    random_checkpoint(&config, params, stats, in_folder("broken.ckpt"));
    config_free(&config);
    free(params);
    free(stats);
    SCRIPT_SAYS("net:load_weights('broken.ckpt')\n"
                "print(pcall(net.eval, net))\n"
                "net:undo()\n"
                "print(net:eval{ images = 4, quiet = true }.images)\n",
                "false\tscript.lua:2: b: scales differ so much that its integer "
                "constants overflow 64 bits\n4\n");
    ck_assert_int_eq(LATHE_HERE("eval", "small.lua", "--jit=tcc", "--weights",
                                "broken.ckpt", "--data", "random:64"),
                     1);
    ck_assert_str_eq(
        err, "small: b: scales differ so much that its integer constants overflow "
             "64 bits\n");
}
END_TEST

/* ---- Files ---- */

static void check_hash(const char *path, const char *hash)
{
    Config config;
    ck_assert_msg(config_load(path, NULL, 0, &config), "%s", rt_error());
    ck_assert_int_eq(strncmp(config.hash, hash, 64), 0);
    config_free(&config);
}

START_TEST(saved_configs_mean_the_same)
{
    int status = repl_script(
        "net.w_bits = 5\n"
        "net.a.w_bits = 3\n"
        "net.b.per_channel = true\n"
        "net.train.lr = 1 / 3\n"
        "net.data.classes = { 'a\\\"b', '2', '3', '4', '5', '6', '7', '8', '9', '10' }\n"
        "net.net.width = 12\n"
        "net:save('my.lua')\n"
        "os.execute('mkdir other')\n"
        "net:save('other/my.lua')\n"
        "print(net:hash())\n");
    ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);
    static const char said[] = "my.lua: the changes, on top of small.lua\n"
                               "other/my.lua: the changes and all of small.lua\n";
    ck_assert_int_eq(strncmp(out, said, sizeof said - 1), 0);
    check_hash(in_folder("my.lua"), out + sizeof said - 1);
    ck_assert_int_eq(unlink(in_folder("small.lua")), 0);
    check_hash(in_folder("other/my.lua"), out + sizeof said - 1);
    ck_assert(!config_load(in_folder("my.lua"), NULL, 0, &(Config){0}));
}
END_TEST

START_TEST(files_are_replaced_when_told)
{
    SCRIPT_SAYS(
        "net:save('my.lua')\n"
        "net.w_bits = 5\n"
        "print(pcall(net.save, net, 'my.lua'))\n"
        "net:save('my.lua', { overwrite = true })\n"
        "print(open('my.lua').w_bits)\n"
        "net:emit('infer.c')\n"
        "print(pcall(net.emit, net, 'infer.c'))\n",
        "my.lua: the changes, on top of small.lua\n"
        "false\tscript.lua:3: my.lua: exists; net:save(FILE, { overwrite = true }) "
        "replaces it\n"
        "my.lua: the changes, on top of small.lua\n5\n"
        "infer.c: build it with cc -O3 -c; -DLATHE_MAIN adds a main\n"
        "false\tscript.lua:7: infer.c: exists; net:emit(FILE, { overwrite = true }) "
        "replaces it\n");
}
END_TEST

/* An error before anything happens. */
START_TEST(training_asks_for_labels)
{
    SCRIPT_SAYS(
        "io.open('x.npy', 'w'):close()\n"
        "net:use_data('x.npy')\n"
        "print(pcall(net.train, net, { epochs = 1, output = 'run' }))\n"
        "print(io.open('run/start.ckpt'))\n"
        "print(#net:changes())\n",
        "false\tscript.lua:3: x.npy: images without labels, which training needs\n"
        "nil\trun/start.ckpt: No such file or directory\t2\n0\n");
}
END_TEST

START_TEST(source_of_a_layer)
{
    ck_assert_int_eq(
        repl_script("net:source('b')\nprint('----')\nnet:source('b', 'train')\n"), 0);
    char *train = strstr(out, "----\n");
    ck_assert_ptr_nonnull(train);
    *train = 0;
    ck_assert_ptr_nonnull(strstr(out, "static void evaluate_b_forward(const At *at)\n{"));
    ck_assert_ptr_nonnull(strstr(out, "static void i_conv_3x3_stride2_"));
    ck_assert_ptr_null(strstr(out, "_a_forward"));
    ck_assert_ptr_nonnull(strstr(train + 1, "static void train_b_backward_weight("));
}
END_TEST

/* ---- Scripts, chunks, pipes ---- */

START_TEST(scripts_end_at_an_error)
{
    write_text(in_folder("f.lua"), "print(arg[0], arg[1], ...)\n"
                                   "local function f(net) net.w_bits = 77 end\n"
                                   "f(open('small.lua'))\n"
                                   "print('not here')\n");
    ck_assert_int_eq(LATHE_HERE("repl", "f.lua", "one", "two"), 1);
    ck_assert_str_eq(out, "f.lua\tone\tone\ttwo\n");
    ck_assert_str_eq(
        err, "lathe: f.lua:2: small.lua: quant.w_bits: 77, want a whole number from 2 "
             "to 8, or 32\n    called from f.lua:3\n");
    write_text(in_folder("g.lua"), "local x = = 3\n");
    ck_assert_int_eq(LATHE_HERE("repl", "g.lua"), 1);
    ck_assert_str_eq(err, "lathe: g.lua:1: unexpected symbol near '='\n");
    write_text(in_folder("h.lua"), "do return end\n"); /* a script, whatever it returns */
    ck_assert_int_eq(LATHE_HERE("repl", "h.lua"), 0);
    write_text(in_folder("i.lua"), "return { ent = 3 }\n"); /* a config, and a bad one */
    ck_assert_int_eq(LATHE_HERE("repl", "i.lua"), 1);
    ck_assert_str_eq(
        err, "lathe: i.lua: net: want a table that describes the layers, got nil\n");
    ck_assert_int_eq(LATHE_HERE("repl", "none.lua"), 1);
    ck_assert_str_eq(err, "lathe: none.lua: No such file or directory\n");
}
END_TEST

START_TEST(chunks_print_their_value)
{
    ck_assert_int_eq(LATHE_HERE("repl", "small.lua", "--set", "quant.w_bits=6", "-e",
                                "net.w_bits + 1"),
                     0);
    ck_assert_str_eq(out, "7\n");
    ck_assert_int_eq(LATHE_HERE("repl", "small.lua", "-e", "nett"), 0);
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(err, "note: nett is no name here; did you mean net?\n");
    ck_assert_int_eq(LATHE_HERE("repl", "-e", "error('no')"), 1);
    ck_assert_str_eq(err, "error: no\n");
    ck_assert_int_eq(
        LATHE_HERE("repl", "-e", "local function g() return 1 + g() end g()"), 1);
    ck_assert_str_eq(err, "error: stack overflow\n");
    ck_assert_int_eq(LATHE_HERE("repl", "-e", "error({ 1 })"), 1);
    ck_assert_str_eq(err, "error: an error that is a table\n");
    ck_assert_int_eq(LATHE_HERE("repl", "-e", "require 'nope'"), 1);
    ck_assert_str_eq(err, "error: module 'nope' not found\n");
}
END_TEST

/* Lines from a pipe: as typed, without a prompt. */
START_TEST(pipes_are_sessions)
{
    write_text(in_folder("lines"), "1 + 1\n"
                                   "unheard_of.x\n"
                                   "for i = 1, 2 do\n"
                                   "print(i)\n"
                                   "end\n"
                                   "{ b = 1, 2, a = { 'x', {} }, [7.5] = true }\n"
                                   "x = 'multi\\nline'\n"
                                   "x\n"
                                   "x =\n");
    char *line = rt_format("%s repl < lines", lathe_program());
    int status = process_run(in_folder("."), in_folder("out"), in_folder("err"),
                             (const char *const[]){"sh", "-c", line, NULL});
    out = rt_read_file(in_folder("out"), NULL);
    err = rt_read_file(in_folder("err"), NULL);
    ck_assert_int_eq(status, 1);
    ck_assert_str_eq(
        out, "2\n1\n2\n{ 2, [7.5] = true, a = { \"x\", {} }, b = 1 }\nmulti\nline\n");
    ck_assert_str_eq(err, "note: unheard_of is no name here\n"
                          "error: attempt to index a nil value (global 'unheard_of')\n"
                          "error: unexpected symbol near <eof>\n");
    free(line);
}
END_TEST

Suite *repl_suite(void)
{
    Suite *suite = suite_create("repl");
    TCase *said = tcase_create("said");
    tcase_add_checked_fixture(said, repl_set_up, lathe_clean_up);
    tcase_set_timeout(said, 120);
    tcase_add_test(said, fields_are_read_and_set);
    tcase_add_test(said, mistakes_change_nothing);
    tcase_add_test(said, accuracy_is_that_of_the_verbs);
    tcase_add_test(said, weights_follow_the_bits);
    tcase_add_test(said, training_changes_the_weights);
    tcase_add_test(said, constants_that_overflow);
    tcase_add_test(said, saved_configs_mean_the_same);
    tcase_add_test(said, files_are_replaced_when_told);
    tcase_add_test(said, training_asks_for_labels);
    tcase_add_test(said, source_of_a_layer);
    tcase_add_test(said, scripts_end_at_an_error);
    tcase_add_test(said, chunks_print_their_value);
    tcase_add_test(said, pipes_are_sessions);
    suite_add_tcase(suite, said);
    return suite;
}
