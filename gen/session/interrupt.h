/* Ctrl-C while Lua runs what somebody wrote: it always ends, at the prompt. */
#ifndef LATHE_INTERRUPT_H
#define LATHE_INTERRUPT_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>

/* A state with Lua's libraries; one at a time. Its memory is bounded by half of the
 * machine's. NULL and rt_fail without memory. */
lua_State *interrupt_open(void);
void interrupt_close(lua_State *lua);

/* guard(function, ...): true and its results, or false and the message. SIGINT is an
 * error of the function, "interrupted", which no pcall of its keeps. `explain` makes the
 * message. */
int interrupt_guard(lua_State *lua);

/* The signal that came during the last guarded call, or 0. */
const volatile sig_atomic_t *interrupt_flag(void);

/* Whether it came and the call has not ended yet. */
bool interrupt_came(void);
/* For loops in C: raise the error if the signal came. */
void interrupt_check(lua_State *lua);
/* The signal came while somebody else caught it. Does not return in a guarded call. */
void interrupt_raise(lua_State *lua, int number);

/* Ctrl-C sets a hook of the main state: a coroutine looks for itself. */
void interrupt_watch(lua_State *coroutine);
/* Whether a system call that SIGINT interrupts goes on; it does. */
void interrupt_restarts(bool restart);

/* Until the end, SIGINT between two guarded calls does nothing. */
void interrupt_hold(void);
void interrupt_release(void);

#endif
