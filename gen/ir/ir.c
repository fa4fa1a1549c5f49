/* The Net: growing it, asking it. Dumping it: dump.c, checking it: verify.c. */
#include "gen/ir/ir.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

const Tensor *net_pixels(const Net *net)
{
    return &net->tensors[net->ops[0].in[IMAGE_pixels]];
}

bool layer_name_ok(const char *name, int most)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[length] == 0 && length >= 1 && length <= (size_t)most && name[0] >= 'a' &&
           name[0] <= 'z';
}

void name_behind(char to[NAME_SIZE], const char *name, const char *more)
{
    int length = snprintf(to, NAME_SIZE, "%s%s", name, more);
    assert(length < NAME_SIZE);
    (void)length;
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
    op->own = op->bias = op->input = op->other = quantiser_none();
    snprintf(op->name, sizeof op->name, "%s", name);
    rt_show(file, op->file, sizeof op->file);
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

Op op_like(const Op *like, OpKind kind)
{
    Op op = *like;
    op.kind = kind;
    op.scope = op_info[kind].scope;
    op.tasks = op.scope == SCOPE_TASKS;
    op.macs = op_is(&op, MACS) ? op.macs : 0;
    for (int i = 0; i < OP_INPUTS; i++)
        op.in[i] = NONE;
    for (int i = 0; i < OP_OUTPUTS; i++)
        op.out[i] = NONE;
    return op;
}

Op *net_append_like(Net *net, const Op *like, OpKind kind)
{
    Op op = op_like(like, kind);
    int index = net_append_op(net, &op); /* may move the ops */
    return &net->ops[index];
}

Op *net_insert_like(Net *net, int index, OpKind kind)
{
    const Op op = op_like(&net->ops[index], kind);
    const int last = net_append_op(net, &op);
    memmove(&net->ops[index + 1], &net->ops[index], (last - index) * sizeof(Op));
    net->ops[index] = op;
    return &net->ops[index];
}

/* What a layer puts out has its name. */
static bool is_layer(const Net *net, const char *name)
{
    for (int i = 0; i < net->tensor_count; i++)
        if (strcmp(net->tensors[i].name, name) == 0)
            return true;
    return false;
}

void op_rename(const Net *net, Op *op, const char *more)
{
    char name[NAME_SIZE], longer[NAME_SIZE];
    for (name_behind(name, op->name, more); is_layer(net, name);
         memcpy(name, longer, sizeof name))
        name_behind(longer, name, "_");
    memcpy(op->name, name, sizeof name);
}

void op_activate(Op *op, const Op *like)
{
    op->relu = like->relu;
    op->ceiling = like->ceiling;
    op->slope = like->slope;
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
                       .codes = quantiser_none()};
    name_behind(tensor->name, name, suffix);
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

int net_add_shaped(Net *net, Role role, const char *name, const char *suffix,
                   const Tensor *shape)
{
    const Tensor like = *shape; /* which may be of an array that grows */
    int index = net_add_tensor(net, role, name, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->type = like.type;
    tensor->rank = like.rank;
    tensor->h = like.h;
    tensor->w = like.w;
    tensor->c = like.c;
    tensor->k = like.k;
    return index;
}

int net_add_array(Net *net, Role role, Type type, const char *name, const char *suffix,
                  int c, int k)
{
    int index = net_add_tensor(net, role, name, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->type = type;
    tensor->rank = 2;
    tensor->c = c;
    tensor->k = k;
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
    static const int bytes[] = {
#define BYTES(name, word, bytes) bytes,
        TYPES(BYTES)
#undef BYTES
    };
    return bytes[type];
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

long tensor_bytes(const Tensor *tensor)
{
    return tensor_padded_count(tensor) * type_bytes(tensor->type);
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
        if (net->ops[i].own.quantizer != RT_QUANT_NONE)
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
