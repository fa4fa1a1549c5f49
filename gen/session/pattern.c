/* Lua's patterns: see pattern.h. A pattern becomes a list of items, each single character
 * of it a set of 256 bits; matching goes through the list and back. */
#include "gen/session/pattern.h"

#include "gen/session/interrupt.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MOST_DEPTH = 200, STEPS_TO_LOOK = 100000 };

typedef enum {
    ITEM_END,
    ITEM_ONE,      /* a character of `set`, as often as `repeat` says */
    ITEM_OPEN,     /* ( */
    ITEM_POSITION, /* () */
    ITEM_CLOSE,    /* ) */
    ITEM_BACK,     /* %1 */
    ITEM_BALANCED, /* %bxy */
    ITEM_FRONTIER, /* %f[set] */
    ITEM_LAST,     /* $ at the end */
    ITEM_BROKEN,   /* the pattern is malformed from here on: `message` */
} ItemKind;

struct Item {
    ItemKind kind;
    char repeat;        /* 0, or one of *+-? */
    unsigned char x, y; /* of %bxy; x is the digit of %1 */
    const char *message;
    uint64_t set[4];
};

/* ---- Reading a pattern ---- */

static void add(Item *item, int character)
{
    item->set[character >> 6] |= (uint64_t)1 << (character & 63);
}

static bool has(const Item *item, int character)
{
    return item->set[character >> 6] >> (character & 63) & 1;
}

static int is_zero(int character)
{
    return character == 0;
}

/* The set of the class %letter, made when first asked for; NULL where there is none. */
static const Item *class_of(unsigned char letter)
{
    static const struct {
        char letter;
        int (*test)(int);
    } classes[] = {{'a', isalpha}, {'c', iscntrl},  {'d', isdigit}, {'g', isgraph},
                   {'l', islower}, {'p', ispunct},  {'s', isspace}, {'u', isupper},
                   {'w', isalnum}, {'x', isxdigit}, {'z', is_zero}};
    static Item sets[128];
    if (letter >= 128 || sets[letter].kind == ITEM_ONE)
        return letter < 128 ? &sets[letter] : NULL;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].letter == tolower(letter)) {
            for (int c = 0; c < 256; c++)
                if (!classes[i].test(c) == (isupper(letter) != 0))
                    add(&sets[letter], c);
            sets[letter].kind = ITEM_ONE;
            return &sets[letter];
        }
    return NULL;
}

/* That class, or the letter itself. */
static void add_class(Item *item, unsigned char letter)
{
    const Item *class = class_of(letter);
    if (class == NULL)
        add(item, letter);
    for (int i = 0; i < 4 && class; i++)
        item->set[i] |= class->set[i];
}

static const char *broken(Item *item, const char *message)
{
    item->kind = ITEM_BROKEN;
    item->message = message;
    return NULL;
}

/* The ] that ends the set whose [ is before `text`; NULL: none. */
static const char *set_end(const char *text, const char *end)
{
    text += text < end && *text == '^';
    for (const char *first = text; text < end; text++) {
        if (*text == ']' && text > first)
            return text;
        if (*text == '%')
            text++;
    }
    return NULL;
}

/* [set], from behind its [; what is behind its ], or NULL. */
static const char *read_set(Item *item, const char *text, const char *end)
{
    const char *close = set_end(text, end);
    if (close == NULL)
        return broken(item, "malformed pattern (missing ']')");
    bool negated = *text == '^';
    for (text += negated; text < close; text++) {
        if (*text == '%') {
            add_class(item, (unsigned char)*++text);
        } else if (text[1] == '-' && text + 2 < close) {
            for (int c = (unsigned char)text[0]; c <= (unsigned char)text[2]; c++)
                add(item, c);
            text += 2;
        } else {
            add(item, (unsigned char)*text);
        }
    }
    for (int i = 0; i < 4 && negated; i++)
        item->set[i] = ~item->set[i];
    return close + 1;
}

