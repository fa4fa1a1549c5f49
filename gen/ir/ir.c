/* The Net: growing it, asking it, dumping it, checking it. */
#include "gen/ir/ir.h"

#include "gen/config/field_table.h"
#include "runtime/base/support.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const OpInfo op_info[OP_KINDS] = {
#define OP(kind, suffix, scope, inputs, outputs, what)                                   \
    {#kind, suffix, SCOPE_##scope, inputs, outputs, what},
#include "gen/ir/ops.def"
#undef OP
};

static int slot_index(const char *slots, const char *slot)
{
    size_t length = strlen(slot);
    int index = 0;
    for (const char *p = slots; *p; index++) {
        size_t n = strcspn(p, " ");
        if (n == length && memcmp(p, slot, n) == 0)
            return index;
        p += n + (p[n] == ' ');
    }
    return NONE;
}

int op_input(OpKind kind, const char *slot)
{
    int index = slot_index(op_info[kind].inputs, slot);
    assert(index != NONE);
    return index;
}

int op_output(OpKind kind, const char *slot)
{
    int index = slot_index(op_info[kind].outputs, slot);
    assert(index != NONE);
    return index;
}

Tensor *op_in(const Net *net, const Op *op, const char *slot)
{
    int tensor = op->in[op_input(op->kind, slot)];
    return tensor == NONE ? NULL : &net->tensors[tensor];
}

Tensor *op_out(const Net *net, const Op *op, const char *slot)
{
    int tensor = op->out[op_output(op->kind, slot)];
    return tensor == NONE ? NULL : &net->tensors[tensor];
}

bool layer_name_ok(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[length] == 0 && length >= 1 && length <= NAME_LETTERS && name[0] >= 'a' &&
           name[0] <= 'z';
}

int net_add_op(Net *net, OpKind kind, const char *name, const char *file, int line)
{
    if (net->op_count == net->op_room) {
        net->op_room = net->op_room * 2 + 64;
        net->ops = rt_grow(net->ops, net->op_room * sizeof(Op));
    }
    Op *op = &net->ops[net->op_count];
    *op = (Op){.kind = kind, .line = line, .layer = NONE, .scope = op_info[kind].scope};
    op->tasks = op->scope == SCOPE_TASKS;
    const Quantiser none = {.step = NONE, .range = NONE};
    op->own = op->bias = op->input = op->other = none;
    snprintf(op->name, sizeof op->name, "%s", name);
    snprintf(op->file, sizeof op->file, "%s", file);
    for (int i = 0; i < OP_INPUTS; i++)
        op->in[i] = NONE;
    for (int i = 0; i < OP_OUTPUTS; i++)
        op->out[i] = NONE;
    return net->op_count++;
}

int net_append_op(Net *net, const Op *op)
{
    Op copy = *op; /* it may lie in the array that grows */
    int index = net_add_op(net, copy.kind, copy.name, copy.file, copy.line);
    net->ops[index] = copy;
    return index;
}

Op *net_append_like(Net *net, const Op *like, OpKind kind)
{
    Op op = *like;
    op.kind = kind;
    op.scope = op_info[kind].scope;
    op.tasks = op.scope == SCOPE_TASKS;
    for (int i = 0; i < OP_INPUTS; i++)
        op.in[i] = NONE;
    for (int i = 0; i < OP_OUTPUTS; i++)
        op.out[i] = NONE;
    int index = net_append_op(net, &op); /* may move the ops */
    return &net->ops[index];
}

int net_add_tensor(Net *net, Role role, const char *name, const char *suffix)
{
    if (net->tensor_count == net->tensor_room) {
        net->tensor_room = net->tensor_room * 2 + 64;
        net->tensors = rt_grow(net->tensors, net->tensor_room * sizeof(Tensor));
    }
    Tensor *tensor = &net->tensors[net->tensor_count];
    *tensor = (Tensor){.role = role,
                       .type = TYPE_F32,
                       .first = NONE,
                       .last = NONE,
                       .codes = {.step = NONE, .range = NONE}};
    snprintf(tensor->name, sizeof tensor->name, "%s%s", name, suffix);
    return net->tensor_count++;
}

