/* Bytes that ops move: see cost.h. */
#include "gen/ir/cost.h"

/* Of one tensor. Unpacking goes through all weights for each image. */
static long bytes_of(const Net *net, const Op *op, const Tensor *tensor)
{
    bool shared = op->scope == SCOPE_IMAGE && op->kind != OP_I_UNPACK;
    long bytes = tensor_count(tensor) * type_bytes(tensor->type);
    switch (tensor->role) {
    case ROLE_PIXELS:
    case ROLE_LOGITS:
    case ROLE_DATA:
        return bytes;
    case ROLE_PARTIAL:
        return shared ? 0 : tensor->bytes * net->chunks;
    default:
        return shared ? 0 : bytes;
    }
}

long op_traffic(const Net *net, const Op *op)
{
    long bytes = 0;
    for (int i = 0; i < OP_INPUTS; i++)
        if (op->in[i] != NONE)
            bytes += bytes_of(net, op, &net->tensors[op->in[i]]);
    const bool adds[OP_OUTPUTS] = {op->accumulate, op->accumulate_residual};
    for (int i = 0; i < OP_OUTPUTS; i++)
        if (op->out[i] != NONE)
            bytes += bytes_of(net, op, &net->tensors[op->out[i]]) * (adds[i] ? 2 : 1);
    return bytes;
}
