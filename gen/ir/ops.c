/* The rows of ops.def at run time: see ops.h. */
#include "gen/ir/ops.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define SLOT_NAME(kind, slot) sizeof #slot > 1 ? #slot : NULL,
const OpInfo op_info[OP_KINDS] = {
#define OP(kind, suffix, scope, traits, inputs, outputs, what)                           \
    {#kind,                                                                              \
     suffix,                                                                             \
     SCOPE_##scope,                                                                      \
     traits,                                                                             \
     {EACH_SLOT(SLOT_NAME, kind, inputs)},                                               \
     {EACH_SLOT(SLOT_NAME, kind, outputs)},                                              \
     what},
#include "gen/ir/ops.def"
#undef OP
};

const char *const scope_names[] = {
#define NAME(name, word) word,
    SCOPES(NAME)
#undef NAME
};

static int slot_index(const char *const *slots, const char *slot)
{
    int index = 0;
    while (slots[index] && strcmp(slots[index], slot) != 0)
        index++;
    assert(slots[index]);
    return index;
}

int op_input(OpKind kind, const char *slot)
{
    return slot_index(op_info[kind].inputs, slot);
}

int op_output(OpKind kind, const char *slot)
{
    return slot_index(op_info[kind].outputs, slot);
}
