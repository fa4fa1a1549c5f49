/* A tree of plain values in memory that only grows, see value.h. */
#include "gen/weights/value.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/support.h"

#define BLOCK_BYTES ((size_t)1 << 16)

struct ValueBlock {
    struct ValueBlock *next;
    size_t used, room;
    max_align_t data[];
};

static void *take(ValueMemory *memory, size_t bytes)
{
    struct ValueBlock *block = memory->blocks;
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (block == NULL || block->room - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = rt_alloc(sizeof *block + room);
        *block = (struct ValueBlock){.next = memory->blocks, .room = room};
        memory->blocks = block;
    }
    char *taken = (char *)block->data + block->used;
    block->used += bytes;
    return taken;
}

Value *value_new(ValueMemory *memory, ValueKind kind)
{
    Value *value = take(memory, sizeof *value);
    *value = (Value){.kind = kind};
    return value;
}

Value *value_text(ValueMemory *memory, ValueKind kind, const void *text, size_t length)
{
    Value *value = value_new(memory, kind);
    char *copy = take(memory, length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    value->text = copy;
    value->count = length;
    return value;
}

/* Doubles the room when full, so that many short appends stay cheap. */
void value_append(ValueMemory *memory, Value *list, Value *item)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 2;
        Value **items = take(memory, room * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
}

void value_free_all(ValueMemory *memory)
{
    while (memory->blocks) {
        struct ValueBlock *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
}

bool value_is_text(const Value *value, const char *text)
{
    return (value->kind == VALUE_STRING || value->kind == VALUE_GLOBAL) &&
           value->count == strlen(text) && memcmp(value->text, text, value->count) == 0;
}

/* The last one wins, as in Python. */
const Value *value_get(const Value *dict, const char *key)
{
    for (size_t i = dict->count; i >= 2; i -= 2)
        if (value_is_text(dict->items[i - 2], key))
            return dict->items[i - 1];
    return NULL;
}
