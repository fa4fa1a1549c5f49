/* The layers of the config language. Every word checks its fields by name and range, and
 * raises Lua errors that carry the config's line and the layer's name. */
#include "gen/config/words.h"

#include "gen/config/sandbox.h"
#include "gen/config/shape.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static const char tensor_type[] = "lathe.tensor";
enum { MOST_OPS = 5000, MOST_SIDE = 8192, MOST_CHANNELS = 65536 };

int words_tensor(lua_State *lua, int index)
{
    const int *tensor = luaL_testudata(lua, index, tensor_type);
    return tensor ? *tensor : NONE;
}

/* x.h, x.w, x.c in a config. */
static int tensor_index(lua_State *lua)
{
    const Net *net = sandbox_context(lua);
    const Tensor *tensor = &net->tensors[words_tensor(lua, 1)];
    const char *field = luaL_checkstring(lua, 2);
    if (strcmp(field, "h") == 0)
        lua_pushinteger(lua, tensor->h);
    else if (strcmp(field, "w") == 0)
        lua_pushinteger(lua, tensor->w);
    else if (strcmp(field, "c") == 0)
        lua_pushinteger(lua, tensor->c);
    else
        return luaL_error(lua, "a layer has h, w and c, not '%s'", field);
    return 1;
}

static int push_tensor(lua_State *lua, int tensor)
{
    *(int *)lua_newuserdatauv(lua, sizeof(int), 0) = tensor;
    if (luaL_newmetatable(lua, tensor_type)) {
        lua_pushcfunction(lua, tensor_index);
        lua_setfield(lua, -2, "__index");
    }
    lua_setmetatable(lua, -2);
    return 1;
}

/* Leave one table of fields at stack index 1: the one given, or the plain arguments. */
static void open_fields(lua_State *lua, const char *word, int inputs,
                        const char *const *names, int count)
{
    if (lua_type(lua, 1) == LUA_TUSERDATA) {
        int given = lua_gettop(lua);
        lua_createtable(lua, given, 0);
        for (int i = 1; i <= given; i++) {
            lua_pushvalue(lua, i);
            lua_rawseti(lua, -2, i);
        }
        lua_replace(lua, 1);
    }
    if (lua_type(lua, 1) != LUA_TTABLE)
        luaL_error(lua, "%s: want %s{ x, ... } with fields, got %s", word, word,
                   luaL_typename(lua, 1));
    lua_settop(lua, 1);
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        lua_Number place = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
        if (place > inputs)
            luaL_error(lua, "%s: more than %d value%s without a name", word, inputs,
                       inputs == 1 ? "" : "s");
        if (lua_type(lua, -2) != LUA_TSTRING)
            continue;
        const char *name = lua_tostring(lua, -2);
        bool known = false;
        for (int i = 0; i < count; i++)
            known = known || strcmp(name, names[i]) == 0;
        if (known)
            continue;
        const char *nearest = rt_nearest(name, names, count);
        luaL_error(lua, "%s: unknown field '%s'%s%s%s", word, name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "",
                   nearest ? "'?" : "");
    }
    lua_settop(lua, 1);
}

#define OPEN_FIELDS(lua, word, inputs, ...)                                              \
    do {                                                                                 \
        const char *const fields[] = {__VA_ARGS__};                                      \
        open_fields(lua, word, inputs, fields, sizeof fields / sizeof *fields);          \
    } while (0)

static int int_field(lua_State *lua, const char *layer, const char *field, int low,
                     int high, int otherwise)
{
    int type = lua_getfield(lua, 1, field);
    int exact = 0;
    lua_Integer value = lua_tointegerx(lua, -1, &exact);
    if (type == LUA_TNIL && otherwise >= 0) {
        value = otherwise;
    } else if (type == LUA_TNIL) {
        luaL_error(lua, "%s: field '%s' is missing, want %d..%d", layer, field, low,
                   high);
    } else if (type != LUA_TNUMBER || !exact || value < low || value > high) {
        if (type != LUA_TNUMBER) /* a string may look like a number */
            lua_pushstring(lua, luaL_typename(lua, -1));
        luaL_error(lua, "%s: %s %s, want %d..%d", layer, field,
                   luaL_tolstring(lua, -1, NULL), low, high);
    }
    lua_settop(lua, 1);
    return (int)value;
}

