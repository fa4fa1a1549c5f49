/* sequence: for one image. Every op is a segment of its own, in order; a convolution may
 * put its codes where its residual lay. Needs: select. Sets: segment, in_place, the
 * kernel's name. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* Whether the op may write its codes over its residual's, which nothing reads later:
 * `readers` has each tensor's last one. */
static bool can_take_place(const Net *net, int index, const int *readers)
{
    const Op *op = &net->ops[index];
    if ((op->kind != OP_I_CONV && op->kind != OP_I_WINOGRAD) ||
        op_in(net, op, "residual") == NULL)
        return false;
    int residual = op->in[I_CONV_residual];
    const Tensor *from = &net->tensors[residual], *to = op_out(net, op, "y");
    return from->type == TYPE_U8 && from->cs == from->c &&
           tensor_padded_count(from) == tensor_padded_count(to) && from->top == to->top &&
           from->left == to->left && readers[residual] <= index;
}

void pass_sequence(Net *net)
{
    int *readers = rt_alloc(net->tensor_count * sizeof(int));
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (net->ops[i].in[j] != NONE)
                readers[net->ops[i].in[j]] = i;
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        op->segment = i;
        op->in_place = can_take_place(net, i, readers);
        size_t end = strlen(op->kernel);
        if (op->in_place)
            snprintf(op->kernel + end, sizeof op->kernel - end, "_here");
    }
    net->segments = net->op_count;
    free(readers);
}
