/* The Net as Lua tables, for templates. Names come from the lists that make its
 * fields, enums and slots. */
#include "gen/emit/outside.h"
#include "gen/ir/ir.h"
#include "gen/ir/params.h"
#include "gen/ir/transposed.h"

#include <lauxlib.h>

static void push_bool_t(lua_State *lua, bool value)
{
    lua_pushboolean(lua, value);
}

static void push_int_t(lua_State *lua, int value)
{
    lua_pushinteger(lua, value);
}

static void push_long_t(lua_State *lua, long value)
{
    lua_pushinteger(lua, value);
}

static void push_number_t(lua_State *lua, double value)
{
    lua_pushnumber(lua, value);
}

static void push_name(lua_State *lua, const char *const *names, int value)
{
    lua_pushstring(lua, names[value]);
}

static void push_type_t(lua_State *lua, Type value)
{
    push_name(lua, type_names, value);
}

static void push_role_t(lua_State *lua, Role value)
{
    push_name(lua, role_names, value);
}

static void push_place_t(lua_State *lua, Place value)
{
    push_name(lua, place_names, value);
}

static void push_scope_t(lua_State *lua, Scope value)
{
    push_name(lua, scope_names, value);
}

static void push_form_t(lua_State *lua, Form value)
{
    push_name(lua, form_names, value);
}

static void push_lowering_t(lua_State *lua, Lowering value)
{
    push_name(lua, lowering_names, value);
}

