/* prepare: for a standalone file whose arena is kept from image to image: what is made of
 * constants alone, transformed or unpacked weights, is made before the first one. Needs:
 * sequence. Sets: prepares. */
#include "gen/passes/passes.h"

/* Whether an op that prepares makes it. */
static bool is_prepared(const Net *net, int tensor)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].prepares && op_writes(&net->ops[i], tensor))
            return true;
    return false;
}

static bool reads_constants_alone(const Net *net, const Op *op)
{
    bool any = false;
    for (int i = 0; i < OP_INPUTS; i++) {
        if (op->in[i] == NONE)
            continue;
        if (net->tensors[op->in[i]].role != ROLE_PARAM && !is_prepared(net, op->in[i]))
            return false;
        any = true;
    }
    return any;
}

void pass_prepare(Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        net->ops[i].prepares = reads_constants_alone(net, &net->ops[i]);
}
