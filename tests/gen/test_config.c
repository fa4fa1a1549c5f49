/* Configs: what is refused, and how; overrides. Every file in tests/bad begins with the
 * message it must get. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/passes/compile.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/text_config.h"

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
    char *text = rt_format("\xEF\xBB\xBF%s", family_config);
    ck_assert_msg(load_text(text, NULL, 0, &config), "%s", rt_error());
    config_free(&config);
    free(text);
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
    suite_add_tcase(suite, meant);
    return suite;
}