/* The field's string (kept alive by the table of fields), or `otherwise`. */
static const char *text_field(lua_State *lua, const char *layer, const char *field,
                              const char *otherwise)
{
    int type = lua_getfield(lua, 1, field);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(lua, "%s: %s: want a string, got %s", layer, field,
                   luaL_typename(lua, -1));
    const char *text = type == LUA_TNIL ? otherwise : lua_tostring(lua, -1);
    if (type == LUA_TSTRING && strlen(text) != lua_rawlen(lua, -1))
        luaL_error(lua, "%s: %s: has a zero byte in it", layer, field);
    lua_settop(lua, 1);
    return text;
}

static int input_field(lua_State *lua, const char *layer, int index)
{
    lua_rawgeti(lua, 1, index);
    int tensor = words_tensor(lua, -1);
    if (tensor == NONE)
        luaL_error(lua, "%s: input %d: want a layer, got %s", layer, index,
                   luaL_typename(lua, -1));
    lua_settop(lua, 1);
    return tensor;
}

/* The layer's name: the field, else `otherwise`, else that of the input's convolution
 * with a suffix. */
static const char *name_field(lua_State *lua, const char *word, int input,
                              const char *otherwise)
{
    const Net *net = sandbox_context(lua);
    const char *name = text_field(lua, word, "name", otherwise);
    if (name == NULL && input == NONE)
        luaL_error(lua, "%s: field 'name' is missing, want a string", word);
    if (name == NULL) {
        char base[NAME_SIZE];
        snprintf(base, sizeof base, "%s", net->tensors[input].name);
        static const char *const tails[] = {"_bn", "_add", "_relu"};
        for (int i = 0; i < 3; i++) {
            size_t length = strlen(base), tail = strlen(tails[i]);
            if (length > tail && strcmp(base + length - tail, tails[i]) == 0)
                base[length - tail] = 0;
        }
        name = lua_pushfstring(lua, "%s_%s", base, word);
        lua_setfield(lua, 1, "name"); /* keeps it alive */
    }
    if (!layer_name_ok(name))
        luaL_error(
            lua, "name '%s': want at most %d of a-z, 0-9 and _, beginning with a letter",
            name, NAME_LETTERS);
    for (int i = 0; i < net->op_count; i++)
        if (strcmp(net->ops[i].name, name) == 0)
            luaL_error(lua, "%s: a layer of that name was laid out in line %d already",
                       name, net->ops[i].line);
    return name;
}

/* Append an op with the config's file and line. */
static int begin_op(lua_State *lua, OpKind kind, const char *name)
{
    Net *net = sandbox_context(lua);
    lua_Debug record;
    int line = 0;
    const char *file = "?";
    if (lua_getstack(lua, 1, &record)) {
        lua_getinfo(lua, "Sl", &record);
        line = record.currentline;
        file = record.source + (record.source[0] == '@' || record.source[0] == '=');
    }
    if (net->op_count >= MOST_OPS)
        luaL_error(lua, "%s: more than %d layers", name, MOST_OPS);
    if ((net->op_count == 0) != (kind == OP_IMAGE))
        luaL_error(lua, "%s: a network begins with one image{ h, w, c }", name);
    int op = net_add_op(net, kind, name, file, line);
    return net->ops[op].layer = op;
}

static int finish_op(lua_State *lua, int index)
{
    Net *net = sandbox_context(lua);
    if (!shape_op(net, index)) {
        lua_pushfstring(lua, "%s: %s", net->ops[index].name, rt_error());
        rt_error_clear();
        return luaL_error(lua, "%s", lua_tostring(lua, -1));
    }
    return push_tensor(lua, net->ops[index].out[0]);
}

