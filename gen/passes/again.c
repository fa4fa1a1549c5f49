/* again: what batch normalisation and an activation make of a convolution's output is
 * made once more for the backward pass, which reads that output anyway, instead of being
 * kept: a loop over images then makes it and uses it up in its worker's memory, in both
 * passes. What a residual is added to would need that, too, and is kept. Needs: grad.
 * Leaves: a second POINT ahead of the first backward op that reads what the first
 * made. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

static bool is_cheap(const Links *links, const Op *op)
{
    if (op == NULL || op->kind != OP_POINT || op->in[POINT_residual] != NONE ||
        op->in[POINT_coef] == NONE)
        return false;
    const Op *affine = net_writer(links, op->in[POINT_coef]);
    return affine && affine->kind == OP_BN_FINISH;
}

/* The op once more; the tensor it writes. */
static int append_again(Net *grown, Op op)
{
    const Tensor like = grown->tensors[op.out[POINT_y]];
    op.again = true;
    op_rename(grown, &op, "_again");
    op.out[POINT_y] = net_add_data(grown, like.name, ".again", like.h, like.w, like.c);
    net_append_op(grown, &op);
    return op.out[POINT_y];
}

void pass_again(Net *net)
{
    const int tensors = net->tensor_count;
    Links links = links_of(net);
    int *made = rt_alloc(tensors * sizeof(int)); /* by tensor: what takes its place */
    for (int t = 0; t < tensors; t++)
        made[t] = NONE;
    Net grown = net_copy(net);
    grown.op_count = 0;
    bool forward = true;
    for (int i = 0; i < net->op_count; i++) {
        Op op = net->ops[i];
        forward = forward && op.kind != OP_LOSS;
        for (int j = 0; j < OP_INPUTS; j++) {
            const int t = op.in[j];
            if (forward || t == NONE || !is_cheap(&links, net_writer(&links, t)))
                continue;
            if (made[t] == NONE)
                made[t] = append_again(&grown, *net_writer(&links, t));
            op.in[j] = made[t];
        }
        net_append_op(&grown, &op);
    }
    links_free(&links);
    free(made);
    net_free(net);
    *net = grown;
}
