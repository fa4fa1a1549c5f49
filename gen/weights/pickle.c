/* The stack machine that Python's pickles are programs for, but for what would run code:
 * a call stays a value that nobody calls. Every instruction costs at least one unit of
 * work, every unit takes a bounded amount of memory, nothing recurses. */
#include "gen/weights/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

#define MOST_WORK (1 << 22) /* a checkpoint takes about 25 per array */

typedef struct {
    const char *path;
    const uint8_t *data;
    size_t bytes, at;

    /* the instruction that runs */
    uint8_t opcode;
    size_t start;
    const char *name;
    uint64_t operand; /* the number behind it, 0 where it has none */
    ValueKind kind;   /* what it makes or adds to */

    Pickle *pickle;
    Value **stack, **memo;
    size_t depth, stack_room, memo_count, memo_room;
    size_t work;
    bool stopped;
} Machine;

/* The stack. */

static bool work(Machine *m, size_t units)
{
    if (units > MOST_WORK - m->work)
        return rt_fail("%s: pickle is too long, want at most %d instructions", m->path,
                       MOST_WORK);
    m->work += units;
    return true;
}

static bool push(Machine *m, Value *value)
{
    if (m->depth == m->stack_room) {
        m->stack_room = m->stack_room ? 2 * m->stack_room : 256;
        m->stack = rt_grow(m->stack, m->stack_room * sizeof *m->stack);
    }
    m->stack[m->depth++] = value;
    return true;
}

static bool push_kind(Machine *m, ValueKind kind)
{
    return push(m, value_new(&m->pickle->memory, kind));
}

static bool push_text(Machine *m, ValueKind kind, const void *text, size_t length)
{
    return push(m, value_text(&m->pickle->memory, kind, text, length));
}

static void append(Machine *m, Value *list, Value *item)
{
    value_append(&m->pickle->memory, list, item);
}

static bool push_integer(Machine *m, int64_t integer)
{
    Value *value = value_new(&m->pickle->memory, m->kind);
    value->integer = integer;
    return push(m, value);
}

/* Says which instruction is at fault, and where. */
static bool fail_at(const Machine *m, const char *what)
{
    return rt_fail("%s: pickle instruction %s at byte %zu %s", m->path, m->name, m->start,
                   what);
}

static Value *pop(Machine *m)
{
    if (m->depth > 0 && m->stack[m->depth - 1]->kind != VALUE_MARK)
        return m->stack[--m->depth];
    fail_at(m, "finds no value");
    return NULL;
}

static bool pop_items(Machine *m, Value **items, size_t count)
{
    while (count-- > 0)
        if ((items[count] = pop(m)) == NULL)
            return false;
    return true;
}

/* The values above the last mark, valid until the next push. */
static bool pop_to_mark(Machine *m, Value ***items, size_t *count)
{
    size_t mark = m->depth;
    while (mark > 0 && m->stack[mark - 1]->kind != VALUE_MARK)
        mark--;
    if (mark == 0)
        return fail_at(m, "finds no mark");
    *items = m->stack + mark;
    *count = m->depth - mark;
    m->depth = mark - 1;
    return true;
}

/* The bytes that follow an instruction; NULL when the pickle ends before. */
static const uint8_t *take_bytes(Machine *m, uint64_t count)
{
    if (count > m->bytes - m->at) {
        fail_at(m, "is cut short");
        return NULL;
    }
    const uint8_t *bytes = m->data + m->at;
    m->at += (size_t)count;
    return bytes;
}

/* Instructions. */

static bool run_proto(Machine *m)
{
    if (m->operand < 2 || m->operand > 5)
        return rt_fail("%s: pickle of protocol %d, want 2 to 5", m->path,
                       (int)m->operand);
    return true;
}

/* A frame only tells readers how much to fetch ahead. */
static bool run_frame(Machine *m)
{
    return m->operand <= m->bytes - m->at || fail_at(m, "is cut short");
}

static bool run_stop(Machine *m)
{
    m->pickle->value = pop(m);
    m->stopped = true;
    return m->pickle->value != NULL;
}

static bool run_empty(Machine *m)
{
    return push_kind(m, m->kind);
}

static bool run_text(Machine *m)
{
    const uint8_t *bytes = take_bytes(m, m->operand);
    return bytes && push_text(m, m->kind, bytes, (size_t)m->operand);
}

static bool run_bool(Machine *m)
{
    return push_integer(m, m->opcode == 0x88);
}

static bool run_small_int(Machine *m)
{
    return push_integer(m, (int64_t)m->operand);
}