#define PUSH(type, name, what)                                                           \
    push_##type##_t(lua, it->name);                                                      \
    lua_setfield(lua, -2, #name);

/* C's names of the two enums in rt.h. */
#define NAME(name, ...) "PARAM_" #name,
static const char *const param_kinds[] = {PARAM_KINDS(NAME)};
#undef NAME
#define NAME(name, word) "INIT_" #name,
static const char *const param_inits[] = {PARAM_INITS(NAME)};
#undef NAME

/* A quantiser as a table; step and range as offsets into params or stats. */
static void push_quantiser(lua_State *lua, const Net *net, const Quantiser *it,
                           const char *field)
{
    if (it->quantizer == RT_QUANT_NONE && !it->is_image) {
        lua_pushboolean(lua, false);
        lua_setfield(lua, -2, field);
        return;
    }
    lua_newtable(lua);
    push_name(lua, quantizer_names, it->quantizer);
    lua_setfield(lua, -2, "quantizer");
    push_name(lua, rounding_names, it->gradient);
    lua_setfield(lua, -2, "rounding");
    PUSH(int, bits, "")
    PUSH(bool, is_signed, "")
    PUSH(bool, is_image, "")
    PUSH(int, zero, "")
    lua_pushnumber(lua, it->gradient_scale);
    lua_setfield(lua, -2, "gradient_scale");
    lua_pushnumber(lua, it->steepness);
    lua_setfield(lua, -2, "steepness");
    lua_pushnumber(lua, it->ceiling);
    lua_setfield(lua, -2, "ceiling");
    const int tensors[] = {it->step, it->range};
    for (int i = 0; i < 2; i++) {
        if (tensors[i] == NONE) {
            lua_pushboolean(lua, false);
        } else {
            const Tensor *t = &net->tensors[tensors[i]];
            lua_pushfstring(lua, "(at->step->%s + %d)",
                            t->role == ROLE_PARAM ? "params" : "stats", (int)t->offset);
        }
        lua_setfield(lua, -2, i == 0 ? "step" : "range");
    }
    lua_pushinteger(lua, it->step == NONE ? -1 : net->tensors[it->step].offset);
    lua_setfield(lua, -2, "step_offset");
    bool learned = it->range != NONE && net->tensors[it->range].role == ROLE_PARAM;
    lua_pushinteger(lua, learned ? net->tensors[it->range].offset : -1);
    lua_setfield(lua, -2, "range_offset");
    lua_pushinteger(lua, params_steps(net, it));
    lua_setfield(lua, -2, "steps");
    lua_setfield(lua, -2, field);
}

static void push_tensor(lua_State *lua, const Net *net, const Tensor *it)
{
    lua_newtable(lua);
    TENSOR_FIELDS(PUSH)
    lua_pushstring(lua, it->name);
    lua_setfield(lua, -2, "name");
    lua_pushinteger(lua, tensor_count(it));
    lua_setfield(lua, -2, "count");
    lua_pushstring(lua, param_kinds[it->param_kind]);
    lua_setfield(lua, -2, "param_kind");
    lua_pushstring(lua, param_inits[it->init]);
    lua_setfield(lua, -2, "init");
    lua_pushinteger(lua, tensor_row(it));
    lua_setfield(lua, -2, "row");
    lua_pushinteger(lua, it->top * tensor_row(it) + (long)it->left * it->cs);
    lua_setfield(lua, -2, "inside"); /* floats from the halo's corner to pixel 0, 0 */
    lua_pushinteger(lua, type_bytes(it->type));
    lua_setfield(lua, -2, "size");
    push_quantiser(lua, net, &it->codes, "codes");
}

/* op[slot] = tensor; an empty slot is false, so that templates can ask for it. */
static void push_slots(lua_State *lua, int tensors, const char *const *names,
                       const int *slots)
{
    for (int i = 0; names[i]; i++) {
        if (slots[i] == NONE)
            lua_pushboolean(lua, false);
        else
            lua_geti(lua, tensors, slots[i] + 1);
        lua_setfield(lua, -2, names[i]);
    }
}

/* The phases of a transposed convolution along one axis, as a list of tables. */
static void push_phases(lua_State *lua, int kernel, int stride, int pad, int size,
                        const char *field)
{
    Phase phases[MOST_STRIDE];
    int count = axis_phases(kernel, stride, pad, size, phases);
    lua_createtable(lua, count, 0);
    for (int i = 0; i < count; i++) {
        const Phase *it = &phases[i];
        lua_newtable(lua);
        PUSH(int, first, "")
        PUSH(int, count, "")
        PUSH(int, taps, "")
        PUSH(int, tap, "")
        PUSH(int, start, "")
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, field);
}

static void push_op(lua_State *lua, int tensors, const Net *net, const Op *it)
{
    const OpInfo *info = &op_info[it->kind];
    lua_newtable(lua);
    OP_FIELDS(PUSH)
    const char *const texts[][2] = {
        {"kind", info->name}, {"suffix", info->suffix}, {"what", info->what},
        {"name", it->name},   {"kernel", it->kernel},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lua_pushstring(lua, texts[i][1]);
        lua_setfield(lua, -2, texts[i][0]);
    }
    outside_set(lua, "file", it->file);
    PUSH(int, line, "")
    PUSH(int, layer, "")
    lua_pushinteger(lua, it - net->ops);
    lua_setfield(lua, -2, "index");
    push_quantiser(lua, net, &it->own, "own");
    push_quantiser(lua, net, &it->bias, "bias_own");
    push_quantiser(lua, net, &it->input, "input");
    push_quantiser(lua, net, &it->other, "other");
    push_slots(lua, tensors, info->inputs, it->in);
    push_slots(lua, tensors, info->outputs, it->out);
    lua_pushboolean(lua, op_is(it, TOTALS));
    lua_setfield(lua, -2, "reads_totals");
    if (op_is(it, PHASES)) {
        push_phases(lua, it->kernel_h, it->stride, it->pad_top, it->rows, "phases_h");
        push_phases(lua, it->kernel_w, it->stride, it->pad_left, it->columns, "phases_w");
    }
}

void net_push(lua_State *lua, const Net *net)
{
    luaL_checkstack(lua, 16, NULL);
    lua_newtable(lua);
    lua_newtable(lua);
    int tensors = lua_gettop(lua);
    for (int i = 0; i < net->tensor_count; i++) {
        push_tensor(lua, net, &net->tensors[i]);
        lua_seti(lua, tensors, i + 1);
    }
    lua_newtable(lua);
    for (int i = 0; i < net->op_count; i++) {
        push_op(lua, tensors, net, &net->ops[i]);
        lua_seti(lua, -2, i + 1);
    }
    lua_setfield(lua, -3, "ops");
    lua_setfield(lua, -2, "tensors");
    lua_pushstring(lua, norm_names[net->norm]);
    lua_setfield(lua, -2, "norm");
    const struct {
        const char *name;
        long value;
    } numbers[] = {
        {"segments", net->segments},
        {"batch", net->batch},
        {"chunks", net->chunks},
        {"arena_bytes", net->arena_bytes},
        {"worker_bytes", net->worker_bytes},
        {"param_floats", net->param_floats},
        {"stat_floats", net->stat_floats},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua_pushinteger(lua, numbers[i].value);
        lua_setfield(lua, -2, numbers[i].name);
    }
}
