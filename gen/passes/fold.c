/* fold: for inference. A convolution takes in the POINT that alone reads it: its affine
 * goes into weights and a bias, its add and ReLU into the loop's end. Needs: fuse.
 * Leaves: CONV_FOLDED for each CONV, and a POINT only where there was none to fold into;
 * no BN_FOLD: the affine of such a POINT is a constant. Every other op as it was. */
#include "gen/passes/passes.h"

const Op *fold_conv(const Links *links, const Op *op)
{
    if (op->kind != OP_POINT || net_readers(links, op->in[POINT_x]) != 1)
        return NULL;
    const Op *conv = net_writer(links, op->in[POINT_x]);
    return conv->kind == OP_CONV ? conv : NULL;
}

/* The POINT that the convolution takes in, or NULL. */
static const Op *fold_point(const Links *links, const Op *conv)
{
    int y = conv->out[CONV_y];
    const Op *reader = net_readers(links, y) == 1 ? net_reader(links, y, 0) : NULL;
    return reader && fold_conv(links, reader) == conv ? reader : NULL;
}

/* A parameter of the folded file, computed from the checkpoint when it is emitted; it
 * takes the place of a bias of the convolution's own. */
static int add_bias(Net *folded, const Op *conv, const Op *fold)
{
    if (fold->in[BN_FOLD_bias] != NONE)
        return fold->in[BN_FOLD_bias];
    int index = net_add_tensor(folded, ROLE_PARAM, conv->name, ".bias");
    Tensor *bias = &folded->tensors[index];
    bias->rank = 1;
    bias->k = folded->tensors[conv->out[CONV_y]].c;
    bias->param_kind = PARAM_BIAS;
    return index;
}

/* `point` is what the convolution takes in, or NULL. */
static void append_folded(Net *folded, const Links *links, const Op *conv,
                          const Op *point)
{
    Op op = op_like(conv, OP_CONV_FOLDED);
    op.in[CONV_FOLDED_x] = conv->in[CONV_x];
    op.in[CONV_FOLDED_w] = conv->in[CONV_w];
    op.out[CONV_FOLDED_y] = conv->out[CONV_y];
    if (point) {
        if (point->in[POINT_coef] != NONE)
            op.in[CONV_FOLDED_b] =
                add_bias(folded, conv, net_writer(links, point->in[POINT_coef]));
        op.in[CONV_FOLDED_residual] = point->in[POINT_residual];
        op.out[CONV_FOLDED_y] = point->out[POINT_y];
        op_activate(&op, point);
    }
    net_append_op(folded, &op);
}

void pass_fold(Net *net)
{
    Links links = links_of(net);
    Net folded = net_copy(net);
    folded.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i], *conv = fold_conv(&links, op);
        if (conv) /* here, where its residual is there, too */
            append_folded(&folded, &links, conv, op);
        else if (op->kind == OP_CONV && !fold_point(&links, op))
            append_folded(&folded, &links, op, NULL);
        else if (op->kind == OP_BN_FOLD)
            folded.tensors[op->out[BN_FOLD_coef]].role = ROLE_PARAM;
        else if (op->kind != OP_CONV)
            net_append_op(&folded, op);
    }
    links_free(&links);
    net_free(net);
    *net = folded;
}