/* A parameter of the op in its input slot `slot`. */
static void add_param(Net *net, int op, const char *slot, const char *key, Role role,
                      ParamKind kind, ParamInit init, const char *torch,
                      const char *torch_key)
{
    char suffix[NAME_SIZE];
    snprintf(suffix, sizeof suffix, ".%s", key);
    int index = net_add_tensor(net, role, net->ops[op].name, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->param_kind = kind;
    tensor->init = init;
    if (torch)
        snprintf(tensor->torch, sizeof tensor->torch, "%s.%s", torch, torch_key);
    net->ops[op].in[op_input(net->ops[op].kind, slot)] = index;
}

static ParamInit init_field(lua_State *lua, const char *layer, const char *otherwise)
{
    static const char *const names[] = {"he", "lecun", "zero"};
    const char *init = text_field(lua, layer, "init", otherwise);
    for (int i = 0; i < 3; i++)
        if (strcmp(init, names[i]) == 0)
            return (ParamInit[]){INIT_HE_NORMAL, INIT_LECUN_NORMAL, INIT_ZERO}[i];
    return luaL_error(lua, "%s: init '%s', want 'he', 'lecun' or 'zero'", layer, init);
}

/* pad = "torch" ((kernel - 1) / 2 on every side), "same" (TensorFlow's: the output has
 * ceil(in / stride) pixels, the odd zero comes after), or a number of pixels. */
static void pad_field(lua_State *lua, const char *layer, int index, const Tensor *x)
{
    Net *net = sandbox_context(lua);
    Op *op = &net->ops[index];
    int type = lua_getfield(lua, 1, "pad");
    const char *text = type == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    if (type == LUA_TNUMBER) {
        lua_settop(lua, 1);
        op->pad_top = int_field(lua, layer, "pad", 0, op->kernel_h - 1, 0);
    } else if (type == LUA_TNIL || strcmp(text, "torch") == 0) {
        op->pad_top = (op->kernel_h - 1) / 2;
    } else if (strcmp(text, "same") != 0) {
        luaL_error(lua, "%s: pad: want 'torch', 'same' or a number of pixels", layer);
    }
    op->pad_left = op->pad_bottom = op->pad_right = op->pad_top;
    if (strcmp(text, "same") == 0) {
        int rows = ((x->h - 1) / op->stride) * op->stride + op->kernel_h - x->h;
        int columns = ((x->w - 1) / op->stride) * op->stride + op->kernel_w - x->w;
        rows = rows > 0 ? rows : 0;
        columns = columns > 0 ? columns : 0;
        op->pad_top = rows / 2;
        op->pad_bottom = rows - op->pad_top;
        op->pad_left = columns / 2;
        op->pad_right = columns - op->pad_left;
    }
    lua_settop(lua, 1);
}

static int word_image(lua_State *lua)
{
    OPEN_FIELDS(lua, "image", 3, "name");
    Net *net = sandbox_context(lua);
    const int most[] = {MOST_SIDE, MOST_SIDE, 4};
    const char *const what[] = {"height", "width", "channels"};
    int size[3];
    for (int i = 0; i < 3; i++) {
        int exact;
        lua_rawgeti(lua, 1, i + 1);
        lua_Integer value = lua_tointegerx(lua, -1, &exact);
        if (!exact || value < 1 || value > most[i])
            return luaL_error(lua, "image: %s: want 1..%d", what[i], most[i]);
        size[i] = (int)value;
    }
    lua_settop(lua, 1);
    const char *name = name_field(lua, "image", NONE, "image");
    int op = begin_op(lua, OP_IMAGE, name);
    int pixels = net_add_data(net, "pixels", "", size[0], size[1], size[2]);
    net->tensors[pixels].role = ROLE_PIXELS;
    net->tensors[pixels].type = TYPE_U8;
    net->ops[op].in[0] = pixels;
    return finish_op(lua, op);
}

static int word_conv(lua_State *lua)
{
    OPEN_FIELDS(lua, "conv", 1, "name", "out", "kernel", "stride", "pad", "init",
                "torch");
    Net *net = sandbox_context(lua);
    const char *name = name_field(lua, "conv", NONE, NULL);
    int x = input_field(lua, name, 1);
    int out = int_field(lua, name, "out", 1, MOST_CHANNELS, -1);
    int kernel = int_field(lua, name, "kernel", 1, 31, -1);
    int stride = int_field(lua, name, "stride", 1, 16, 1);
    ParamInit init = init_field(lua, name, "he");
    const char *torch = text_field(lua, name, "torch", NULL);
    int index = begin_op(lua, OP_CONV, name);
    Op *op = &net->ops[index];
    op->in[0] = x;
    op->kernel_h = op->kernel_w = kernel;
    op->stride = stride;
    pad_field(lua, name, index, &net->tensors[x]);
    add_param(net, index, "w", "weight", ROLE_PARAM, PARAM_CONV, init, torch, "weight");
    net->tensors[net->ops[index].in[1]].k = out;
    return finish_op(lua, index);
}

static int word_bn(lua_State *lua)
{
    OPEN_FIELDS(lua, "bn", 1, "name", "scale", "torch");
    Net *net = sandbox_context(lua);
    int x = input_field(lua, "bn", 1);
    const char *name = name_field(lua, "bn", x, NULL);
    int scale = int_field(lua, name, "scale", 0, 1, 1);
    const char *torch = text_field(lua, name, "torch", NULL);
    int op = begin_op(lua, OP_BN, name);
    net->ops[op].in[0] = x;
    add_param(net, op, "scale", "scale", ROLE_PARAM, PARAM_BN_SCALE,
              scale ? INIT_ONE : INIT_ZERO, torch, "weight");
    add_param(net, op, "shift", "shift", ROLE_PARAM, PARAM_BN_SHIFT, INIT_ZERO, torch,
              "bias");
    add_param(net, op, "mean", "mean", ROLE_STAT, PARAM_BN_MEAN, INIT_ZERO, torch,
              "running_mean");
    add_param(net, op, "var", "var", ROLE_STAT, PARAM_BN_VAR, INIT_ONE, torch,
              "running_var");
    return finish_op(lua, op);
}

/* Words of inputs alone. */
static int plain_word(lua_State *lua, const char *word, OpKind kind, int inputs)
{
    OPEN_FIELDS(lua, word, inputs, "name");
    Net *net = sandbox_context(lua);
    int in[2] = {NONE, NONE};
    for (int i = 0; i < inputs; i++)
        in[i] = input_field(lua, word, i + 1);
    int op = begin_op(lua, kind, name_field(lua, word, in[0], NULL));
    net->ops[op].in[0] = in[0];
    net->ops[op].in[1] = in[1];
    return finish_op(lua, op);
}

static int word_add(lua_State *lua)
{
    return plain_word(lua, "add", OP_ADD, 2);
}

static int word_relu(lua_State *lua)
{
    return plain_word(lua, "relu", OP_RELU, 1);
}

static int word_avgpool(lua_State *lua)
{
    return plain_word(lua, "avgpool", OP_AVGPOOL, 1);
}

static int word_subsample(lua_State *lua)
{
    OPEN_FIELDS(lua, "subsample", 1, "name", "stride", "out");
    Net *net = sandbox_context(lua);
    int x = input_field(lua, "subsample", 1);
    const char *name = name_field(lua, "subsample", x, NULL);
    int stride = int_field(lua, name, "stride", 1, 16, -1);
    int out =
        int_field(lua, name, "out", net->tensors[x].c, MOST_CHANNELS, net->tensors[x].c);
    int index = begin_op(lua, OP_SUBSAMPLE, name);
    Op *op = &net->ops[index];
    op->in[0] = x;
    op->stride = stride;
    op->channel_offset = (out - net->tensors[x].c) / 2;
    op->out[0] = net_add_data(net, name, "", 0, 0, out);
    return finish_op(lua, index);
}

static int word_maxpool(lua_State *lua)
{
    OPEN_FIELDS(lua, "maxpool", 1, "name", "kernel", "stride", "pad");
    Net *net = sandbox_context(lua);
    int x = input_field(lua, "maxpool", 1);
    const char *name = name_field(lua, "maxpool", x, NULL);
    int kernel = int_field(lua, name, "kernel", 1, 31, -1);
    int stride = int_field(lua, name, "stride", 1, 16, kernel);
    int index = begin_op(lua, OP_MAXPOOL, name);
    Op *op = &net->ops[index];
    op->in[0] = x;
    op->kernel_h = op->kernel_w = kernel;
    op->stride = stride;
    pad_field(lua, name, index, &net->tensors[x]);
    return finish_op(lua, index);
}

static int word_dense(lua_State *lua)
{
    OPEN_FIELDS(lua, "dense", 1, "name", "out", "init", "torch");
    Net *net = sandbox_context(lua);
    const char *name = name_field(lua, "dense", NONE, NULL);
    int x = input_field(lua, name, 1);
    int out = int_field(lua, name, "out", 2, MOST_CHANNELS, -1);
    ParamInit init = init_field(lua, name, "lecun");
    const char *torch = text_field(lua, name, "torch", NULL);
    int op = begin_op(lua, OP_DENSE, name);
    net->ops[op].in[0] = x;
    add_param(net, op, "w", "weight", ROLE_PARAM, PARAM_DENSE, init, torch, "weight");
    add_param(net, op, "b", "bias", ROLE_PARAM, PARAM_BIAS, INIT_ZERO, torch, "bias");
    net->tensors[net->ops[op].in[1]].k = out;
    return finish_op(lua, op);
}

const luaL_Reg words[] = {
    {"image", word_image},     {"conv", word_conv},
    {"bn", word_bn},           {"relu", word_relu},
    {"add", word_add},         {"subsample", word_subsample},
    {"maxpool", word_maxpool}, {"avgpool", word_avgpool},
    {"dense", word_dense},     {NULL, NULL},
};
