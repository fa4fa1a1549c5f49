/* What repl.lua is built on: sessions as userdata.
 * Functions return what they made, or nil and why not; arguments are read before anything
 * is made, since an error of Lua's skips what follows. */
#include "gen/session/repl_net.h"

#include "gen/base/lua_fields.h"
#include "gen/config/field_table.h"
#include "gen/config/fields.h"
#include "gen/session/interrupt.h"
#include "gen/session/repl_tools.h"
#include "gen/session/session.h"
#include "gen/session/session_state.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "lathe.session"

static const CompileOptions *compile_options;

static Session *session_at(lua_State *lua)
{
    return *(Session **)luaL_checkudata(lua, 1, TYPE);
}

/* ---- The session ---- */

/* open(path, {set, ...}) */
static int open_session(lua_State *lua)
{
    int count;
    const char *path = luaL_checkstring(lua, 1);
    const char **sets = repl_strings(lua, 2, &count);
    Session **slot = lua_newuserdatauv(lua, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(lua, TYPE);
    *slot = session_open(path, sets, count, compile_options, interrupt_flag());
    return *slot ? 1 : repl_failed(lua);
}

static int close_session(lua_State *lua)
{
    Session **slot = luaL_checkudata(lua, 1, TYPE);
    session_close(*slot);
    *slot = NULL;
    return 0;
}

static int set(lua_State *lua)
{
    return repl_done(lua, session_set(session_at(lua), luaL_checkstring(lua, 2),
                                      luaL_checkstring(lua, 3)));
}

static int load_weights(lua_State *lua)
{
    return repl_done(lua,
                     session_load_weights(session_at(lua), luaL_checkstring(lua, 2)));
}

static int use_data(lua_State *lua)
{
    return repl_done(lua, session_use_data(session_at(lua), luaL_checkstring(lua, 2)));
}

static int depth(lua_State *lua)
{
    lua_pushinteger(lua, session_depth(session_at(lua)));
    return 1;
}

static int back(lua_State *lua)
{
    return repl_done(lua, session_back(session_at(lua), (int)luaL_checkinteger(lua, 2)));
}

static int reset(lua_State *lua)
{
    return repl_done(lua, session_reset(session_at(lua), (int)luaL_checkinteger(lua, 2)));
}

/* unchanged(function): calls it and undoes what it changed, whatever became of it; here,
 * where no Ctrl-C comes between. */
static int unchanged(lua_State *lua)
{
    Session *session = session_at(lua);
    int depth = session_depth(session);
    lua_settop(lua, 2);
    int status = lua_pcall(lua, 0, 0, 0);
    if (!session_back(session, depth))
        return repl_failed(lua);
    if (status != LUA_OK)
        return lua_error(lua);
    lua_pushboolean(lua, 1);
    return 1;
}

static int sets(lua_State *lua)
{
    const char *const *list = session_sets(session_at(lua));
    lua_newtable(lua);
    for (int i = 0; list[i]; i++) {
        lua_pushstring(lua, list[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    return 1;
}

/* name, path, hash, its fields as "path=value" lines, those that evaluation looks at
 * (signature), which weights are in use, and whether they are a float network's */
static int info(lua_State *lua)
{
    Session *session = session_at(lua);
    const Config *config = session_config(session);
    char weights[512];
    session_describe_weights(session, weights, sizeof weights);
    lua_newtable(lua);
    set_text(lua, "weights", weights);
    set_text(lua, "name", config->name);
    set_text(lua, "path", config->path);
    set_text(lua, "hash", config->hash);
    set_text(lua, "lines", config->lines);
    set_text(lua, "signature", config->signature);
    lua_pushboolean(lua, session_float_weights(session));
    lua_setfield(lua, -2, "float_weights");
    return 1;
}

/* Push a field's value. */
static void push_field(lua_State *lua, const Field *field, double value)
{
    if (field->kind == KIND_ENUM)
        lua_pushstring(lua, field_words(field)[(int)value]);
    else if (field->kind == KIND_BOOL)
        lua_pushboolean(lua, value != 0);
    else if (field->kind == KIND_NUMBER)
        lua_pushnumber(lua, value);
    else
        lua_pushinteger(lua, (lua_Integer)value);
}

/* section(name): a table of its fields. */
static int section(lua_State *lua)
{
    const Config *config = session_config(session_at(lua));
    const char *name = luaL_checkstring(lua, 2);
    lua_newtable(lua);
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(field_rows[i].section, name) == 0) {
            push_field(lua, &field_rows[i], field_fetch(config, &field_rows[i]));
            lua_setfield(lua, -2, field_rows[i].name);
        }
    return 1;
}

/* layers(pattern): each layer's name, whether it has weights or puts out an activation
 * that is quantised, and its fields of quant. */
static int layers(lua_State *lua)
{
    const Config *config = session_config(session_at(lua));
    const char *pattern = luaL_checkstring(lua, 2);
    lua_newtable(lua);
    int count = 0;
    for (int i = 0; i < config->net.op_count; i++) {
        const Op *op = &config->net.ops[i];
        if (!fields_match_layer(pattern, op->name))
            continue;
        lua_newtable(lua);
        set_text(lua, "name", op->name);
        lua_pushboolean(lua, op_is(op, WEIGHTS));
        lua_setfield(lua, -2, "weights");
        lua_pushboolean(lua, op_is(op, ACTIVATION));
        lua_setfield(lua, -2, "activation");
        for (int f = 0; f < FIELDS; f++)
            if (field_in_quant(&field_rows[f])) {
                push_field(lua, &field_rows[f],
                           field_fetch_quant(&op->quant, &field_rows[f]));
                lua_setfield(lua, -2, field_rows[f].name);
            }
        lua_rawseti(lua, -2, ++count);
    }
    return 1;
}

/* ---- Work ---- */

/* evaluate(images, calibration) */
static int evaluate_net(lua_State *lua)
{
    Session *session = session_at(lua);
    SessionScore score;
    if (!session_evaluate(session, (long)luaL_checkinteger(lua, 2),
                          (int)luaL_checkinteger(lua, 3), &score))
        return repl_failed(lua);
    lua_newtable(lua);
    set_number(lua, "accuracy", (double)score.correct / (double)score.images);
    set_integer(lua, "correct", score.correct);
    set_integer(lua, "images", score.images);
    set_number(lua, "bytes", score.bytes);
    set_number(lua, "seconds", score.seconds);
    set_number(lua, "calibrating", score.calibrating);
    set_number(lua, "compiling", score.compiling);
    set_text(lua, "weights", score.weights);
    return 1;
}

/* ptq(images, report) */
static int ptq(lua_State *lua)
{
    Session *session = session_at(lua);
    int images = (int)luaL_checkinteger(lua, 2);
    PtqResult result;
    if (!session_ptq(session, images, lua_toboolean(lua, 3) ? stdout : NULL, &result))
        return repl_failed(lua);
    lua_newtable(lua);
    set_integer(lua, "images", images);
    if (result.labelled)
        set_number(lua, "float", result.float_accuracy);
    set_number(lua, "quantised", result.quantised_accuracy);
    set_text(lua, "worst", result.worst);
    set_number(lua, "worst_decibels", result.worst_decibels);
    return 1;
}

/* train{output =, force =, epochs =, steps =, resume =, sets = {...}}; 0 where nothing is
 * said. The signal that stopped it, or 0. */
static int train(lua_State *lua)
{
    Session *session = session_at(lua);
    int count;
    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_getfield(lua, 2, "output");
    lua_getfield(lua, 2, "epochs");
    lua_getfield(lua, 2, "steps");
    lua_getfield(lua, 2, "resume");
    lua_getfield(lua, 2, "force");
    lua_getfield(lua, 2, "sets");
    TrainerOptions options = {.output = luaL_checkstring(lua, 3),
                              .epochs = (long)luaL_checkinteger(lua, 4),
                              .steps = (long)luaL_checkinteger(lua, 5),
                              .resume = lua_toboolean(lua, 6) ? "" : NULL,
                              .force = lua_toboolean(lua, 7)};
    const char **list = repl_strings(lua, 8, &count);
    int signal;
    if (!session_train(session, list, count, options, &signal))
        return repl_failed(lua);
    lua_pushinteger(lua, signal);
    return 1;
}

static int save(lua_State *lua)
{
    Session *session = session_at(lua);
    bool bundled;
    if (!session_save(session, luaL_checkstring(lua, 2), &bundled))
        return repl_failed(lua);
    lua_pushstring(lua, bundled ? "bundled" : "beside");
    return 1;
}

static int save_weights(lua_State *lua)
{
    return repl_done(lua,
                     session_save_weights(session_at(lua), luaL_checkstring(lua, 2)));
}

static int emit_file(lua_State *lua)
{
    return repl_done(lua, session_emit(session_at(lua), luaL_checkstring(lua, 2)));
}

/* The table of layers as text. */
static int table_text(lua_State *lua)
{
    Session *session = session_at(lua);
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    session_print(session, file);
    fclose(file);
    lua_pushlstring(lua, text, bytes);
    free(text);
    return 1;
}

/* source(layer, program): as text. */
static int source(lua_State *lua)
{
    Session *session = session_at(lua);
    const char *layer = luaL_checkstring(lua, 2), *program = luaL_checkstring(lua, 3);
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    bool ok = session_source(session, layer, program, file);
    fclose(file);
    if (ok)
        lua_pushlstring(lua, text, bytes);
    free(text);
    return ok ? 1 : repl_failed(lua);
}

static const luaL_Reg methods[] = {
    {"set", set},           {"load_weights", load_weights},
    {"use_data", use_data}, {"depth", depth},
    {"back", back},         {"unchanged", unchanged},
    {"sets", sets},         {"reset", reset},
    {"info", info},         {"section", section},
    {"layers", layers},     {"evaluate", evaluate_net},
    {"ptq", ptq},           {"train", train},
    {"save", save},         {"save_weights", save_weights},
    {"emit", emit_file},    {"table", table_text},
    {"source", source},     {NULL, NULL},
};

void repl_push_native(lua_State *lua, const CompileOptions *options)
{
    compile_options = options;
    luaL_newmetatable(lua, TYPE);
    luaL_newlib(lua, methods);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, close_session);
    lua_setfield(lua, -2, "__gc");
    lua_pop(lua, 1);
    repl_push_tools(lua);
    lua_pushcfunction(lua, open_session);
    lua_setfield(lua, -2, "open");
}
