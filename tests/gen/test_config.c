/* Configs: what is refused, and how; overrides; the lines that say what a config means.
 * Every file in tests/bad begins with the message it must get. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/passes/compile.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"

#include <glob.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- What is refused ---- */

static glob_t bad_files;

static int find_bad_files(void)
{
    char *pattern = rt_format("%s/tests/bad/*.lua", lathe_root());
    glob(pattern, 0, NULL, &bad_files);
    free(pattern);
    return (int)bad_files.gl_pathc;
}

START_TEST(bad_configs_get_their_message)
{
    static const char mark[] = "-- want: ";
    const char *path = bad_files.gl_pathv[_i];
    if (strncmp(strstr(path, "/bad/") + 5, "part_", 5) == 0)
        return; /* required by another */
    char *text = rt_read_file(path, NULL);
    ck_assert_msg(text && strncmp(text, mark, strlen(mark)) == 0, "%s: begin with %s",
                  path, mark);
    char *want =
        rt_format("%.*s", (int)strcspn(text + strlen(mark), "\n"), text + strlen(mark));
    Config config;
    ck_assert_msg(!config_load(path, NULL, 0, &config), "%s was accepted", path);
    ck_assert_str_eq(rt_error(), want);
    ck_assert_ptr_null(config.path); /* nothing is left to free */
    free(text);
    free(want);
}
END_TEST

/* A config with nothing wrong, of which %s is the end of the table. */
static const char plain[] =
    "return { net = { layers = function()\n"
    "    return dense{ avgpool(image{ 4, 4, 3 }), name = 'last', out = 2 }\n"
    "end }, %s }\n";

static bool load_text(const char *text, const char *const *overrides, int count,
                      Config *config)
{
    const char *path = in_folder("plain.lua");
    write_text(path, text);
    return config_load(path, overrides, count, config);
}

static bool load_plain(const char *rest, Config *config)
{
    char *text = rt_format(plain, rest);
    bool ok = load_text(text, NULL, 0, config);
    free(text);
    return ok;
}

/* "not a number" has no one spelling, so these are no files in tests/bad. */
START_TEST(not_a_number_is_refused)
{
    static const char *const fields[] = {"lr", "epochs", "crop", "label_smoothing"};
    static const char *const ranges[] = {
        ", want a number from 0 to 1000", ", want a whole number from 1 to 100000",
        ", want a whole number from 0 to 1024", ", want a number from 0 to 1"};
    Config config;
    char *rest = rt_format("train = { %s = 0 / 0 }", fields[_i]);
    ck_assert(!load_plain(rest, &config));
    size_t all = strlen(rt_error()), end = strlen(ranges[_i]);
    ck_assert_ptr_nonnull(strstr(rt_error(), fields[_i]));
    ck_assert_uint_gt(all, end);
    ck_assert_str_eq(rt_error() + all - end, ranges[_i]);
    free(rest);
}
END_TEST

/* Whatever of Lua's libraries could reach outside or get around the sandbox. */
START_TEST(libraries_are_not_there)
{
    static const char *const names[] = {
        "_G",         "collectgarbage", "dofile",      "getmetatable",  "loadfile",
        "next",       "package",        "print",       "rawequal",      "rawget",
        "rawlen",     "rawset",         "utf8",        "warn",          "xpcall",
        "_ENV._G",    "math.random",    "string.dump", "string.gmatch", "string.pack",
        "table.move", "table.sort",     "('').gsub",   "table.pack"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Config config;
        char *text = rt_format("local it = %s\nerror(it == nil and 'nothing' or 'there')",
                               names[i]);
        ck_assert(!load_text(text, NULL, 0, &config));
        bool absent = strstr(rt_error(), "nothing") || strstr(rt_error(), "unknown name");
        ck_assert_msg(absent, "%s: %s", names[i], rt_error());
        rt_error_clear();
        free(text);
    }
}
END_TEST

static int append_bytes(lua_State *lua, const void *data, size_t bytes, void *file)
{
    (void)lua;
    return fwrite(data, 1, bytes, file) != bytes;
}