int net_add_data(Net *net, const char *name, const char *suffix, int h, int w, int c)
{
    int index = net_add_tensor(net, ROLE_DATA, name, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->h = h;
    tensor->w = w;
    tensor->c = tensor->cs = c;
    tensor->rank = 3;
    return index;
}

int net_add_codes(Net *net, int tensor, const Quantiser *quantiser)
{
    Tensor like = net->tensors[tensor];
    int codes = net_add_data(net, like.name, ".codes", like.h, like.w, like.c);
    net->tensors[codes].type = TYPE_U8;
    net->tensors[codes].cs = (like.c + 3) / 4 * 4;
    net->tensors[codes].codes = *quantiser;
    return codes;
}

int type_bytes(Type type)
{
    return (const int[]){[TYPE_U8] = 1,  [TYPE_F32] = 4, [TYPE_F64] = 8,
                         [TYPE_I32] = 4, [TYPE_I64] = 8, [TYPE_U32] = 4}[type];
}

void net_free(Net *net)
{
    free(net->ops);
    free(net->tensors);
    *net = (Net){0};
}

Net net_copy(const Net *net)
{
    Net copy = *net;
    copy.op_room = net->op_count;
    copy.tensor_room = net->tensor_count;
    copy.ops = rt_grow(NULL, net->op_count * sizeof(Op));
    copy.tensors = rt_grow(NULL, net->tensor_count * sizeof(Tensor));
    memcpy(copy.ops, net->ops, net->op_count * sizeof(Op));
    memcpy(copy.tensors, net->tensors, net->tensor_count * sizeof(Tensor));
    return copy;
}

long tensor_count(const Tensor *tensor)
{
    if (tensor->rank == 3)
        return (long)tensor->h * tensor->w * tensor->c;
    long h = tensor->h ? tensor->h : 1, w = tensor->w ? tensor->w : 1;
    return h * w * (tensor->c ? tensor->c : 1) * tensor->k;
}

long tensor_row(const Tensor *tensor)
{
    return (long)(tensor->left + tensor->w + tensor->right) * tensor->cs;
}

long tensor_padded_count(const Tensor *tensor)
{
    if (tensor->rank != 3)
        return tensor_count(tensor);
    return (tensor->top + tensor->h + tensor->bottom) * tensor_row(tensor);
}

void net_layout_params(Net *net)
{
    enum { ALIGN_FLOATS = 16 };
    net->param_floats = net->stat_floats = 0;
    for (int i = 0; i < net->tensor_count; i++) {
        Tensor *tensor = &net->tensors[i];
        if (tensor->role != ROLE_PARAM && tensor->role != ROLE_STAT)
            continue;
        long *end = tensor->role == ROLE_PARAM ? &net->param_floats : &net->stat_floats;
        tensor->offset = *end;
        *end += (tensor_count(tensor) + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    }
}

bool quant_used(const Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].own.quantizer != QUANT_NONE)
            return true;
    return false;
}

static bool holds(const int *slots, int count, int tensor)
{
    for (int i = 0; i < count; i++)
        if (slots[i] == tensor)
            return true;
    return false;
}

bool op_reads(const Op *op, int tensor)
{
    return holds(op->in, OP_INPUTS, tensor) || (op->accumulate && op->out[0] == tensor) ||
           (op->accumulate_residual && op->out[1] == tensor);
}

bool op_writes(const Op *op, int tensor)
{
    return holds(op->out, OP_OUTPUTS, tensor);
}

static void dump_slots(FILE *file, const Net *net, const char *names, const int *slots)
{
    int index = 0;
    for (const char *p = names; *p; index++) {
        int n = (int)strcspn(p, " ");
        if (slots[index] != NONE)
            fprintf(file, " %.*s=%s", n, p, net->tensors[slots[index]].name);
        p += n + (p[n] == ' ');
    }
}

const char *const type_names[] = {"uint8_t", "float",   "double",
                                  "int32_t", "int64_t", "uint32_t"};
const char *const role_names[] = {"pixels",   "logits", "param", "stat",
                                  "gradient", "data",   "once",  "partial"};
const char *const place_names[] = {"batch", "worker"};
const char *const scope_names[] = {"image", "tasks", "batch"};
const char *const lowering_names[] = {"direct", "call"};

static void dump_long_t(FILE *file, const char *name, long value)
{
    if (value != 0)
        fprintf(file, " %s=%ld", name, value);
}

static void dump_int_t(FILE *file, const char *name, int value)
{
    dump_long_t(file, name, value);
}

static void dump_bool_t(FILE *file, const char *name, bool value)
{
    if (value)
        fprintf(file, " %s", name);
}

static void dump_type_t(FILE *file, const char *name, Type value)
{
    fprintf(file, " %s=%s", name, type_names[value]);
}

static void dump_role_t(FILE *file, const char *name, Role value)
{
    fprintf(file, " %s=%s", name, role_names[value]);
}

static void dump_place_t(FILE *file, const char *name, Place value)
{
    if (value != PLACE_BATCH)
        fprintf(file, " %s=%s", name, place_names[value]);
}

