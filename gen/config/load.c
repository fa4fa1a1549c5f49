/* From a Lua file to a Config: run it, apply --set, read its fields, lay out its
 * layers. */
#include "gen/config/config.h"

#include "gen/base/paths.h"
#include "gen/config/fields.h"
#include "gen/config/quantisers.h"
#include "gen/config/sandbox.h"
#include "gen/config/word_fields.h"
#include "gen/config/words.h"
#include "runtime/base/shell_word.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <ctype.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

/* Replace the table on top by its field `key`, made a table if it is missing. */
static bool descend(lua_State *lua, const char *override, const char *key, size_t length)
{
    lua_pushlstring(lua, key, length);
    lua_pushvalue(lua, -1);
    int type = lua_rawget(lua, -3);
    if (type == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_newtable(lua);
        lua_pushvalue(lua, -2);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, -5);
    } else if (type != LUA_TTABLE) {
        return rt_fail("--set %s: %.*s is no table", override, (int)length, key);
    }
    lua_replace(lua, -3);
    lua_pop(lua, 1);
    return true;
}

/* A word that Lua takes for a name, and no value. */
static bool bare_word(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_");
    return text[length] == 0 && !isdigit((unsigned char)text[0]) &&
           strcmp(text, "true") != 0 && strcmp(text, "false") != 0 &&
           strcmp(text, "nil") != 0;
}

/* "path=value" into the config's table at stack index 1; "path+=value" adds to a list. */
static bool apply_override(Sandbox *sandbox, const char *override)
{
    lua_State *lua = sandbox->lua;
    const char *equals = strchr(override, '=');
    bool append = equals && equals > override && equals[-1] == '+';
    const char *end = append ? equals - 1 : equals;
    if (equals == NULL || end == override || equals[1] == 0)
        return rt_fail("--set %s: want path=value, such as train.epochs=5", override);
    if (bare_word(equals + 1))
        return rt_fail("--set %s: text wants quotes: --set '%.*s\"%s\"'", override,
                       (int)(equals + 1 - override), override, equals + 1);
    lua_pushvalue(lua, 1);
    const char *key = override;
    for (const char *dot; (dot = memchr(key, '.', end - key)); key = dot + 1)
        if (!descend(lua, override, key, dot - key))
            return false;
    if (append && !descend(lua, override, key, end - key))
        return false;
    char *chunk = rt_format("=--set %.*s", (int)(end - override), override);
    if (append)
        lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, -1) + 1);
    else
        lua_pushlstring(lua, key, end - key);
    bool ok = sandbox_run_value(sandbox, equals + 1, chunk);
    free(chunk);
    if (!ok)
        return false;
    lua_rawset(lua, -3);
    lua_settop(lua, 1);
    return true;
}

/* A string that may stand in a line of text. */
static bool shown_string(lua_State *lua, int index)
{
    size_t length;
    const char *text = lua_tolstring(lua, index, &length);
    return strlen(text) == length && rt_is_shown(text);
}

/* The description in `net`: only names its family has, and values of the same types. */
static bool check_net(lua_State *lua, const char *path)
{
    if (lua_getfield(lua, 1, "net") != LUA_TTABLE)
        return rt_fail("%s: net: want a table that describes the layers, got %s", path,
                       luaL_typename(lua, -1));
    int net = lua_gettop(lua);
    if (lua_getfield(lua, net, "_family") != LUA_TTABLE) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, net);
    }
    int family = lua_gettop(lua);
    for (lua_pushnil(lua); lua_next(lua, net); lua_pop(lua, 1)) {
        const char *name =
            lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : NULL;
        if (name == NULL)
            return rt_fail("%s: net: want named fields only", path);
        if (strcmp(name, "_family") == 0)
            continue;
        int type = lua_type(lua, -1);
        int wanted = lua_getfield(lua, family, name);
        lua_pop(lua, 1);
        if (!rt_is_shown(name) || (type == LUA_TSTRING && !shown_string(lua, -1)))
            return rt_fail("%s: net.%s: want text without control characters", path,
                           name);
        if (wanted == LUA_TNIL)
            return fields_unknown(lua, family, path, "net", name);
        if (type != wanted)
            return rt_fail("%s: net.%s: want a %s, got a %s", path, name,
                           lua_typename(lua, wanted), lua_typename(lua, type));
    }
    lua_settop(lua, net);
    return true;
}

/* Let the description lay out its layers. */
static bool build_net(Sandbox *sandbox, Config *config)
{
    lua_State *lua = sandbox->lua;
    if (!check_net(lua, config->path))
        return false;
    if (lua_getfield(lua, -1, "layers") != LUA_TFUNCTION)
        return rt_fail("%s: net.layers: want a function that lays out the layers",
                       config->path);
    lua_insert(lua, -2);
    words_set_net(lua, lua_gettop(lua));
    if (!sandbox_call(sandbox, 1))
        return false;
    config->output = words_tensor(lua, -1);
    lua_settop(lua, 1);
    const Net *net = &config->net;
    if (config->output == NONE)
        return rt_fail("%s: net.layers: want it to return the last layer", config->path);
    const Op *last = &net->ops[net->op_count - 1];
    if (last->out[LAYER_y] != config->output || last->kind != OP_DENSE)
        return rt_fail(
            "%s:%d: %s: the last layer laid out must be a dense one, and returned",
            last->file, last->line, last->name);
    config->net.tensors[config->output].role = ROLE_LOGITS;
    return true;
}