/* Bytecode is not checked by Lua and may do anything. */
START_TEST(bytecode_is_refused)
{
    const char *path = in_folder("code.lua");
    lua_State *lua = luaL_newstate();
    FILE *file = fopen(path, "wb");
    ck_assert_int_eq(luaL_loadstring(lua, "return {}"), LUA_OK);
    ck_assert_int_eq(lua_dump(lua, append_bytes, file, 0), 0);
    fclose(file);
    lua_close(lua);
    Config config;
    ck_assert(!config_load(path, NULL, 0, &config));
    check_error("%s: attempt to load a binary chunk (mode is 't')", path);
}
END_TEST

START_TEST(files_that_are_no_configs)
{
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"config.txt", "%s: want a config, a file whose name ends in .lua"},
        {".lua", "%s: want a config, a file whose name ends in .lua"},
        {"a-b.lua",
         "%s: the file's name becomes a C name: want letters, digits and _ only"},
        {"9a.lua",
         "%s: the file's name becomes a C name: want letters, digits and _ only"},
        {"none.lua", "%s: No such file or directory"},
        {"folder.lua", "%s: cannot be read as a file"},
        {"large.lua", "%s: over 1048576 bytes"},
    };
    Config config;
    char *large = rt_alloc((1 << 20) + 2);
    memset(large, ' ', (1 << 20) + 1);
    write_text(in_folder("large.lua"), large);
    free(large);
    ck_assert(rt_make_directories(in_folder("folder.lua")));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!config_load(in_folder(cases[i].name), NULL, 0, &config));
        check_error(cases[i].message, in_folder(cases[i].name));
    }
}
END_TEST

/* Lua's parser goes through lists of jumps from the start: a long one takes minutes. */
START_TEST(parsing_is_bounded)
{
    enum { TIMES = 200000 };
    char *text = rt_alloc(5 * TIMES + 32);
    char *end = text + sprintf(text, "local a = 1 return ");
    for (int i = 0; i < TIMES; i++)
        end += sprintf(end, "a or ");
    sprintf(end, "a");
    Config config;
    ck_assert(!load_text(text, NULL, 0, &config));
    check_error("%s: the config runs for more than 5 seconds", in_folder("plain.lua"));
    free(text);
}
END_TEST

/* What lathe ships is found from anywhere, and hidden by a file beside the config. */
START_TEST(required_from_what_is_shipped)
{
    static const char text[] = "return { net = require 'resnet'.cifar{ depth = 8 } }";
    Config config;
    ck_assert_msg(load_text(text, NULL, 0, &config), "%s", rt_error());
    ck_assert_str_eq(config.net.ops[1].file, "configs/resnet.lua");
    ck_assert_str_eq(config.required, "resnet\n");
    config_free(&config);
    write_text(in_folder("resnet.lua"), "error('the one beside the config')");
    ck_assert(!load_text(text, NULL, 0, &config));
    check_error("%s:1: the one beside the config", in_folder("resnet.lua"));
}
END_TEST

/* Blocks and weights of the published ones. */
START_TEST(residual_networks_for_large_images)
{
    static const struct {
        int depth, blocks;
        long weights;
    } cases[] = {
        {18, 8, 11689512}, {34, 16, 21797672}, {50, 16, 25557032}, {101, 33, 44549160}};
    char *text = rt_format("return { net = require 'resnet'.imagenet{ depth = %d } }",
                           cases[_i].depth);
    Config config;
    ck_assert_msg(load_text(text, NULL, 0, &config), "%s", rt_error());
    int blocks = 0;
    long weights = 0;
    for (int i = 0; i < config.net.op_count; i++)
        blocks += config.net.ops[i].kind == OP_ADD;
    for (int i = 0; i < config.net.tensor_count; i++)
        if (config.net.tensors[i].role == ROLE_PARAM)
            weights += tensor_count(&config.net.tensors[i]);
    ck_assert_int_eq(blocks, cases[_i].blocks);
    ck_assert_int_eq(weights, cases[_i].weights);
    config_free(&config);
    free(text);
}
END_TEST

START_TEST(a_byte_order_mark_is_skipped)
{
    Config config;
    char *text = rt_format("\xEF\xBB\xBF%s", plain);
    char *whole = rt_format(text, "");
    ck_assert_msg(load_text(whole, NULL, 0, &config), "%s", rt_error());
    config_free(&config);
    free(text);
    free(whole);
}
END_TEST