/* A single character and how often. */
static const char *read_one(Item *item, const char *text, const char *end)
{
    item->kind = ITEM_ONE;
    char first = *text++;
    if (first == '.') {
        memset(item->set, -1, sizeof item->set);
    } else if (first == '[') {
        text = read_set(item, text, end);
    } else if (first != '%') {
        add(item, (unsigned char)first);
    } else if (text == end) {
        text = broken(item, "malformed pattern (ends with '%')");
    } else {
        add_class(item, (unsigned char)*text++);
    }
    if (text && text < end && strchr("*+-?", *text) && *text)
        item->repeat = *text++;
    return text;
}

/* %b, %f or %1; `text` is at the letter. */
static const char *read_special(Item *item, const char *text, const char *end)
{
    char letter = *text++;
    if (letter == 'b') {
        item->kind = ITEM_BALANCED;
        if (end - text < 2)
            return broken(item, "malformed pattern (missing arguments to '%b')");
        item->x = (unsigned char)text[0];
        item->y = (unsigned char)text[1];
        return text + 2;
    }
    if (letter == 'f') {
        item->kind = ITEM_FRONTIER;
        if (text == end || *text != '[')
            return broken(item, "missing '[' after '%f' in pattern");
        return read_set(item, text + 1, end);
    }
    item->kind = ITEM_BACK;
    item->x = (unsigned char)letter;
    return text;
}

/* What follows the item, NULL when nothing can. */
static const char *read_item(Item *item, const char *text, const char *end)
{
    if (*text == '(' && text + 1 < end && text[1] == ')') {
        item->kind = ITEM_POSITION;
        return text + 2;
    }
    if (*text == '(' || *text == ')') {
        item->kind = *text == '(' ? ITEM_OPEN : ITEM_CLOSE;
        return text + 1;
    }
    if (*text == '$' && text + 1 == end) {
        item->kind = ITEM_LAST;
        return text + 1;
    }
    if (*text == '%' && text + 1 < end && strchr("bf0123456789", text[1]) && text[1])
        return read_special(item, text + 1, end);
    return read_one(item, text, end);
}

const Item *pattern_push(lua_State *lua, const char *text, size_t length)
{
    Item *items = lua_newuserdatauv(lua, (length + 1) * sizeof *items, 0), *item = items;
    const char *end = text + length;
    while (text && text < end) {
        memset(item, 0, sizeof *item);
        text = read_item(item++, text, end);
    }
    memset(item, 0, sizeof *item); /* the end */
    return items;
}

/* ---- Matching ---- */

/* Now and then, look for Ctrl-C. */
static void spend(Match *match, ptrdiff_t steps)
{
    match->steps += steps;
    if (match->steps < STEPS_TO_LOOK)
        return;
    match->steps = 0;
    interrupt_check(match->lua);
}

static const char *match_from(Match *match, const Item *item, const char *at);

static bool fits(const Match *match, const Item *item, const char *at)
{
    return at < match->end && has(item, (unsigned char)*at);
}

/* As many as there are, or else fewer, but `least`. */
static const char *match_longest(Match *match, const Item *item, const char *at,
                                 int least)
{
    const char *last = at;
    while (fits(match, item, last))
        last++;
    spend(match, last - at);
    for (; last >= at + least; last--) {
        const char *end = match_from(match, item + 1, last);
        if (end)
            return end;
    }
    return NULL;
}

static const char *match_shortest(Match *match, const Item *item, const char *at)
{
    for (;; at++) {
        const char *end = match_from(match, item + 1, at);
        if (end || !fits(match, item, at))
            return end;
    }
}

static const char *match_open(Match *match, const Item *item, const char *at)
{
    if (match->count == PATTERN_CAPTURES)
        luaL_error(match->lua, "too many captures");
    match->captures[match->count].at = at;
    match->captures[match->count].length =
        item->kind == ITEM_POSITION ? PATTERN_POSITION : PATTERN_OPEN;
    match->count++;
    const char *end = match_from(match, item + 1, at);
    if (end == NULL)
        match->count--;
    return end;
}