static bool run_int(Machine *m)
{
    return push_integer(m, (int32_t)m->operand);
}

static bool run_long(Machine *m)
{
    size_t n = (size_t)m->operand;
    const uint8_t *bytes = take_bytes(m, m->operand);
    if (bytes == NULL)
        return false;
    if (n > 8)
        return push_text(m, VALUE_LONG, bytes, n);
    uint64_t bits = n > 0 && bytes[n - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = n; i-- > 0;)
        bits = bits << 8 | bytes[i];
    return push_integer(m, (int64_t)bits);
}

static bool run_pop(Machine *m)
{
    return pop(m) != NULL;
}

static bool run_pop_mark(Machine *m)
{
    Value **items;
    size_t count;
    return pop_to_mark(m, &items, &count);
}

static bool push_tuple(Machine *m, Value **items, size_t count)
{
    Value *tuple = value_new(&m->pickle->memory, m->kind);
    for (size_t i = 0; i < count; i++)
        append(m, tuple, items[i]);
    return push(m, tuple);
}

static bool run_tuple(Machine *m)
{
    Value **items;
    size_t count;
    return pop_to_mark(m, &items, &count) && push_tuple(m, items, count);
}

/* TUPLE1 to TUPLE3, which lie side by side. */
static bool run_short_tuple(Machine *m)
{
    Value *items[3];
    size_t count = m->opcode - 0x84u;
    return pop_items(m, items, count) && push_tuple(m, items, count);
}

/* Into the list or dict that is now on top; what an object holds is not kept. */
static bool add_items(Machine *m, Value **items, size_t count)
{
    ValueKind top = m->depth > 0 ? m->stack[m->depth - 1]->kind : VALUE_MARK;
    if (top != m->kind && top != VALUE_CALL)
        return fail_at(m, "finds nothing to add to");
    if (m->kind == VALUE_DICT && count % 2 != 0)
        return fail_at(m, "finds a key without a value");
    if (top == VALUE_CALL)
        return true;
    for (size_t i = 0; i < count; i++)
        append(m, m->stack[m->depth - 1], items[i]);
    return true;
}

static bool run_add(Machine *m)
{
    Value *items[2];
    size_t count = m->kind == VALUE_DICT ? 2 : 1;
    return pop_items(m, items, count) && add_items(m, items, count);
}

static bool run_add_all(Machine *m)
{
    Value **items;
    size_t count;
    return pop_to_mark(m, &items, &count) && add_items(m, items, count);
}

static bool run_get(Machine *m)
{
    uint64_t n = m->operand;
    if (n >= m->memo_count || m->memo[n] == NULL)
        return fail_at(m, "finds nothing under its number");
    return push(m, m->memo[n]);
}

/* Writers number the memo from 0 on, so a number beyond the work done is nonsense. */
static bool put(Machine *m, uint64_t n)
{
    Value *value = pop(m);
    if (value == NULL)
        return false;
    if (n > m->work)
        return fail_at(m, "has a number out of range");
    if (n >= m->memo_room) {
        size_t room = 2 * (size_t)n + 256;
        m->memo = rt_grow(m->memo, room * sizeof *m->memo);
        m->memo_room = room;
    }
    while (m->memo_count <= n)
        m->memo[m->memo_count++] = NULL;
    m->memo[n] = value;
    return push(m, value);
}

static bool run_put(Machine *m)
{
    return put(m, m->operand);
}

static bool run_memoize(Machine *m)
{
    return put(m, m->memo_count);
}

static bool push_global(Machine *m, const char *module, size_t module_length,
                        const char *name, size_t name_length)
{
    if (!weights_name_ok(module, module_length) || !weights_name_ok(name, name_length))
        return fail_at(m, "names something without a proper name");
    char *full =
        rt_format("%.*s.%.*s", (int)module_length, module, (int)name_length, name);
    push_text(m, VALUE_GLOBAL, full, strlen(full));
    free(full);
    return true;
}

static bool run_global(Machine *m)
{
    const char *module = (const char *)m->data + m->at;
    const char *name = memchr(module, '\n', m->bytes - m->at);
    if (name == NULL)
        return fail_at(m, "is cut short");
    m->at += (size_t)(++name - module);
    const char *end = memchr(name, '\n', m->bytes - m->at);
    if (end == NULL)
        return fail_at(m, "is cut short");
    m->at += (size_t)(end + 1 - name);
    return push_global(m, module, (size_t)(name - 1 - module), name,
                       (size_t)(end - name));
}

