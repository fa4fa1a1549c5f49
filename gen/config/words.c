/* The layers of the config language. Every word checks its fields by name and range, and
 * raises Lua errors that carry the config's line and the layer's name. */
#include "gen/config/words.h"

#include "gen/config/layer_names.h"
#include "gen/config/sandbox.h"
#include "gen/config/shape.h"
#include "gen/config/word_fields.h"
#include "gen/ir/params.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stddef.h>
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

/* A layer as its word's fields say it. */
typedef struct {
    const char *name, *torch;
    int in[OP_INPUTS], out, kernel[2], stride, groups, scale; /* kernel: rows, columns */
    double eps, momentum, slope, rate;
    bool bias;
    ParamInit init;
} Layer;

/* A field that is a whole number. */
typedef struct {
    const char *name;
    size_t offset; /* in Layer */
    int low, high, otherwise;
} Number;

/* A field that is any number. */
typedef struct {
    RealRange range;
    size_t offset; /* in Layer */
} Real;

/* Instead of a Number's `low` or `otherwise`. */
enum { REQUIRED = -1, CHANNELS_OF_INPUT = -2, SAME_AS_KERNEL = -3 };

enum { MOST_NUMBERS = 3, MOST_REALS = 2, MOST_FIELDS = MOST_NUMBERS + MOST_REALS + 7 };
typedef struct {
    const char *name;
    OpKind kind;
    int inputs, least; /* at most, and, where it takes fewer, at least */
    bool named;        /* must have a name; others are called after their input */
    bool kernel;       /* of a window */
    bool whole;        /* without a kernel, it is the whole image */
    Number numbers[MOST_NUMBERS];
    Real reals[MOST_REALS];
    bool pad, bias, torch, mean;
    double ceiling;   /* of an activation */
    const char *init; /* where weights begin unless the config says it; or NULL */
    void (*parameters)(Net *net, int op, const Layer *layer); /* or NULL */
} Word;

/* The names of the word's fields; how many. */
static int field_names(const Word *word, const char *names[MOST_FIELDS])
{
    int count = 0;
    names[count++] = "name";
    if (word->kernel)
        names[count++] = "kernel";
    for (int i = 0; i < MOST_NUMBERS && word->numbers[i].name; i++)
        names[count++] = word->numbers[i].name;
    for (int i = 0; i < MOST_REALS && word->reals[i].range.name; i++)
        names[count++] = word->reals[i].range.name;
    if (word->pad)
        names[count++] = "pad";
    if (word->mean)
        names[count++] = "count_include_pad";
    if (word->bias)
        names[count++] = "bias";
    if (word->init)
        names[count++] = "init";
    if (word->torch)
        names[count++] = "torch";
    return count;
}

static void check_field(lua_State *lua, const Word *word, const char *name)
{
    const char *names[MOST_FIELDS];
    int count = field_names(word, names);
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return;
    const char *nearest = rt_nearest(name, names, count);
    luaL_error(lua, "%s: unknown field '%s'%s%s%s", word->name, name,
               nearest ? "; did you mean '" : "", nearest ? nearest : "",
               nearest ? "'?" : "");
}

/* Leave one table of fields at stack index 1: the one given, or the plain arguments. */
static void open_fields(lua_State *lua, const Word *word)
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
        luaL_error(lua, "%s: want %s{ x, ... } with fields, got %s", word->name,
                   word->name, luaL_typename(lua, 1));
    lua_settop(lua, 1);
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) {
        lua_Number place = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
        if (place > word->inputs)
            luaL_error(lua, "%s: more than %d value%s without a name", word->name,
                       word->inputs, word->inputs == 1 ? "" : "s");
        if (lua_type(lua, -2) == LUA_TSTRING)
            check_field(lua, word, lua_tostring(lua, -2));
    }
    lua_settop(lua, 1);
}

