/* Lua's patterns, matched so that Ctrl-C can end it: some take longer than the world
 * stands, and Lua's own matcher looks at nothing meanwhile. */
#ifndef LATHE_PATTERN_H
#define LATHE_PATTERN_H

#include <lua.h>
#include <stddef.h>

enum { PATTERN_CAPTURES = 32 };

typedef struct Item Item; /* one step of a pattern */

/* Where a pattern is matched, and what it has captured. */
typedef struct {
    lua_State *lua;
    const char *start, *end; /* the subject, a 0 byte behind it */
    int count;
    struct {
        const char *at;
        ptrdiff_t length; /* or PATTERN_OPEN, PATTERN_POSITION */
    } captures[PATTERN_CAPTURES];
    int depth;
    ptrdiff_t steps; /* since it last looked for Ctrl-C */
} Match;

enum { PATTERN_OPEN = -1, PATTERN_POSITION = -2 };

/* Push the pattern in the form it is matched in; it lives as long as that value. */
const Item *pattern_push(lua_State *lua, const char *text, size_t length);

/* The end of what the pattern matches from `at` on, or NULL; raises Lua's errors for a
 * malformed pattern, once it gets to the fault, and for Ctrl-C. */
const char *pattern_match(Match *match, const Item *items, const char *at);

#endif