static void dump_scope_t(FILE *file, const char *name, Scope value)
{
    if (value != SCOPE_IMAGE)
        fprintf(file, " %s=%s", name, scope_names[value]);
}

static void dump_lowering_t(FILE *file, const char *name, Lowering value)
{
    if (value != LOWER_DIRECT)
        fprintf(file, " %s=%s", name, lowering_names[value]);
}

void quantiser_dump(const Quantiser *it, const char *name, FILE *file)
{
    if (it->is_image)
        fprintf(file, " %s=image:8", name);
    else if (it->quantizer != QUANT_NONE)
        fprintf(file, " %s=%s:%d", name,
                field_words(&field_rows[FIELD_quant_quantizer])[it->quantizer], it->bits);
}

#define DUMP(type, name, what) dump_##type##_t(file, #name, it->name);

static void dump_tensor(FILE *file, const Tensor *it)
{
    fprintf(file, "tensor %s", it->name);
    TENSOR_FIELDS(DUMP)
    quantiser_dump(&it->codes, "codes", file);
    fputc('\n', file);
}

void op_dump_fields(const Op *it, FILE *file)
{
    OP_FIELDS(DUMP)
    quantiser_dump(&it->own, "own", file);
    quantiser_dump(&it->bias, "bias", file);
    quantiser_dump(&it->input, "input", file);
    quantiser_dump(&it->other, "other", file);
    if (it->kernel[0])
        fprintf(file, " kernel=%s", it->kernel);
}

static void dump_op(FILE *file, const Net *net, const Op *it)
{
    fprintf(file, "op %s %s", it->name, op_info[it->kind].name);
    dump_slots(file, net, op_info[it->kind].inputs, it->in);
    fputs(" ->", file);
    dump_slots(file, net, op_info[it->kind].outputs, it->out);
    op_dump_fields(it, file);
    fprintf(file, " # %s:%d\n", it->file, it->line);
}

void net_dump(const Net *net, FILE *file)
{
    fprintf(file, "net ops=%d tensors=%d batch=%d arena_bytes=%ld\n", net->op_count,
            net->tensor_count, net->batch, net->arena_bytes);
    for (int i = 0; i < net->tensor_count; i++)
        dump_tensor(file, &net->tensors[i]);
    for (int i = 0; i < net->op_count; i++)
        dump_op(file, net, &net->ops[i]);
}

static int slot_count(const char *names)
{
    int count = *names != 0;
    for (; *names; names++)
        count += *names == ' ';
    return count;
}

static const char *op_problem(const Net *net, const Op *op, const bool *written)
{
    const OpInfo *info = &op_info[op->kind];
    for (int i = 0; i < OP_INPUTS; i++) {
        int tensor = op->in[i];
        if (tensor < NONE || tensor >= net->tensor_count)
            return "input out of range";
        if (tensor != NONE && i >= slot_count(info->inputs))
            return "input in a slot that ops.def does not name";
        if (tensor == NONE)
            continue;
        Role role = net->tensors[tensor].role;
        if ((role == ROLE_DATA || role == ROLE_ONCE || role == ROLE_PARTIAL) &&
            !written[tensor])
            return "reads a tensor before anything wrote it";
    }
    for (int i = 0; i < OP_OUTPUTS; i++) {
        int tensor = op->out[i];
        if (tensor < NONE || tensor >= net->tensor_count)
            return "output out of range";
        if (tensor != NONE && i >= slot_count(info->outputs))
            return "output in a slot that ops.def does not name";
        if (tensor != NONE && net->tensors[tensor].role == ROLE_PARAM)
            return "writes a parameter";
        bool adds = i == 0 ? op->accumulate : i == 1 && op->accumulate_residual;
        if (tensor != NONE && adds && !written[tensor])
            return "adds to a tensor that nothing wrote";
    }
    if (op->layer < 0)
        return "comes from no layer";
    return layer_name_ok(op->name) ? NULL : "has a name that is not a layer's";
}

void net_verify(const Net *net, const char *after)
{
    bool *written = rt_alloc(net->tensor_count * sizeof(bool));
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        const char *problem = op_problem(net, op, written);
        if (problem) {
            net_dump(net, stderr);
            fprintf(stderr, "after %s: op %s %s: %s\n", after, op->name,
                    op_info[op->kind].name, problem);
            abort();
        }
        for (int j = 0; j < OP_OUTPUTS; j++)
            if (op->out[j] != NONE)
                written[op->out[j]] = true;
    }
    free(written);
}
