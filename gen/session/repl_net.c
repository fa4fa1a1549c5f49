/* What repl.lua is built on: sessions as userdata, and a few functions Lua has not.
 * Functions return what they made, or nil and why not; arguments are read before anything
 * is made, since an error of Lua's skips what follows. */
#include "gen/session/repl_net.h"

#include "gen/base/lua_fields.h"
#include "gen/config/field_table.h"
#include "gen/config/fields.h"
#include "gen/session/interrupt.h"
#include "gen/session/session.h"
#include "gen/session/session_state.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/draw/plot.h"

#include <glob.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPE "lathe.session"

static const CompileOptions *compile_options;

static int failed(lua_State *lua)
{
    lua_pushnil(lua);
    lua_pushstring(lua, rt_error());
    rt_error_clear();
    return 2;
}

static int done(lua_State *lua, bool ok)
{
    if (!ok)
        return failed(lua);
    lua_pushboolean(lua, 1);
    return 1;
}

static Session *session_at(lua_State *lua)
{
    return *(Session **)luaL_checkudata(lua, 1, TYPE);
}

/* The strings of the list at `index`, as one of Lua's blocks; *count of them. */
static const char **strings_at(lua_State *lua, int index, int *count)
{
    luaL_checktype(lua, index, LUA_TTABLE);
    *count = (int)lua_rawlen(lua, index);
    luaL_checkstack(lua, *count + 8, NULL);
    const char **list = lua_newuserdatauv(lua, (*count + 1) * sizeof *list, 0);
    for (int i = 0; i < *count; i++) {
        lua_rawgeti(lua, index, i + 1);
        list[i] = luaL_checkstring(lua, -1);
        lua_pop(lua, 1); /* the table keeps it */
    }
    return list;
}

/* ---- The session ---- */