static bool run_stack_global(Machine *m)
{
    Value *items[2];
    if (!pop_items(m, items, 2))
        return false;
    const Value *module = items[0], *name = items[1];
    if (name->kind != VALUE_STRING || module->kind != VALUE_STRING)
        return fail_at(m, "names something without a proper name");
    return push_global(m, module->text, module->count, name->text, name->count);
}

/* OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]). */
static bool push_ordered_dict(Machine *m, const Value *arguments)
{
    static const Value none = {.kind = VALUE_LIST};
    const Value *pairs = arguments->count > 0 ? arguments->items[0] : &none;
    if (arguments->count > 1 || pairs->kind != VALUE_LIST)
        return fail_at(m, "makes an OrderedDict of something other than a list of pairs");
    if (!work(m, pairs->count))
        return false;
    Value *dict = value_new(&m->pickle->memory, VALUE_DICT);
    for (size_t i = 0; i < pairs->count; i++) {
        const Value *pair = pairs->items[i];
        if ((pair->kind != VALUE_LIST && pair->kind != VALUE_TUPLE) || pair->count != 2)
            return fail_at(m, "makes an OrderedDict of something other than pairs");
        append(m, dict, pair->items[0]);
        append(m, dict, pair->items[1]);
    }
    return push(m, dict);
}

/* A call that stays one. What a call gives may be called in turn. */
static bool push_call(Machine *m, Value *function, Value *arguments)
{
    if (function->kind == VALUE_CALL)
        function = value_text(&m->pickle->memory, VALUE_GLOBAL, "", 0);
    if (function->kind != VALUE_GLOBAL || arguments->kind != VALUE_TUPLE)
        return fail_at(m, "calls something that is not a function");
    if (value_is_text(function, "collections.OrderedDict"))
        return push_ordered_dict(m, arguments);
    Value *call = value_new(&m->pickle->memory, VALUE_CALL);
    append(m, call, function);
    append(m, call, arguments);
    return push(m, call);
}

/* Also NEWOBJ: to make an object of a class is to call it. */
static bool run_reduce(Machine *m)
{
    Value *items[2];
    return pop_items(m, items, 2) && push_call(m, items[0], items[1]);
}

/* NEWOBJ_EX has arguments by name, too. */
static bool run_reduce_named(Machine *m)
{
    Value *items[3];
    return pop_items(m, items, 3) && push_call(m, items[0], items[1]);
}

/* State of a dict, such as a state_dict's _metadata, says nothing about its arrays; that
 * of an object is not kept. */
static bool run_build(Machine *m)
{
    if (pop(m) == NULL)
        return false;
    ValueKind top = m->depth > 0 ? m->stack[m->depth - 1]->kind : VALUE_MARK;
    return top == VALUE_DICT || top == VALUE_CALL ||
           fail_at(m, "sets the state of something that is no object");
}

static bool run_persistent(Machine *m)
{
    Value *id = pop(m);
    if (id == NULL)
        return false;
    Value *value = value_new(&m->pickle->memory, m->kind);
    append(m, value, id);
    append(m, m->pickle->persistent, value);
    return push(m, value);
}

/* What is not here no checkpoint has: instructions of protocols 0 and 1, of Python's own
 * registry, and of data outside the file. `width` is the size of the operand; `kind` is
 * what the instruction makes or adds to. */
