/* fold: for inference. A convolution takes in the POINT that alone reads it: its affine
 * goes into weights and a bias, its add and ReLU into the loop's end. Needs: fuse.
 * Leaves: CONV_FOLDED for each CONV, and a POINT only where there was none to fold into;
 * no BN_FOLD: the affine of such a POINT is a constant. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static int readers(const Net *net, int tensor)
{
    int count = 0;
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            count += net->ops[i].in[j] == tensor;
    return count;
}

static int producer(const Net *net, int tensor)
{
    for (int i = 0; i < net->op_count; i++)
        if (op_writes(&net->ops[i], tensor))
            return i;
    return NONE;
}

/* A parameter of the folded file, computed from the checkpoint when it is emitted. */
static int folded_param(Net *net, const char *layer, const char *suffix,
                        const Tensor *like)
{
    Tensor shape = *like;
    int index = net_add_tensor(net, ROLE_PARAM, layer, suffix);
    memcpy(shape.name, net->tensors[index].name, sizeof shape.name);
    net->tensors[index] = shape;
    return index;
}

static void to_folded(Op *op, int bias, int residual, int out, bool relu)
{
    op->kind = OP_CONV_FOLDED;
    op->scope = op_info[OP_CONV_FOLDED].scope;
    op->in[op_input(OP_CONV_FOLDED, "b")] = bias;
    op->in[op_input(OP_CONV_FOLDED, "residual")] = residual;
    op->out[0] = out;
    op->relu = relu;
}

void pass_fold(Net *net)
{
    Net folded = net_copy(net);
    folded.op_count = 0;
    bool *dropped = rt_alloc(net->op_count);
    for (int i = 0; i < net->op_count; i++) {
        Op op = net->ops[i];
        int from = op.kind == OP_POINT ? producer(net, op.in[0]) : NONE;
        if (op.kind != OP_POINT || net->ops[from].kind != OP_CONV ||
            readers(net, op.in[0]) != 1)
            continue;
        dropped[from] = true;
    }
    for (int i = 0; i < net->op_count; i++) {
        Op op = net->ops[i];
        if (op.kind == OP_BN_FOLD)
            folded.tensors[op.out[0]].role = ROLE_PARAM;
        if (dropped[i] || op.kind == OP_BN_FOLD)
            continue;
        int from = op.kind == OP_POINT ? producer(net, op.in[0]) : NONE;
        if (from != NONE && dropped[from]) {
            Op conv = net->ops[from];
            Tensor vector = {.role = ROLE_PARAM,
                             .type = TYPE_F32,
                             .rank = 1,
                             .k = net->tensors[conv.out[0]].c,
                             .param_kind = PARAM_BIAS};
            int bias = op.in[1] == NONE
                           ? NONE
                           : folded_param(&folded, conv.name, ".bias", &vector);
            to_folded(&conv, bias, op.in[2], op.out[0], op.relu);
            op = conv;
        } else if (op.kind == OP_CONV) {
            to_folded(&op, NONE, NONE, op.out[0], false);
        }
        net_append_op(&folded, &op);
    }
    free(dropped);
    net_free(net);
    *net = folded;
}