/* As many layers as are allowed. */
START_TEST(the_largest_net_is_planned)
{
    static const char text[] =
        "return { net = { layers = function()\n"
        "    local x = image{ 4, 4, 3 }\n"
        "    x = relu(bn{ conv{ x, name = 'a', out = 3, kernel = 1 } })\n"
        "    x = relu(conv{ x, name = 'b', out = 3, kernel = 1 })\n"
        "    for i = 1, 1248 do\n"
        "        local y = bn{ conv{ x, name = 'c' .. i, out = 3, kernel = 1 } }\n"
        "        x = relu(add{ x, y, name = 'd' .. i })\n"
        "    end\n"
        "    return dense{ avgpool(x), name = 'last', out = 2 }\n"
        "end }, quant = { quantizer = %s } }\n";
    static const char *const quantizers[] = {"'none'", "'parametric_d_xmax'"};
    char *whole = rt_format(text, quantizers[_i]);
    Config config;
    ck_assert_msg(load_text(whole, NULL, 0, &config), "%s", rt_error());
    ck_assert_int_eq(config.net.op_count, 5000);
    const CompileOptions options = {.target = target_find("avx2")};
    Net train, infer;
    compile_train(&config, &options, &train);
    ck_assert(compile_infer(&config, &options, &infer));
    ck_assert_int_gt(train.segments, 5000);
    ck_assert_int_gt(infer.arena_bytes, 0);
    net_free(&train);
    net_free(&infer);
    config_free(&config);
    free(whole);
}
END_TEST

/* ---- Overrides ---- */

static const char family_config[] =
    "local small = family{ width = 8, kind = 'A', deep = false, layers = function(net)\n"
    "    local x = image{ 4, 4, net.deep and 1 or 3 }\n"
    "    return dense{ avgpool(x), name = 'last', out = net.width }\n"
    "end }\n"
    "return { net = small{}, train = { milestones = { 5 } } }\n";

/* The value of a path in the config's lines; good until the next call. */
static const char *value_of(const Config *config, const char *path)
{
    static char value[256];
    size_t length = strlen(path);
    for (const char *line = config->lines; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, path, length) == 0 && line[length] == '=') {
            snprintf(value, sizeof value, "%.*s",
                     (int)strcspn(line, "\n") - (int)length - 1, line + length + 1);
            return value;
        }
    }
    return NULL;
}

START_TEST(overrides_set_fields)
{
    static const struct {
        const char *override, *path, *value;
    } cases[] = {
        {"train.epochs=7", "train.epochs", "7"},
        {"train.lr=1/8", "train.lr", "0.125"},
        {"train.lr=1e-3", "train.lr", "0.001"},
        {"train.nesterov=true", "train.nesterov", "true"},
        {"train.schedule='cosine'", "train.schedule", "cosine"},
        {"train.schedule=\"one_cycle\"", "train.schedule", "one_cycle"},
        {"train.milestones={ 10, 20 }", "train.milestones", "{10,20}"},
        {"train.milestones=nil", "train.milestones", "{}"},
        {"net.width=12", "net.width", "12"},
        {"net.kind='B=C'", "net.kind", "B=C"},
        {"net.deep=true", "data.mean", "{127}"},
        {"data.mean={ 1, 2.5, 3 }", "data.mean", "{1,2.5,3}"}, /* data is made */
        {"data={ std = 64 }", "data.std", "{64,64,64}"},
        {"train={}", "train.milestones", "{}"},
    };
    Config config;
    ck_assert_msg(load_text(family_config, &cases[_i].override, 1, &config), "%s",
                  rt_error());
    ck_assert_str_eq(value_of(&config, cases[_i].path), cases[_i].value);
    config_free(&config);
}
END_TEST

START_TEST(the_last_override_wins)
{
    const char *const overrides[] = {"train.lr=1", "train={}", "train.lr=2",
                                     "train.lr=3"};
    Config config;
    ck_assert(load_text(family_config, overrides, 4, &config));
    ck_assert_str_eq(value_of(&config, "train.lr"), "3");
    ck_assert_str_eq(value_of(&config, "train.milestones"), "{}");
    config_free(&config);
}
END_TEST

