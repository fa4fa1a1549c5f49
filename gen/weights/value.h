/* Plain values as a pickle describes them: a tree (with shared branches, even cycles)
 * whose memory is freed in one go. */
#ifndef LATHE_VALUE_H
#define LATHE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    VALUE_NONE,
    VALUE_BOOL,       /* integer: 0 or 1 */
    VALUE_INT,        /* integer */
    VALUE_LONG,       /* wider than 64 bits; text: count bytes, little-endian */
    VALUE_FLOAT,      /* its value is nowhere needed and not kept */
    VALUE_STRING,     /* text: count bytes and a 0 behind them */
    VALUE_BYTES,      /* the same */
    VALUE_TUPLE,      /* items: count values */
    VALUE_LIST,       /* the same */
    VALUE_DICT,       /* items: key, value, key, value ... (count is twice its length) */
    VALUE_GLOBAL,     /* text: "module.name" */
    VALUE_CALL,       /* items: the VALUE_GLOBAL, the VALUE_TUPLE of arguments; what was
                         added to the object it gives is not kept */
    VALUE_PERSISTENT, /* items: the id, a value that stands for data outside */
    VALUE_MARK        /* inside the reader only */
} ValueKind;

typedef struct Value Value;
struct Value {
    ValueKind kind;
    union {
        int64_t integer;
        const char *text;
        Value **items;
    };
    size_t count, room;
    int visit; /* for who walks the tree: shared branches are walked once */
};

typedef struct {
    struct ValueBlock *blocks;
} ValueMemory;

Value *value_new(ValueMemory *memory, ValueKind kind);
Value *value_text(ValueMemory *memory, ValueKind kind, const void *text, size_t length);
/* Add to the items of a value. */
void value_append(ValueMemory *memory, Value *list, Value *item);
void value_free_all(ValueMemory *memory);

/* The value under a key of a VALUE_DICT, or NULL. */
const Value *value_get(const Value *dict, const char *key);
/* Whether its text is this, of a VALUE_STRING or VALUE_GLOBAL. */
bool value_is_text(const Value *value, const char *text);

#endif
