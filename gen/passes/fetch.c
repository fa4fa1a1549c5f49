/* fetch: for a standalone file whose weights lie outside the address space. Each layer's
 * are copied to the arena when their turn comes, by a FETCH in front of it, or, where
 * they take several blocks of output channels, block by block by the convolution itself.
 * Needs: blocks. Sets: role and offset of what is fetched; fetched, in convolutions. */
#include "gen/passes/passes.h"

#include "runtime/kernels/quant.h"

/* The slot of an op's weights, or NONE. */
static int weights_slot(const Op *op)
{
    switch (op->kind) {
    case OP_I_CONV:
        return I_CONV_codes;
    case OP_I_UNPACK:
        return I_UNPACK_packed;
    case OP_I_DENSE:
        return I_DENSE_codes;
    case OP_CONV_FOLDED:
        return CONV_FOLDED_w;
    case OP_DENSE:
        return DENSE_w;
    default: /* of what else an op reads, the arena or the file has all */
        return NONE;
    }
}

/* A block's weights in the arena. */
static void fetch_blocks(Net *net, Op *conv, int weights)
{
    const Tensor from = net->tensors[weights];
    const int channels = op_out(net, conv, "y")->c;
    const int blocks = channels / rt_code_block(channels);
    conv->out[I_CONV_fetched] =
        net_add_array(net, ROLE_ONCE, from.type, conv->name, ".fetched", 1,
                      (int)(tensor_count(&from) / blocks));
}

/* All of a layer's, ahead of it. */
static void fetch_all(Net *net, Op *op, int slot)
{
    const int from = op->in[slot];
    op->in[slot] =
        net_add_shaped(net, ROLE_ONCE, op->name, ".fetched", &net->tensors[from]);
    Op *fetch = net_append_like(net, op, OP_FETCH);
    fetch->own = quantiser_none();
    fetch->in[FETCH_from] = from;
    fetch->out[FETCH_to] = op->in[slot];
}

static bool has_blocks(const Net *net, const Op *op)
{
    const int channels = op->kind == OP_I_CONV ? op_out(net, op, "y")->c : 0;
    return channels > 0 && op->groups == 1 && rt_code_block(channels) < channels;
}

void pass_fetch(Net *net)
{
    Net grown = net_copy(net);
    long end = 0;
    grown.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        Op op = net->ops[i];
        const int slot = weights_slot(&op), weights = slot == NONE ? NONE : op.in[slot];
        if (weights != NONE && grown.tensors[weights].role == ROLE_PARAM) {
            Tensor *far = &grown.tensors[weights];
            far->role = ROLE_FAR;
            far->offset = end;
            end += tensor_count(far) * type_bytes(far->type);
            if (has_blocks(&grown, &op))
                fetch_blocks(&grown, &op, weights);
            else
                fetch_all(&grown, &op, slot);
        }
        net_append_op(&grown, &op);
    }
    net_free(net);
    *net = grown;
}
