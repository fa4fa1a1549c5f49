/* blocks: for a standalone file; a convolution whose packed weights take several blocks
 * of output channels unpacks and uses them block by block, so that one of them has to lie
 * in memory, not all. Needs: integer. Sets: codes, which are packed then, unpacked and
 * packed_bits, in the place of an I_UNPACK. */
#include "gen/passes/passes.h"

#include "runtime/kernels/quant.h"

#include <string.h>

static void remove_op(Net *net, int index)
{
    net->op_count--;
    memmove(&net->ops[index], &net->ops[index + 1],
            (net->op_count - index) * sizeof *net->ops);
}

/* The convolution that alone reads the codes, or NULL. */
static Op *reader_of(Net *net, int codes)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_I_CONV && net->ops[i].in[I_CONV_codes] == codes)
            return &net->ops[i];
    return NULL;
}

void pass_blocks(Net *net)
{
    for (int i = net->op_count - 1; i >= 0; i--) {
        if (net->ops[i].kind != OP_I_UNPACK)
            continue;
        const Op unpack = net->ops[i];
        int codes = unpack.out[I_UNPACK_codes];
        Tensor *words = &net->tensors[codes];
        Op *conv = reader_of(net, codes);
        if (conv == NULL || conv->groups > 1 || rt_code_block(words->k) == words->k)
            continue;
        words->k = rt_code_block(words->k);
        conv->in[I_CONV_codes] = unpack.in[I_UNPACK_packed];
        conv->out[I_CONV_unpacked] = codes;
        conv->packed_bits = unpack.own.bits;
        remove_op(net, i);
    }
}
