/* ahead: work pixel by pixel waits for memory. While convolutions of transformed tiles
 * multiply, what such ops of their loop will read of the next image comes into the
 * second-level cache. Needs: schedule. Sets: slots ahead and ahead2 of such
 * convolutions. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

/* Bytes of the next image that may lie in the cache beside this one's. */
enum { ROOM = 256 << 10 };

typedef struct {
    Net *net;
    int begin, end; /* the ops of a segment */
    long *loads;    /* by op: bytes that it fetches */
    long room;
} Ahead;

static long bytes_of(const Net *net, int tensor)
{
    return tensor_bytes(&net->tensors[tensor]);
}

/* Whether an op of begin .. end - 1 reads or writes the tensor. */
static bool is_used(const Net *net, int begin, int end, int tensor, bool writes)
{
    for (int i = begin; i < end; i++)
        if (writes ? op_writes(&net->ops[i], tensor) : op_reads(&net->ops[i], tensor))
            return true;
    return false;
}

/* The first of the op's two slots that is free, or NULL. */
static int *free_slot(Op *op)
{
    if (op->lowering != LOWER_WINOGRAD || !op_is(op, MACS))
        return NULL;
    int *slots = &op->in[op_input(op->kind, "ahead")];
    return slots[0] == NONE ? &slots[0] : slots[1] == NONE ? &slots[1] : NULL;
}

/* The convolution that has least to fetch gets this, too. */
static void fetch(Ahead *a, int tensor)
{
    const long bytes = bytes_of(a->net, tensor);
    int best = NONE;
    for (int i = a->begin; i < a->end; i++)
        if (free_slot(&a->net->ops[i]) && (best == NONE || a->loads[i] < a->loads[best]))
            best = i;
    if (best == NONE || bytes > a->room)
        return;
    *free_slot(&a->net->ops[best]) = tensor;
    a->loads[best] += bytes;
    a->room -= bytes;
}

/* What op `index` is the first in its loop to read, and no op of it makes. */
static void fetch_inputs(Ahead *a, int index)
{
    const Net *net = a->net;
    for (int j = 0; j < OP_INPUTS; j++) {
        const int t = net->ops[index].in[j];
        if (t != NONE && net->tensors[t].role == ROLE_DATA &&
            !is_used(net, a->begin, index, t, false) &&
            !is_used(net, a->begin, a->end, t, true))
            fetch(a, t);
    }
}

static void fetch_of_segment(Ahead *a)
{
    const Net *net = a->net;
    a->room = ROOM;
    for (int i = a->begin; i < a->end; i++) { /* the tiles that they read and write */
        const Op *op = &net->ops[i];
        const int x = op->in[LAYER_x], y = op->out[LAYER_y];
        if (x != NONE && !is_used(net, a->begin, a->end, x, true))
            a->loads[i] += bytes_of(net, x);
        if (y != NONE && net->tensors[y].role == ROLE_DATA)
            a->loads[i] += bytes_of(net, y);
    }
    for (int i = a->begin; i < a->end; i++)
        if (op_is(&net->ops[i], VECTORS))
            fetch_inputs(a, i);
}

void pass_ahead(Net *net)
{
    Ahead a = {.net = net, .loads = rt_alloc(net->op_count * sizeof(long))};
    for (; a.begin < net->op_count; a.begin = a.end) {
        const int segment = net->ops[a.begin].segment;
        for (a.end = a.begin; a.end < net->op_count; a.end++)
            if (net->ops[a.end].segment != segment)
                break;
        if (net->ops[a.end - 1].scope == SCOPE_IMAGE)
            fetch_of_segment(&a);
    }
    free(a.loads);
}