START_TEST(overrides_refused)
{
    static const struct {
        const char *override, *message; /* %s: the path */
    } cases[] = {
        {"train.epochs", "--set train.epochs: want path=value, such as train.epochs=5"},
        {"", "--set : want path=value, such as train.epochs=5"},
        {"=5", "--set =5: want path=value, such as train.epochs=5"},
        {"train.lr=", "--set train.lr=: want path=value, such as train.epochs=5"},
        {"train.lr=1 +", "--set train.lr:1: unexpected symbol near <eof>"},
        {"train.lr=1; x=2", "--set train.lr:1: <eof> expected near 'x'"},
        {"train.lr=io.open", "--set train.lr:1: unknown name 'io'; layers are add, "
                             "avgpool, bn, concat, conv, dense, dropout, image, "
                             "leaky_relu, maxpool, relu, relu6 and subsample"},
        {"train.schedule=cosine", "--set train.schedule=cosine: text wants quotes: --set "
                                  "'train.schedule=\"cosine\"'"},
        {"train.lr='fast'", "%s: train.lr: string, want a number from 0 to 1000"},
        {"train.epochs=0", "%s: train.epochs: 0, want a whole number from 1 to 100000"},
        {"train.epohcs=5", "%s: unknown field train.epohcs; did you mean train.epochs?"},
        {"trian.epochs=5", "%s: unknown field trian; did you mean train?"},
        {"net.widht=5", "%s: unknown field net.widht; did you mean net.width?"},
        {"net.width='5'", "%s: net.width: want a number, got a string"},
        {"net.kind.more=5", "--set net.kind.more=5: kind is no table"},
        {"net.kind+=5", "--set net.kind+=5: kind is no table"},
        {"+=5", "--set +=5: want path=value, such as train.epochs=5"},
        {"quant.layers+={ 'last' }",
         "%s: quant.quantizer is missing; see lathe show --fields"},
        {"epochs=5", "%s: unknown field epochs"},
        {".=5", "%s: unknown field "},
        {"train.epochs = 9",
         "%s: unknown field train.epochs ; did you mean train.epochs?"},
    };
    Config config;
    ck_assert_msg(!load_text(family_config, &cases[_i].override, 1, &config), "%s",
                  cases[_i].override);
    if (strstr(cases[_i].message, "%s"))
        check_error(cases[_i].message, in_folder("plain.lua"));
    else
        ck_assert_str_eq(rt_error(), cases[_i].message);
}
END_TEST

/* "path+=value" adds to a list, which need not be there. */
START_TEST(overrides_append)
{
    static const char *const overrides[] = {
        "quant={ quantizer='uniform_static', layers={ { 'last', w_bits=4 } } }",
        "quant.layers+={ 'last', w_bits=3 }", "quant.layers+={ 'las*', a_bits=2 }",
        "train.milestones={ 3 }", "train.milestones+=7"};
    Config config;
    ck_assert_msg(load_text(family_config, overrides, 5, &config), "%s", rt_error());
    const Op *last = &config.net.ops[config.net.op_count - 1];
    ck_assert_int_eq(last->quant.w_bits, 3);
    ck_assert_int_eq(last->quant.a_bits, 2);
    ck_assert_int_eq(config.recipe.milestone_count, 2);
    ck_assert_int_eq(config.recipe.milestones[1], 7);
    config_free(&config);
}
END_TEST

/* ---- Lines ---- */

START_TEST(architecture_lines)
{
    static const char text[] =
        "return { net = { layers = function()\n"
        "    local x = image{ 9, 8, 3 }\n"
        "    local a = relu(bn{ conv{ x, name = 'a', out = 4, kernel = 3, stride = 2,\n"
        "        pad = 'same' } })\n"
        "    local b = conv{ a, name = 'b', out = 6, kernel = 1 }\n"
        "    local c = add(b, subsample{ a, name = 'c', stride = 1, out = 6 })\n"
        "    c = maxpool{ c, name = 'd', kernel = 2, pad = 1 }\n"
        "    return dense{ avgpool(c), name = 'last', out = 2 }\n"
        "end } }\n";
    Config config;
    ck_assert_msg(load_text(text, NULL, 0, &config), "%s", rt_error());
    ck_assert_str_eq(config.arch,
                     "image=IMAGE to 9x8x3 from pixels\n"
                     "a=CONV 3x3 stride 2 pad 1,0,1,1 to 5x4x4 from image\n"
                     "a_bn=BN to 5x4x4 from a\n"
                     "a_relu=RELU to 5x4x4 from a_bn\n"
                     "b=CONV 1x1 stride 1 to 5x4x6 from a_relu\n"
                     "c=SUBSAMPLE stride 1 to 5x4x6 from a_relu\n"
                     "b_add=ADD to 5x4x6 from b c\n"
                     "d=MAXPOOL 2x2 stride 2 pad 1,1,1,1 to 3x3x6 from b_add\n"
                     "d_avgpool=AVGPOOL to 1x1x6 from d\n"
                     "last=DENSE to 1x1x2 from d_avgpool\n");
    config_free(&config);
}
END_TEST