/* PyTorch's name of the layer, or several, "fc|linear"; by default the layer's own. */
static const char *torch_field(lua_State *lua, const char *layer)
{
    const char *torch = text_field(lua, layer, "torch", layer);
    size_t room = strlen(torch) + sizeof ".running_mean"; /* the longest key */
    for (const char *p = torch; *p; p++)
        room += *p == '|' ? strlen(".running_mean") : 0;
    if (room > sizeof(((Tensor *)NULL)->torch))
        luaL_error(lua, "%s: torch: a name of %d bytes is too long", layer,
                   (int)strlen(torch));
    return torch;
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
    take_name(lua, name, line);
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
    return push_tensor(lua, net->ops[index].out[LAYER_y]);
}

/* "fc|linear" and "weight" to "fc.weight|linear.weight"; torch_field sees to the room. */
static void name_torch(Tensor *tensor, const char *torch, const char *key)
{
    char *at = tensor->torch;
    while (*torch) {
        int length = (int)strcspn(torch, "|");
        at += sprintf(at, "%s%.*s.%s", at > tensor->torch ? "|" : "", length, torch, key);
        torch += length + (torch[length] == '|');
    }
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
    name_torch(tensor, torch, torch_key);
    net->ops[op].in[op_input(net->ops[op].kind, slot)] = index;
}

static ParamInit init_field(lua_State *lua, const char *layer, const char *otherwise)
{
    const char *init = text_field(lua, layer, "init", otherwise);
    for (ParamInit i = INIT_HE_NORMAL; i <= INIT_ZERO; i++)
        if (strcmp(init, init_words[i]) == 0)
            return i;
    return luaL_error(lua, "%s: init '%s', want 'he', 'lecun' or 'zero'", layer, init);
}

static void conv_parameters(Net *net, int op, const Layer *layer)
{
    add_param(net, op, "w", "weight", ROLE_PARAM, PARAM_CONV, layer->init, layer->torch,
              "weight");
    if (layer->bias)
        add_param(net, op, "b", "bias", ROLE_PARAM, PARAM_BIAS, INIT_ZERO, layer->torch,
                  "bias");
    op_in(net, &net->ops[op], "w")->k = layer->out;
}

static void bn_parameters(Net *net, int op, const Layer *layer)
{
    const char *torch = layer->torch;
    add_param(net, op, "scale", "scale", ROLE_PARAM, PARAM_BN_SCALE,
              layer->scale ? INIT_ONE : INIT_ZERO, torch, "weight");
    add_param(net, op, "shift", "shift", ROLE_PARAM, PARAM_BN_SHIFT, INIT_ZERO, torch,
              "bias");
    add_param(net, op, "mean", "mean", ROLE_STAT, PARAM_BN_MEAN, INIT_ZERO, torch,
              "running_mean");
    add_param(net, op, "var", "var", ROLE_STAT, PARAM_BN_VAR, INIT_ONE, torch,
              "running_var");
    net->ops[op].eps = layer->eps;
    net->ops[op].momentum = layer->momentum;
}

static void dense_parameters(Net *net, int op, const Layer *layer)
{
    add_param(net, op, "w", "weight", ROLE_PARAM, PARAM_DENSE, layer->init, layer->torch,
              "weight");
    add_param(net, op, "b", "bias", ROLE_PARAM, PARAM_BIAS, INIT_ZERO, layer->torch,
              "bias");
    op_in(net, &net->ops[op], "w")->k = layer->out;
}

static void subsample_output(Net *net, int op, const Layer *layer)
{
    net->ops[op].channel_offset = (layer->out - net->tensors[layer->in[0]].c) / 2;
    net->ops[op].out[SUBSAMPLE_y] = net_add_data(net, layer->name, "", 0, 0, layer->out);
}

#define NUMBER(field, low, high, otherwise)                                              \
    {                                                                                    \
#field, offsetof(Layer, field), low, high, otherwise                             \
    }