static const char *match_close(Match *match, const Item *item, const char *at)
{
    int i = match->count - 1;
    while (i >= 0 && match->captures[i].length != PATTERN_OPEN)
        i--;
    if (i < 0)
        luaL_error(match->lua, "invalid pattern capture");
    match->captures[i].length = at - match->captures[i].at;
    const char *end = match_from(match, item + 1, at);
    if (end == NULL)
        match->captures[i].length = PATTERN_OPEN;
    return end;
}

/* Behind what was captured before, or NULL. */
static const char *skip_back(Match *match, const Item *item, const char *at)
{
    int i = item->x - '1';
    if (i < 0 || i >= match->count || match->captures[i].length == PATTERN_OPEN)
        luaL_error(match->lua, "invalid capture index %%%d", i + 1);
    /* Of a position nothing is left to match: its length is no size of any subject. */
    size_t length = (size_t)match->captures[i].length;
    if ((size_t)(match->end - at) < length ||
        memcmp(match->captures[i].at, at, length) != 0)
        return NULL;
    return at + length;
}

static const char *skip_balanced(Match *match, const Item *item, const char *at)
{
    if (at == match->end || (unsigned char)*at != item->x)
        return NULL;
    long depth = 1;
    for (const char *from = at; ++at < match->end;) {
        if ((unsigned char)*at == item->y) {
            if (--depth == 0) {
                spend(match, at - from);
                return at + 1;
            }
        } else if ((unsigned char)*at == item->x) {
            depth++;
        }
    }
    spend(match, match->end - match->start);
    return NULL;
}

static const char *skip_frontier(const Match *match, const Item *item, const char *at)
{
    int before = at == match->start ? 0 : (unsigned char)at[-1];
    return !has(item, before) && has(item, (unsigned char)*at) ? at : NULL;
}

/* Behind an item that can be matched in one way only; NULL when it cannot. */
static const char *skip(Match *match, const Item *item, const char *at)
{
    switch (item->kind) {
    case ITEM_BACK:
        return skip_back(match, item, at);
    case ITEM_BALANCED:
        return skip_balanced(match, item, at);
    case ITEM_FRONTIER:
        return skip_frontier(match, item, at);
    case ITEM_LAST:
        return at == match->end ? at : NULL;
    case ITEM_BROKEN:
        luaL_error(match->lua, "%s", item->message);
        return NULL;
    default:
        return fits(match, item, at) ? at + 1 : NULL;
    }
}

/* The rest of the pattern where an item can be matched in several ways. */
static const char *branch(Match *match, const Item *item, const char *at)
{
    const char *end = NULL;
    if (item->kind == ITEM_OPEN || item->kind == ITEM_POSITION)
        return match_open(match, item, at);
    if (item->kind == ITEM_CLOSE)
        return match_close(match, item, at);
    if (item->repeat == '-')
        return match_shortest(match, item, at);
    if (item->repeat != '?')
        return match_longest(match, item, at, item->repeat == '+');
    if (fits(match, item, at))
        end = match_from(match, item + 1, at + 1);
    return end ? end : match_from(match, item + 1, at);
}

static bool branches(const Item *item)
{
    return item->repeat || item->kind == ITEM_OPEN || item->kind == ITEM_POSITION ||
           item->kind == ITEM_CLOSE;
}

static const char *match_from(Match *match, const Item *item, const char *at)
{
    if (match->depth++ == MOST_DEPTH)
        luaL_error(match->lua, "pattern too complex");
    spend(match, 1);
    for (; at && item->kind != ITEM_END; item++) {
        if (branches(item)) {
            at = branch(match, item, at);
            break;
        }
        at = skip(match, item, at);
    }
    match->depth--;
    return at;
}

const char *pattern_match(Match *match, const Item *items, const char *at)
{
    match->count = 0;
    match->depth = 0;
    return match_from(match, items, at);
}