/* Each layer's output must reach the end, or the config says something it does not
 * mean. */
static bool check_used(const Config *config)
{
    const Net *net = &config->net;
    bool *used = rt_alloc(net->tensor_count);
    used[config->output] = true;
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (net->ops[i].in[j] != NONE)
                used[net->ops[i].in[j]] = true;
    const Op *op = net->ops, *end = op + net->op_count;
    while (op < end && used[op->out[LAYER_y]])
        op++;
    free(used);
    return op == end ||
           rt_fail("%s:%d: %s: nothing uses this layer", op->file, op->line, op->name);
}

/* One "name=description" line per layer: what makes weights fit. */
static char *describe_arch(const Net *net)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        fprintf(file, "%s=%s", op->name, op_info[op->kind].name);
        const Tensor *y = &net->tensors[op->out[LAYER_y]];
        bool one_mean = op->kind == OP_AVGPOOL && y->h == 1 && y->w == 1;
        if (op->kernel_h && !one_mean)
            fprintf(file, " %dx%d", op->kernel_h, op->kernel_w);
        if (op->groups > 1)
            fprintf(file, " groups %d", op->groups);
        if (op->stride && !one_mean)
            fprintf(file, " stride %d", op->stride);
        if (op->pad_top || op->pad_left || op->pad_bottom || op->pad_right)
            fprintf(file, " pad %d,%d,%d,%d", op->pad_top, op->pad_left, op->pad_bottom,
                    op->pad_right);
        if (op->count_pad)
            fputs(" counted", file);
        if (op->kind == OP_CONV && op->in[CONV_b] != NONE)
            fprintf(file, " bias");
        if (op->ceiling > 0)
            fprintf(file, " to %g", op->ceiling);
        if (op->slope > 0)
            fprintf(file, " slope %.9g", op->slope);
        if (op->kind == OP_BN && op->eps != 1e-5)
            fprintf(file, " eps %.9g", op->eps);
        fprintf(file, " to %dx%dx%d from", y->h, y->w, y->c);
        for (int j = 0; j < OP_INPUTS; j++)
            if (op->in[j] != NONE && (net->tensors[op->in[j]].role == ROLE_DATA ||
                                      net->tensors[op->in[j]].role == ROLE_PIXELS))
                fprintf(file, " %s", net->tensors[op->in[j]].name);
        fputc('\n', file);
    }
    fclose(file);
    return text;
}

/* "configs/resnet20.lua" names "resnet20". */
static bool name_config(Config *config, const char *path)
{
    char *copy = rt_format("%s", path);
    char *base = basename(copy);
    size_t length = strlen(base);
    bool lua = length > 4 && strcmp(base + length - 4, ".lua") == 0;
    if (lua)
        config->name = rt_format("%.*s", (int)length - 4, base);
    free(copy);
    if (!lua)
        return rt_fail("%s: want a config, a file whose name ends in .lua", path);
    size_t plain =
        strspn(config->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789_");
    if (config->name[plain] || (config->name[0] >= '0' && config->name[0] <= '9'))
        return rt_fail(
            "%s: the file's name becomes a C name: want letters, digits and _ only",
            path);
    return true;
}

/* A run's own numbers, which stand beside what it came from. */
static bool of_run(const char *override)
{
    return strncmp(override, "train.seed=", 11) == 0 ||
           strncmp(override, "train.epochs=", 13) == 0;
}

/* "configs/net.lua --set train.lr=0.1" */
static char *origin_of(const char *path, const char *const *overrides, int count)
{
    char *text = rt_shell_word(short_path(path));
    for (int i = 0; i < count; i++) {
        if (of_run(overrides[i]))
            continue;
        char *word = rt_shell_word(overrides[i]);
        char *longer = rt_format("%s --set %s", text, word);
        free(word);
        free(text);
        text = longer;
    }
    return text;
}

static bool load(Sandbox *sandbox, const char *path, const char *const *overrides,
                 int count, Config *config)
{
    config->path = rt_format("%s", rt_shown(short_path(path)));
    if (!name_config(config, path) ||
        !sandbox_open(sandbox, path, words_push, &config->net) ||
        !sandbox_run_file(sandbox, path))
        return false;
    lua_State *lua = sandbox->lua;
    if (lua_type(lua, 1) != LUA_TTABLE)
        return rt_fail("%s: want the file to return a table, got %s", config->path,
                       luaL_typename(lua, 1));
    for (int i = 0; i < count; i++)
        if (!apply_override(sandbox, overrides[i]))
            return false;
    if (!build_net(sandbox, config) || !check_used(config) || !fields_read(lua, config))
        return false;
    quant_add_params(&config->net);
    net_layout_params(&config->net);
    config->lines = fields_lines(lua, config);
    config->record = fields_record(config);
    config->arch = describe_arch(&config->net);
    config->signature = fields_signature(config);
    config->origin = origin_of(path, overrides, count);
    config->required = sandbox_required(sandbox);
    char *both = rt_format("%s%s", config->lines, config->arch);
    rt_sha256(both, strlen(both), config->hash);
    free(both);
    return true;
}

bool config_load(const char *path, const char *const *overrides, int count,
                 Config *config)
{
    Sandbox sandbox = {0};
    *config = (Config){.output = NONE};
    bool ok = load(&sandbox, path, overrides, count, config);
    sandbox_close(&sandbox);
    if (!ok)
        config_free(config);
    return ok;
}
