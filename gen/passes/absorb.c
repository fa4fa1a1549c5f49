/* Part of select: batch normalisation's sums of what a convolution of transformed tiles
 * puts out, forward and backward, are made while the tiles are written, and no pass over
 * memory is left of them. */
#include "gen/passes/winograd.h"

#include "gen/ir/links.h"
#include "runtime/base/support.h"

#include <stdlib.h>

typedef struct {
    Net *net;
    Links links;
    bool *gone; /* by op: a convolution does its work */
} Absorbing;

static bool by_tiles(const Op *op, OpKind kind)
{
    return op->kind == kind && op->lowering == LOWER_WINOGRAD;
}

/* The last op before `index` that reads or writes the tensor; or NONE. */
static int last_user(const Net *net, int index, int tensor)
{
    do
        index--;
    while (index >= 0 && !op_reads(&net->ops[index], tensor) &&
           !op_writes(&net->ops[index], tensor));
    return index;
}

/* Sums of a convolution's output are put out with it. */
static void absorb_statistics(Absorbing *a, int index)
{
    const Op *sums = &a->net->ops[index];
    const int by = last_user(a->net, index, sums->in[BN_STATS_x]);
    Op *conv = by == NONE ? NULL : &a->net->ops[by];
    if (conv == NULL || !by_tiles(conv, OP_CONV))
        return;
    conv->out[CONV_partial] = sums->out[BN_STATS_partial];
    a->gone[index] = true;
}

/* Whether an earlier op than this writes what is read there, if anything is. */
static bool made_before(const Absorbing *a, int index, int tensor)
{
    const Op *op = tensor == NONE ? NULL : net_writer(&a->links, tensor);
    return op == NULL || op - a->net->ops < index;
}

/* The same backward, by the op that makes the gradient complete. */
static void absorb_gradient_sums(Absorbing *a, int index)
{
    const Op *sums = &a->net->ops[index];
    const int by = last_user(a->net, index, sums->in[POINT_SUMS_dy]);
    Op *conv = by == NONE ? NULL : &a->net->ops[by];
    if (conv == NULL || !by_tiles(conv, OP_CONV_BWD_INPUT) ||
        sums->in[POINT_SUMS_saved] == NONE ||
        !made_before(a, by, sums->in[POINT_SUMS_y]))
        return;
    conv->in[CONV_BWD_INPUT_y] = sums->in[POINT_SUMS_y];
    conv->in[CONV_BWD_INPUT_x] = sums->in[POINT_SUMS_x];
    conv->in[CONV_BWD_INPUT_saved] = sums->in[POINT_SUMS_saved];
    conv->out[CONV_BWD_INPUT_partial] = sums->out[POINT_SUMS_partial];
    op_activate(conv, sums);
    a->gone[index] = true;
}

void winograd_absorb(Net *net)
{
    Absorbing a = {net, links_of(net), rt_alloc(net->op_count * sizeof(bool))};
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_BN_STATS)
            absorb_statistics(&a, i);
        else if (net->ops[i].kind == OP_POINT_SUMS)
            absorb_gradient_sums(&a, i);
    links_free(&a.links);
    int kept = 0;
    for (int i = 0; i < net->op_count; i++)
        if (!a.gone[i])
            net->ops[kept++] = net->ops[i];
    net->op_count = kept;
    free(a.gone);
}