START_TEST(config_lines)
{
    Config config;
    ck_assert(
        load_plain("data = { mean = 0.1, std = { 1, 2, 3 }, classes = { 'a', 'b' } },\n"
                   "train = { lr = 1 / 3, seed = 2147483647, milestones = { 3, 4 } }",
                   &config));
    static const char want[] = "data.classes=a,b\n"
                               "data.mean={0.1,0.1,0.1}\n"
                               "data.std={1,2,3}\n"
                               "layer.fields=recorded\n"
                               "train.batch=128\n"
                               "train.crop=0\n"
                               "train.cutout=0\n"
                               "train.decay_factor=0.1\n"
                               "train.ema=0\n"
                               "train.epochs=30\n"
                               "train.flip=false\n"
                               "train.held_out=0\n"
                               "train.label_smoothing=0\n"
                               "train.lower=auto\n"
                               "train.lr=0.3333333333333333\n"
                               "train.lr_final=0\n"
                               "train.micro_batch=128\n"
                               "train.milestones={3,4}\n"
                               "train.momentum=0.9\n"
                               "train.nesterov=false\n"
                               "train.peak=0.2\n"
                               "train.schedule=step\n"
                               "train.seed=2147483647\n"
                               "train.test_every=0\n"
                               "train.warmup_epochs=0\n"
                               "train.weight_decay=0\n";
    ck_assert_str_eq(config.lines, want);
    config_free(&config);
}
END_TEST

/* Neither where lathe is called from nor how the path is written matters. */
START_TEST(paths_change_nothing)
{
    Config absolute, relative;
    char *path = net_path("odd");
    ck_assert(config_load(path, NULL, 0, &absolute));
    ck_assert_int_eq(chdir(lathe_root()), 0);
    ck_assert_int_eq(chdir("tests/bad"), 0);
    ck_assert(config_load("../nets/./odd.lua", NULL, 0, &relative));
    ck_assert_str_eq(absolute.path, "tests/nets/odd.lua");
    ck_assert_str_eq(relative.path, absolute.path);
    ck_assert_str_eq(relative.name, "odd");
    ck_assert_str_eq(relative.lines, absolute.lines);
    ck_assert_str_eq(relative.arch, absolute.arch);
    ck_assert_str_eq(relative.hash, absolute.hash);
    for (int i = 0; i < absolute.net.op_count; i++)
        ck_assert_str_eq(relative.net.ops[i].file, "tests/nets/odd.lua");
    free(path);
    config_free(&absolute);
    config_free(&relative);
}
END_TEST

START_TEST(the_hash_follows_every_change)
{
    static const char *const overrides[] = {
        "train.lr=0.2",
        "net.width=9",
        "train.seed=2",
        "data.mean=126",
        "net.kind='B'",
        "quant={ quantizer='uniform_static' }",
        "quant={ quantizer='uniform_static', layers={ { 'last', w_range='mse' } } }"};
    enum { COUNT = sizeof overrides / sizeof *overrides };
    char hashes[COUNT + 1][65];
    Config config;
    for (int i = 0; i <= COUNT; i++) {
        ck_assert(load_text(family_config, &overrides[i % COUNT], i < COUNT, &config));
        memcpy(hashes[i], config.hash, 65);
        config_free(&config);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(hashes[i], hashes[j]);
    }
    ck_assert(load_text(family_config, NULL, 0, &config));
    ck_assert_str_eq(config.hash, hashes[COUNT]);
    config_free(&config);
}
END_TEST

