/* Lines by prompt.h, or by getline: see lines.h. */
#include "gen/session/lines.h"

#include "gen/session/prompt.h"
#include "gen/session/screen.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Prompt *prompt;
static const char complete_key = 0;

/* What complete(line) finds. */
static char **completions(void *context, const char *line, size_t *start)
{
    lua_State *lua = context;
    int top = lua_gettop(lua);
    char **words = NULL;
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &complete_key);
    lua_pushstring(lua, line);
    if (lua_pcall(lua, 1, 2, 0) == LUA_OK && lua_istable(lua, -2)) {
        int count = (int)lua_rawlen(lua, -2);
        *start = (size_t)lua_tointeger(lua, -1);
        words = rt_alloc((count + 1) * sizeof *words);
        for (int i = 0; i < count; i++) {
            lua_rawgeti(lua, top + 1, i + 1);
            words[i] = rt_format("%s", lua_tostring(lua, -1));
            lua_pop(lua, 1);
        }
    }
    lua_settop(lua, top);
    return words;
}

/* read(prompt): a line, false after Ctrl-C, nil at the end. */
static int read_prompt(lua_State *lua)
{
    bool cancelled;
    const char *text = luaL_checkstring(lua, 1);
    char bold[64]; /* what is between \1 takes no room; the last character is plain */
    snprintf(bold, sizeof bold, "\1\033[1m\1%.*s\1\033[0m\1 ", (int)strlen(text) - 1,
             text);
    char *line = prompt_read(prompt, screen_has_colours() ? bold : text, &cancelled);
    if (line == NULL)
        lua_pushnil(lua);
    else if (cancelled)
        lua_pushboolean(lua, 0);
    else
        lua_pushstring(lua, line);
    free(line);
    return 1;
}

/* The same from a pipe. */
static int read_pipe(lua_State *lua)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, stdin);
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length < 0)
        lua_pushnil(lua);
    else
        lua_pushlstring(lua, line, (size_t)length);
    free(line);
    return 1;
}

/* $XDG_STATE_HOME/lathe_history or ~/.lathe_history; free() it. NULL without a home. */
static char *history_file(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state && rt_make_directories(state))
        return rt_format("%s/lathe_history", state);
    rt_error_clear();
    return home && *home ? rt_format("%s/.lathe_history", home) : NULL;
}

void lines_open(lua_State *lua, bool terminal)
{
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &complete_key);
    if (terminal) {
        char *file = history_file();
        prompt = prompt_open(file, completions, lua);
        free(file);
    }
    lua_pushcfunction(lua, terminal ? read_prompt : read_pipe);
}

void lines_close(void)
{
    prompt_close(prompt);
    prompt = NULL;
}