#define REAL(field, low, high, otherwise)                                                \
    {                                                                                    \
        {#field, low, high, otherwise}, offsetof(Layer, field)                           \
    }
#define STRIDE(otherwise) NUMBER(stride, 1, 16, otherwise)

static const Word layer_words[] = {
    {.name = "image", .kind = OP_IMAGE, .inputs = 3},
    {.name = "conv",
     .kind = OP_CONV,
     .inputs = 1,
     .named = true,
     .kernel = true,
     .numbers = {NUMBER(out, 1, MOST_CHANNELS, REQUIRED), STRIDE(1),
                 NUMBER(groups, 1, MOST_CHANNELS, 1)},
     .pad = true,
     .bias = true,
     .init = "he",
     .torch = true,
     .parameters = conv_parameters},
    {.name = "bn",
     .kind = OP_BN,
     .inputs = 1,
     .numbers = {NUMBER(scale, 0, 1, 1)},
     .reals = {REAL(eps, 1e-10, 1, 1e-5), REAL(momentum, 0, 1, 0.1)},
     .torch = true,
     .parameters = bn_parameters},
    {.name = "relu", .kind = OP_RELU, .inputs = 1},
    {.name = "relu6", .kind = OP_RELU, .inputs = 1, .ceiling = 6},
    {.name = "leaky_relu",
     .kind = OP_RELU,
     .inputs = 1,
     .reals = {REAL(slope, 0.0001, 1, 0.01)}},
    {.name = "dropout",
     .kind = OP_DROPOUT,
     .inputs = 1,
     .reals = {REAL(rate, 0.001, 0.95, 0.5)}},
    {.name = "add", .kind = OP_ADD, .inputs = 2},
    {.name = "concat", .kind = OP_CONCAT, .inputs = OP_INPUTS, .least = 2},
    {.name = "subsample",
     .kind = OP_SUBSAMPLE,
     .inputs = 1,
     .numbers = {STRIDE(REQUIRED),
                 NUMBER(out, CHANNELS_OF_INPUT, MOST_CHANNELS, CHANNELS_OF_INPUT)},
     .parameters = subsample_output},
    {.name = "maxpool",
     .kind = OP_MAXPOOL,
     .inputs = 1,
     .kernel = true,
     .whole = true,
     .numbers = {STRIDE(SAME_AS_KERNEL)},
     .pad = true},
    {.name = "avgpool",
     .kind = OP_AVGPOOL,
     .inputs = 1,
     .kernel = true,
     .whole = true,
     .numbers = {STRIDE(SAME_AS_KERNEL)},
     .pad = true,
     .mean = true},
    {.name = "dense",
     .kind = OP_DENSE,
     .inputs = 1,
     .named = true,
     .numbers = {NUMBER(out, 2, MOST_CHANNELS, REQUIRED)},
     .init = "lecun",
     .torch = true,
     .parameters = dense_parameters},
};

/* image{ height, width, channels } */
static int lay_out_image(lua_State *lua)
{
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
    const char *name = name_field(lua, "image", NULL, "image");
    int op = begin_op(lua, OP_IMAGE, name);
    int pixels = net_add_data(net, "pixels", "", size[0], size[1], size[2]);
    net->tensors[pixels].role = ROLE_PIXELS;
    net->tensors[pixels].type = TYPE_U8;
    net->ops[op].in[IMAGE_pixels] = pixels;
    return finish_op(lua, op);
}

/* What a Number's `low` or `otherwise` stands for. */
static int meant(const Net *net, const Layer *layer, int number)
{
    return number == CHANNELS_OF_INPUT            ? net->tensors[layer->in[0]].c
           : number != SAME_AS_KERNEL             ? number
           : layer->kernel[0] == layer->kernel[1] ? layer->kernel[0]
                                                  : REQUIRED;
}

/* A pool without a kernel, 0, is of the whole image, and has no other field of a
 * window. */
static void kernel_field(lua_State *lua, const Word *word, Layer *layer)
{
    static const char *const others[] = {"stride", "pad", "count_include_pad"};
    bool given = lua_getfield(lua, 1, "kernel") != LUA_TNIL;
    for (int i = 0; word->whole && !given && i < 3; i++)
        if (lua_getfield(lua, 1, others[i]) != LUA_TNIL)
            luaL_error(lua, "%s: %s: is of no use without a kernel", layer->name,
                       others[i]);
    lua_settop(lua, 1);
    if (given || !word->whole)
        pair_field(lua, layer->name, "kernel", 1, (const int[]){31, 31}, layer->kernel);
}

static int given_inputs(lua_State *lua, const Word *word)
{
    int given = (int)lua_rawlen(lua, 1), least = word->least;
    return least == 0 ? word->inputs : given < least ? least : given;
}

static Layer read_layer(lua_State *lua, const Word *word)
{
    const Net *net = sandbox_context(lua);
    Layer layer = {0};
    int inputs = given_inputs(lua, word);
    for (int i = 0; i < OP_INPUTS; i++)
        layer.in[i] = NONE;
    if (word->named)
        layer.name = name_field(lua, word->name, NULL, NULL);
    for (int i = 0; i < inputs; i++)
        layer.in[i] = input_field(lua, word->named ? layer.name : word->name, i + 1);
    if (!word->named)
        layer.name = name_field(lua, word->name, net->tensors[layer.in[0]].name, NULL);
    if (word->kernel)
        kernel_field(lua, word, &layer);
    for (int i = 0; i < MOST_NUMBERS && word->numbers[i].name; i++) {
        const Number *it = &word->numbers[i];
        *(int *)((char *)&layer + it->offset) =
            int_field(lua, layer.name, it->name, meant(net, &layer, it->low), it->high,
                      meant(net, &layer, it->otherwise));
    }
    for (int i = 0; i < MOST_REALS && word->reals[i].range.name; i++)
        *(double *)((char *)&layer + word->reals[i].offset) =
            real_field(lua, word->name, layer.name, &word->reals[i].range);
    layer.bias = word->bias && flag_field(lua, layer.name, "bias", false);
    if (word->init)
        layer.init = init_field(lua, layer.name, word->init);
    if (word->torch)
        layer.torch = torch_field(lua, layer.name);
    return layer;
}

/* Every word: a closure of its row. */
static int lay_out(lua_State *lua)
{
    const Word *word = lua_touserdata(lua, lua_upvalueindex(1));
    Net *net = sandbox_context(lua);
    open_fields(lua, word);
    if (word->kind == OP_IMAGE)
        return lay_out_image(lua);
    const Layer layer = read_layer(lua, word);
    int index = begin_op(lua, word->kind, layer.name);
    Op *op = &net->ops[index];
    memcpy(op->in, layer.in, sizeof layer.in);
    op->kernel_h = layer.kernel[0];
    op->kernel_w = layer.kernel[1];
    op->stride = layer.stride;
    op->relu = word->kind == OP_RELU;
    op->ceiling = word->ceiling;
    op->slope = layer.slope;
    op->rate = layer.rate;
    op->groups = layer.groups;
    if (word->pad && op->kernel_h)
        pad_field(lua, layer.name, op, &net->tensors[layer.in[0]]);
    if (word->mean && op->kernel_h)
        count_field(lua, layer.name, op);
    if (word->parameters)
        word->parameters(net, index, &layer);
    if (layer.bias || word->kind == OP_DENSE)
        take_bias_name(lua, op->name, op->line);
    return finish_op(lua, index);
}

void words_push(lua_State *lua)
{
    for (size_t i = 0; i < sizeof layer_words / sizeof *layer_words; i++) {
        lua_pushlightuserdata(lua, (void *)&layer_words[i]);
        lua_pushcclosure(lua, lay_out, 1);
        lua_setfield(lua, -2, layer_words[i].name);
    }
}