/* What layers say of training alone: weights fit all the same, and a run is another. */
static const struct {
    const char *bn, *conv, *drop, *dense, *message;
} layer_fields[] = {
    {"", "", "", "", NULL},
    {", momentum = 0.03", "", "", "",
     "layer.a_bn.momentum: the checkpoint has nothing, the config says 0.03"},
    {", scale = 0", "", "", "",
     "layer.a_bn.scale: the checkpoint has nothing, the config says 0"},
    {"", ", init = 'lecun'", "", "",
     "layer.a.init: the checkpoint has nothing, the config says lecun"},
    {"", "", ", rate = 0.25", "",
     "layer.a_dropout.rate: the checkpoint has 0.5, the config says 0.25"},
    {"", "", "", ", init = 'zero'",
     "layer.last.init: the checkpoint has nothing, the config says zero"},
};
enum { LAYER_FIELDS = sizeof layer_fields / sizeof *layer_fields };

static void load_layers(int which, Config *config)
{
    char *text = rt_format("return { net = { layers = function()\n"
                           "    local x = conv{ image{ 4, 4, 3 }, name = 'a', out = 2,\n"
                           "        kernel = 3 %s }\n"
                           "    x = dropout{ relu(bn{ x %s }) %s }\n"
                           "    return dense{ avgpool(x), name = 'last', out = 2 %s }\n"
                           "end } }\n",
                           layer_fields[which].conv, layer_fields[which].bn,
                           layer_fields[which].drop, layer_fields[which].dense);
    ck_assert_msg(load_text(text, NULL, 0, config), "%s", rt_error());
    free(text);
}

START_TEST(runs_differ_by_what_layers_say)
{
    Config first, other;
    load_layers(0, &first);
    load_layers(_i, &other);
    const Checkpoint checkpoint = {.arch = first.arch, .config = first.record};
    const char *message = layer_fields[_i].message;
    ck_assert(checkpoint_match_arch(&checkpoint, "a", other.arch));
    ck_assert_int_eq(strcmp(first.hash, other.hash) == 0, message == NULL);
    ck_assert_int_eq(checkpoint_match_run(&checkpoint, "a", other.record),
                     message == NULL);
    ck_assert_str_eq(rt_error() + (message ? strlen("a: ") : 0), message ? message : "");
    rt_error_clear();
    ck_assert_int_eq(checkpoint_match_config(&checkpoint, "a", other.record),
                     message == NULL);
    rt_error_clear();
    config_free(&first);
    config_free(&other);
}
END_TEST

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *refused = tcase_create("refused");
    tcase_add_checked_fixture(refused, folder_make, folder_remove);
    tcase_set_timeout(refused, 60);
    tcase_add_loop_test(refused, bad_configs_get_their_message, 0, find_bad_files());
    tcase_add_loop_test(refused, not_a_number_is_refused, 0, 4);
    tcase_add_test(refused, libraries_are_not_there);
    tcase_add_test(refused, bytecode_is_refused);
    tcase_add_test(refused, files_that_are_no_configs);
    tcase_add_test(refused, parsing_is_bounded);
    suite_add_tcase(suite, refused);
    TCase *meant = tcase_create("meant");
    tcase_add_checked_fixture(meant, folder_make, folder_remove);
    tcase_set_timeout(meant, 60);
    tcase_add_test(meant, required_from_what_is_shipped);
    tcase_add_test(meant, a_byte_order_mark_is_skipped);
    tcase_add_loop_test(meant, residual_networks_for_large_images, 0, 4);
    tcase_add_loop_test(meant, the_largest_net_is_planned, 0, 2);
    tcase_add_loop_test(meant, overrides_set_fields, 0, 14);
    tcase_add_test(meant, the_last_override_wins);
    tcase_add_loop_test(meant, overrides_refused, 0, 21);
    tcase_add_test(meant, overrides_append);
    tcase_add_test(meant, architecture_lines);
    tcase_add_test(meant, config_lines);
    tcase_add_loop_test(meant, runs_differ_by_what_layers_say, 0, LAYER_FIELDS);
    tcase_add_test(meant, paths_change_nothing);
    tcase_add_test(meant, the_hash_follows_every_change);
    suite_add_tcase(suite, meant);
    return suite;
}
