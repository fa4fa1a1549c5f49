/* Ctrl-C: see interrupt.h. Three things notice it, all of them where Lua expects an
 * error: a hook, armed by the signal until the guarded call ends, so that each
 * instruction of Lua raises the error anew; the allocator, which refuses the large blocks
 * of functions that read without end; and interrupt_check in what library.h puts in the
 * place of Lua's functions that are one long loop. */
#include "gen/session/interrupt.h"

#include "gen/session/explain.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVERYTHING = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT };
enum { LARGE_BLOCK = 1 << 16 };

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t guarded; /* it runs what the user wrote */
static lua_State *running;            /* the one Ctrl-C interrupts */
static struct sigaction before;       /* interrupt_hold */
static size_t used, most;             /* bytes of Lua's */

static const char message_key = 0;

/* ---- Noticing ---- */

static void raise_interrupted(lua_State *lua)
{
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &message_key); /* takes no memory */
    lua_error(lua);
}

bool interrupt_came(void)
{
    return guarded && interrupted;
}

static void look(lua_State *lua, lua_Debug *record)
{
    (void)record;
    if (!interrupt_came())
        return;
    lua_sethook(lua, look, EVERYTHING, 1); /* of a coroutine, too */
    raise_interrupted(lua);
}

void interrupt_check(lua_State *lua)
{
    if (interrupt_came())
        raise_interrupted(lua);
}

void interrupt_watch(lua_State *coroutine)
{
    enum { INSTRUCTIONS = 100000 };
    lua_sethook(coroutine, look, LUA_MASKCOUNT, INSTRUCTIONS);
}

static void on_interrupt(int number)
{
    interrupted = number;
    lua_sethook(running, look, EVERYTHING, 1); /* Lua allows it in a signal handler */
}

void interrupt_raise(lua_State *lua, int number)
{
    on_interrupt(number);
    interrupt_check(lua);
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    return &interrupted;
}

static void *allocate(void *userdata, void *old, size_t old_size, size_t size)
{
    (void)userdata;
    size_t now = old ? old_size : 0, more = size > now ? size - now : 0;
    if (more > most - used || (more >= LARGE_BLOCK && interrupt_came()))
        return NULL;
    void *block = size ? realloc(old, size) : NULL;
    if (size == 0)
        free(old);
    if (block || size == 0)
        used = used + size - now;
    return block;
}

/* ---- Guarded calls ---- */

/* Unless it is ignored; *was is what was done so far. */
static void catch_interrupts(struct sigaction *was)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigaction(SIGINT, NULL, was);
    if (was->sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

void interrupt_hold(void)
{
    catch_interrupts(&before);
}

void interrupt_release(void)
{
    sigaction(SIGINT, &before, NULL);
}

int interrupt_guard(lua_State *lua)
{
    struct sigaction was;
    lua_pushcfunction(lua, explain);
    lua_insert(lua, 1);
    interrupted = 0;
    lua_sethook(lua, NULL, 0, 0);
    catch_interrupts(&was);
    guarded = true;
    int status = lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 1);
    guarded = false;
    sigaction(SIGINT, &was, NULL);
    lua_sethook(lua, NULL, 0, 0);
    if (status != LUA_OK && interrupted) {
        lua_settop(lua, 1); /* whatever became of the message on the way */
        lua_rawgetp(lua, LUA_REGISTRYINDEX, &message_key);
    }
    lua_pushboolean(lua, status == LUA_OK);
    lua_replace(lua, 1);
    return lua_gettop(lua);
}

void interrupt_restarts(bool restart)
{
    struct sigaction action;
    sigaction(SIGINT, NULL, &action);
    action.sa_flags = restart ? SA_RESTART : 0;
    if (action.sa_handler == on_interrupt)
        sigaction(SIGINT, &action, NULL);
}

/* ---- A state ---- */

lua_State *interrupt_open(void)
{
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    used = 0;
    most = memory / 2;
    running = lua_newstate(allocate, NULL);
    if (running == NULL) {
        rt_fail("out of memory");
        return NULL;
    }
    luaL_openlibs(running);
    lua_pushliteral(running, "interrupted");
    lua_rawsetp(running, LUA_REGISTRYINDEX, &message_key);
    return running;
}

void interrupt_close(lua_State *lua)
{
    lua_close(lua);
    running = NULL;
}