static const struct {
    const char *name;
    int width;
    bool (*run)(Machine *m);
    ValueKind kind;
} opcodes[256] = {
    [0x80] = {"PROTO", 1, run_proto, VALUE_NONE},
    [0x95] = {"FRAME", 8, run_frame, VALUE_NONE},
    ['.'] = {"STOP", 0, run_stop, VALUE_NONE},
    ['N'] = {"NONE", 0, run_empty, VALUE_NONE},
    [0x88] = {"NEWTRUE", 0, run_bool, VALUE_BOOL},
    [0x89] = {"NEWFALSE", 0, run_bool, VALUE_BOOL},
    ['K'] = {"BININT1", 1, run_small_int, VALUE_INT},
    ['M'] = {"BININT2", 2, run_small_int, VALUE_INT},
    ['J'] = {"BININT", 4, run_int, VALUE_INT},
    [0x8a] = {"LONG1", 1, run_long, VALUE_INT},
    [0x8b] = {"LONG4", 4, run_long, VALUE_INT},
    ['G'] = {"BINFLOAT", 8, run_empty, VALUE_FLOAT},
    [0x8c] = {"SHORT_BINUNICODE", 1, run_text, VALUE_STRING},
    ['X'] = {"BINUNICODE", 4, run_text, VALUE_STRING},
    [0x8d] = {"BINUNICODE8", 8, run_text, VALUE_STRING},
    ['U'] = {"SHORT_BINSTRING", 1, run_text, VALUE_STRING},
    ['T'] = {"BINSTRING", 4, run_text, VALUE_STRING},
    ['C'] = {"SHORT_BINBYTES", 1, run_text, VALUE_BYTES},
    ['B'] = {"BINBYTES", 4, run_text, VALUE_BYTES},
    [0x8e] = {"BINBYTES8", 8, run_text, VALUE_BYTES},
    ['('] = {"MARK", 0, run_empty, VALUE_MARK},
    ['0'] = {"POP", 0, run_pop, VALUE_NONE},
    ['1'] = {"POP_MARK", 0, run_pop_mark, VALUE_NONE},
    [')'] = {"EMPTY_TUPLE", 0, run_empty, VALUE_TUPLE},
    ['t'] = {"TUPLE", 0, run_tuple, VALUE_TUPLE},
    [0x85] = {"TUPLE1", 0, run_short_tuple, VALUE_TUPLE},
    [0x86] = {"TUPLE2", 0, run_short_tuple, VALUE_TUPLE},
    [0x87] = {"TUPLE3", 0, run_short_tuple, VALUE_TUPLE},
    [']'] = {"EMPTY_LIST", 0, run_empty, VALUE_LIST},
    ['a'] = {"APPEND", 0, run_add, VALUE_LIST},
    ['e'] = {"APPENDS", 0, run_add_all, VALUE_LIST},
    ['}'] = {"EMPTY_DICT", 0, run_empty, VALUE_DICT},
    ['s'] = {"SETITEM", 0, run_add, VALUE_DICT},
    ['u'] = {"SETITEMS", 0, run_add_all, VALUE_DICT},
    ['h'] = {"BINGET", 1, run_get, VALUE_NONE},
    ['j'] = {"LONG_BINGET", 4, run_get, VALUE_NONE},
    ['q'] = {"BINPUT", 1, run_put, VALUE_NONE},
    ['r'] = {"LONG_BINPUT", 4, run_put, VALUE_NONE},
    [0x94] = {"MEMOIZE", 0, run_memoize, VALUE_NONE},
    ['c'] = {"GLOBAL", 0, run_global, VALUE_GLOBAL},
    [0x93] = {"STACK_GLOBAL", 0, run_stack_global, VALUE_GLOBAL},
    [0x8f] = {"EMPTY_SET", 0, run_empty, VALUE_LIST},
    [0x90] = {"ADDITEMS", 0, run_add_all, VALUE_LIST},
    [0x91] = {"FROZENSET", 0, run_tuple, VALUE_TUPLE},
    [0x96] = {"BYTEARRAY8", 8, run_text, VALUE_BYTES},
    ['R'] = {"REDUCE", 0, run_reduce, VALUE_CALL},
    [0x81] = {"NEWOBJ", 0, run_reduce, VALUE_CALL},
    [0x92] = {"NEWOBJ_EX", 0, run_reduce_named, VALUE_CALL},
    ['b'] = {"BUILD", 0, run_build, VALUE_NONE},
    ['Q'] = {"BINPERSID", 0, run_persistent, VALUE_PERSISTENT},
};

static bool run_one(Machine *m)
{
    if (m->at == m->bytes)
        return rt_fail("%s: pickle ends before its STOP", m->path);
    m->start = m->at;
    m->opcode = m->data[m->at++];
    m->name = opcodes[m->opcode].name;
    m->kind = opcodes[m->opcode].kind;
    m->operand = 0;
    if (m->name == NULL)
        return rt_fail(
            "%s: 0x%02x at byte %zu is no pickle instruction of protocols 2 to "
            "5",
            m->path, m->opcode, m->start);
    int width = opcodes[m->opcode].width;
    const uint8_t *bytes = take_bytes(m, (uint64_t)width);
    for (int i = 0; bytes && i < width; i++)
        m->operand |= (uint64_t)bytes[i] << 8 * i;
    return bytes && work(m, 1) && opcodes[m->opcode].run(m);
}

bool pickle_read(Pickle *pickle, const char *path, const uint8_t *data, size_t bytes)
{
    *pickle = (Pickle){0};
    Machine m = {.path = path, .data = data, .bytes = bytes, .pickle = pickle};
    pickle->persistent = value_new(&pickle->memory, VALUE_LIST);
    while (!m.stopped && run_one(&m)) {
    }
    pickle->bytes = m.at;
    free(m.stack);
    free(m.memo);
    return pickle->value != NULL;
}

void pickle_free(Pickle *pickle)
{
    value_free_all(&pickle->memory);
}
