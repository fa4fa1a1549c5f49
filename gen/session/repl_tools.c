/* Functions that the Lua of a session has not by itself: see repl_tools.h. */
#include "gen/session/repl_tools.h"

#include "gen/base/lua_fields.h"
#include "gen/config/field_table.h"
#include "gen/session/interrupt.h"
#include "gen/session/screen.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/draw/plot.h"

#include <glob.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int repl_failed(lua_State *lua)
{
    lua_pushnil(lua);
    lua_pushstring(lua, rt_error());
    rt_error_clear();
    return 2;
}

int repl_done(lua_State *lua, bool ok)
{
    if (!ok)
        return repl_failed(lua);
    lua_pushboolean(lua, 1);
    return 1;
}

const char **repl_strings(lua_State *lua, int index, int *count)
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

/* fields(): every row of fields.def. */
static int fields(lua_State *lua)
{
    lua_newtable(lua);
    for (int i = 0; i < FIELDS; i++) {
        lua_newtable(lua);
        set_text(lua, "section", field_rows[i].section);
        set_text(lua, "name", field_rows[i].name);
        set_text(lua, "meaning", field_rows[i].meaning);
        lua_pushboolean(lua, field_in_quant(&field_rows[i]));
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
    const char **list = repl_strings(lua, 2, &count);
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

/* The series on top of the stack, where what it points to is pushed, too. */
static PlotSeries series_at_top(lua_State *lua, int color)
{
    static const char *const lists[] = {"x", "y"};
    int series = lua_gettop(lua), count;
    lua_getfield(lua, series, "x");
    PlotSeries it = {.count = (int)lua_rawlen(lua, -1), .color = color};
    double *numbers = lua_newuserdatauv(lua, (2 * it.count + 1) * sizeof *numbers, 0);
    for (int list = 0; list < 2; list++) {
        lua_getfield(lua, series, lists[list]);
        for (int i = 0; i < it.count; i++) {
            lua_rawgeti(lua, -1, i + 1);
            numbers[list * it.count + i] = luaL_checknumber(lua, -1);
            lua_pop(lua, 1);
        }
    }
    it.x = numbers;
    it.y = numbers + it.count;
    if (lua_getfield(lua, series, "name") == LUA_TSTRING)
        it.name = lua_tostring(lua, -1);
    if (lua_getfield(lua, series, "labels") == LUA_TTABLE)
        it.labels = repl_strings(lua, lua_gettop(lua), &count);
    return it;
}

/* plot(path, title, x_name, y_name, {{name = text, x = {...}, y = {...}, labels = {...}},
 * ...}, y of the float network or nil, whether x is logarithmic, else as it fits): of a
 * series, name and labels may be missing. */
static int plot(lua_State *lua)
{
    const char *path = luaL_checkstring(lua, 1);
    int count = (int)lua_rawlen(lua, 5);
    PlotSeries *series = lua_newuserdatauv(lua, (count + 1) * sizeof *series, 0);
    for (int i = 0; i < count; i++) { /* what it points to stays on the stack */
        luaL_checkstack(lua, 16, NULL);
        lua_rawgeti(lua, 5, i + 1);
        series[i] = series_at_top(lua, i);
    }
    const PlotReference float_network = {"float32", luaL_optnumber(lua, 6, 0)};
    PlotScale scale = lua_toboolean(lua, 7) ? PLOT_LOG : PLOT_FITTING;
    const PlotPanel panel = {.x = {luaL_checkstring(lua, 3), scale},
                             .y = {luaL_checkstring(lua, 4), PLOT_LINEAR},
                             .series = series,
                             .series_count = count,
                             .references = &float_network,
                             .reference_count = !lua_isnoneornil(lua, 6),
                             .height = 320};
    return repl_done(lua, plot_write(path, luaL_checkstring(lua, 2), &panel, 1));
}

static int make_folder(lua_State *lua)
{
    return repl_done(lua, rt_make_directories(luaL_checkstring(lua, 1)));
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

/* screen(): what standard output is: whether a terminal, its size, whether colours are
 * welcome. */
static int screen(lua_State *lua)
{
    int columns, rows;
    screen_size(&columns, &rows);
    lua_newtable(lua);
    set_integer(lua, "columns", columns);
    set_integer(lua, "rows", rows);
    lua_pushboolean(lua, screen_is_terminal());
    lua_setfield(lua, -2, "is");
    lua_pushboolean(lua, screen_has_colours());
    lua_setfield(lua, -2, "colours");
    return 1;
}

/* page(text): whether a pager has shown it. */
static int page(lua_State *lua)
{
    size_t bytes;
    const char *text = luaL_checklstring(lua, 1, &bytes);
    lua_pushboolean(lua, screen_page(text, bytes));
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

/* interrupted(signal): what stopped a run stops what the run is part of, too: the chunk,
 * or for another signal than Ctrl-C's all of lathe. */
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

void repl_push_tools(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"fields", fields},
        {"nearest", nearest},
        {"files", files},
        {"plot", plot},
        {"make_folder", make_folder},
        {"now", now},
        {"shown", shown},
        {"shorter", shorter},
        {"exists", exists},
        {"screen", screen},
        {"page", page},
        {"interrupted", interrupted},
        {NULL, NULL},
    };
    luaL_newlib(lua, functions);
}
