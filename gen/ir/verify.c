/* What must hold after each pass; what does not is a bug of ours, never the user's. */
#include "gen/ir/ir.h"

#include "runtime/base/support.h"

#include <stdlib.h>

static int slot_count(const char *const *names)
{
    int count = 0;
    while (names[count])
        count++;
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
    return layer_name_ok(op->name, NAME_SIZE - 1) ? NULL
                                                  : "has a name that is not a layer's";
}

static _Noreturn void stop(const Net *net, const Op *op, const char *where,
                           const char *problem)
{
    net_dump(net, stderr);
    fprintf(stderr, "%s: op %s %s: %s\n", where, op->name, op_info[op->kind].name,
            problem);
    abort();
}

void op_unhandled(const Net *net, const Op *op, const char *pass)
{
    stop(net, op, pass, "is of a kind that this does not handle");
}

void net_verify(const Net *net, const char *after)
{
    bool *written = rt_alloc(net->tensor_count * sizeof(bool));
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        const char *problem = op_problem(net, op, written);
        if (problem)
            stop(net, op, after, problem);
        for (int j = 0; j < OP_OUTPUTS; j++)
            if (op->out[j] != NONE)
                written[op->out[j]] = true;
    }
    free(written);
}