/* open(path, {set, ...}) */
static int open_session(lua_State *lua)
{
    int count;
    const char *path = luaL_checkstring(lua, 1);
    const char **sets = strings_at(lua, 2, &count);
    Session **slot = lua_newuserdatauv(lua, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(lua, TYPE);
    *slot = session_open(path, sets, count, compile_options, interrupt_flag());
    return *slot ? 1 : failed(lua);
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
    return done(lua, session_set(session_at(lua), luaL_checkstring(lua, 2),
                                 luaL_checkstring(lua, 3)));
}

static int load_weights(lua_State *lua)
{
    return done(lua, session_load_weights(session_at(lua), luaL_checkstring(lua, 2)));
}

static int use_data(lua_State *lua)
{
    return done(lua, session_use_data(session_at(lua), luaL_checkstring(lua, 2)));
}

static int depth(lua_State *lua)
{
    lua_pushinteger(lua, session_depth(session_at(lua)));
    return 1;
}

static int back(lua_State *lua)
{
    return done(lua, session_back(session_at(lua), (int)luaL_checkinteger(lua, 2)));
}

static int reset(lua_State *lua)
{
    return done(lua, session_reset(session_at(lua), (int)luaL_checkinteger(lua, 2)));
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
        return failed(lua);
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
    char weights[512], *signature = session_signature(config);
    session_describe_weights(session, weights, sizeof weights);
    lua_newtable(lua);
    set_text(lua, "weights", weights);
    set_text(lua, "name", config->name);
    set_text(lua, "path", config->path);
    set_text(lua, "hash", config->hash);
    set_text(lua, "lines", config->lines);
    set_text(lua, "signature", signature);
    lua_pushboolean(lua, session_float_weights(session));
    lua_setfield(lua, -2, "float_weights");
    free(signature);
    return 1;
}

/* Push a field's value. */
static void push_field(lua_State *lua, const Config *config, const Field *field)
{
    double value = field_fetch(config, field);
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
            push_field(lua, config, &field_rows[i]);
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
        Config layer = *config;
        layer.quant = op->quant;
        lua_newtable(lua);
        set_text(lua, "name", op->name);
        lua_pushboolean(lua, op_is(op, WEIGHTS));
        lua_setfield(lua, -2, "weights");
        lua_pushboolean(lua, op_is(op, ACTIVATION));
        lua_setfield(lua, -2, "activation");
        for (int f = 0; f < FIELDS; f++)
            if (strncmp(field_rows[f].member, "quant.", 6) == 0) {
                push_field(lua, &layer, &field_rows[f]);
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
        return failed(lua);
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
        return failed(lua);
    lua_newtable(lua);
    set_integer(lua, "images", images);
    if (result.labelled)
        set_number(lua, "float", result.float_accuracy);
    set_number(lua, "quantised", result.quantised_accuracy);
    set_text(lua, "worst", result.worst);
    set_number(lua, "worst_decibels", result.worst_decibels);
    return 1;
}

/* train{output =, epochs =, steps =, resume =, sets = {...}}; 0 where nothing is said.
 * The signal that stopped it, or 0. */
static int train(lua_State *lua)
{
    Session *session = session_at(lua);
    int count;
    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_getfield(lua, 2, "output");
    lua_getfield(lua, 2, "epochs");
    lua_getfield(lua, 2, "steps");
    lua_getfield(lua, 2, "resume");
    lua_getfield(lua, 2, "sets");
    TrainerOptions options = {.output = luaL_checkstring(lua, 3),
                              .epochs = (long)luaL_checkinteger(lua, 4),
                              .steps = (long)luaL_checkinteger(lua, 5),
                              .resume = lua_toboolean(lua, 6) ? "" : NULL};
    const char **list = strings_at(lua, 7, &count);
    int signal;
    if (!session_train(session, list, count, options, &signal))
        return failed(lua);
    lua_pushinteger(lua, signal);
    return 1;
}

static int save(lua_State *lua)
{
    Session *session = session_at(lua);
    bool bundled;
    if (!session_save(session, luaL_checkstring(lua, 2), &bundled))
        return failed(lua);
    lua_pushstring(lua, bundled ? "bundled" : "beside");
    return 1;
}

static int save_weights(lua_State *lua)
{
    return done(lua, session_save_weights(session_at(lua), luaL_checkstring(lua, 2)));
}

static int emit_file(lua_State *lua)
{
    return done(lua, session_emit(session_at(lua), luaL_checkstring(lua, 2)));
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

/* source(layer, program): prints it. */
static int source(lua_State *lua)
{
    Session *session = session_at(lua);
    return done(lua, session_source(session, luaL_checkstring(lua, 2),
                                    luaL_checkstring(lua, 3), stdout));
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

/* ---- Besides ---- */

/* fields(): every row of fields.def. */
static int fields(lua_State *lua)
{
    lua_newtable(lua);
    for (int i = 0; i < FIELDS; i++) {
        lua_newtable(lua);
        set_text(lua, "section", field_rows[i].section);
        set_text(lua, "name", field_rows[i].name);
        set_text(lua, "meaning", field_rows[i].meaning);
        lua_pushboolean(lua, strncmp(field_rows[i].member, "quant.", 6) == 0);
        lua_setfield(lua, -2, "of_layer");
        lua_rawseti(lua, -2, i + 1);
    }
    return 1;
}

/* nearest(word, list): the word of the list that may be meant, or nil. */
static int nearest(lua_State *lua)
{
    int count;
    const char *word = luaL_checkstring(lua, 1);
    const char **list = strings_at(lua, 2, &count);
    lua_pushstring(lua, rt_nearest(word, list, count));
    return 1;
}

/* files(beginning): the paths that begin so; folders end in '/'. */
static int files(lua_State *lua)
{
    char *pattern = rt_format("%s*", luaL_checkstring(lua, 1));
    glob_t found = {0};
    int status = glob(pattern, GLOB_MARK | GLOB_TILDE, NULL, &found);
    free(pattern);
    lua_newtable(lua);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; i++) {
        lua_pushstring(lua, found.gl_pathv[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    globfree(&found);
    return 1;
}

/* plot(path, title, x_name, y_name, {x, ...}, {y, ...}, {label, ...} or nil, y of the float
 * network or nil) */
static int plot(lua_State *lua)
{
    const char *path = luaL_checkstring(lua, 1);
    PlotSeries series = {.count = (int)luaL_len(lua, 5)};
    const PlotReference float_network = {"float32", luaL_optnumber(lua, 8, 0)};
    const PlotPanel panel = {.x = {luaL_checkstring(lua, 3), PLOT_FITTING},
                             .y = {luaL_checkstring(lua, 4), PLOT_LINEAR},
                             .series = &series,
                             .series_count = 1,
                             .references = &float_network,
                             .reference_count = !lua_isnoneornil(lua, 8),
                             .height = 320};
    double *numbers = lua_newuserdatauv(lua, (2 * series.count + 1) * sizeof(double), 0);
    for (int list = 0; list < 2; list++)
        for (int i = 0; i < series.count; i++) {
            lua_geti(lua, 5 + list, i + 1);
            numbers[list * series.count + i] = luaL_checknumber(lua, -1);
            lua_pop(lua, 1);
        }
    int labels;
    if (!lua_isnoneornil(lua, 7))
        series.labels = strings_at(lua, 7, &labels);
    series.x = numbers;
    series.y = numbers + series.count;
    return done(lua, plot_write(path, luaL_checkstring(lua, 2), &panel, 1));
}

static int make_folder(lua_State *lua)
{
    return done(lua, rt_make_directories(luaL_checkstring(lua, 1)));
}

/* shown(text): its lines without control characters, for a terminal. */
static int shown(lua_State *lua)
{
    const char *text = luaL_checkstring(lua, 1);
    size_t room = 4 * strlen(text) + 1;
    char *copy = lua_newuserdatauv(lua, room, 0);
    rt_show_lines(text, copy, room);
    lua_pushstring(lua, copy);
    return 1;
}

static int exists(lua_State *lua)
{
    lua_pushboolean(lua, access(luaL_checkstring(lua, 1), F_OK) == 0);
    return 1;
}

/* shorter(path): without the current folder in front. */
static int shorter(lua_State *lua)
{
    const char *path = luaL_checkstring(lua, 1);
    char here[4096];
    size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
    bool below = length && strncmp(path, here, length) == 0 && path[length] == '/';
    lua_pushstring(lua, below ? path + length + 1 : path);
    return 1;
}

/* interrupted(signal): what stopped a run stops what the run is part of, too: the chunk, or
 * for another signal than Ctrl-C's all of lathe. */
static int interrupted(lua_State *lua)
{
    int number = (int)luaL_checkinteger(lua, 1);
    if (number != SIGINT)
        raise(number);
    interrupt_raise(lua, number);
    return 0;
}

static int now(lua_State *lua)
{
    lua_pushnumber(lua, seconds_now());
    return 1;
}

static const luaL_Reg functions[] = {
    {"open", open_session}, {"fields", fields},
    {"nearest", nearest},   {"files", files},
    {"plot", plot},         {"make_folder", make_folder},
    {"now", now},           {"shown", shown},
    {"shorter", shorter},   {"interrupted", interrupted},
    {"exists", exists},     {NULL, NULL},
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
    luaL_newlib(lua, functions);
}
