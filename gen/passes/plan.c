/* plan: where every tensor lies. Tensors that one loop over images makes and uses up get
 * memory per worker; the others share one arena by their lifetimes, the largest placed
 * first at the lowest free offset. Needs: schedule, halos. Sets: bytes, place, offset,
 * first, last, worker_bytes, arena_bytes. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

enum { ALIGN = 64 };

static long align(long bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool in_arena(const Tensor *tensor)
{
    return tensor->role == ROLE_DATA || tensor->role == ROLE_ONCE ||
           tensor->role == ROLE_PARTIAL;
}

static void find_lifetimes(Net *net)
{
    for (int i = 0; i < net->tensor_count; i++)
        net->tensors[i].first = net->tensors[i].last = NONE;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        for (int t = 0; t < net->tensor_count; t++) {
            Tensor *tensor = &net->tensors[t];
            if (!op_reads(op, t) && !op_writes(op, t))
                continue;
            if (tensor->first == NONE)
                tensor->first = op->segment;
            tensor->last = op->segment;
        }
    }
}

/* Bytes the tensor takes in the arena, all copies. */
static long footprint(const Net *net, const Tensor *tensor)
{
    if (tensor->role == ROLE_PARTIAL)
        return align(tensor->bytes) * RT_CHUNKS;
    if (tensor->role == ROLE_DATA)
        return align(tensor->bytes * net->batch);
    return align(tensor->bytes);
}

/* Lay out worker tensors of each segment one behind the other; the bytes per worker. */
static long plan_workers(Net *net)
{
    long most = 0;
    for (int segment = 0; segment < net->segments; segment++) {
        long used = 0;
        for (int i = 0; i < net->tensor_count; i++) {
            Tensor *tensor = &net->tensors[i];
            if (tensor->role != ROLE_DATA || tensor->first != segment ||
                tensor->last != segment)
                continue;
            tensor->place = PLACE_WORKER;
            tensor->offset = used;
            used += align(tensor->bytes);
        }
        most = used > most ? used : most;
    }
    return most;
}

/* A residual whose place the output takes lives on as long as that. */
static void share_places(Net *net)
{
    for (int i = net->op_count - 1; i >= 0; i--) {
        const Op *op = &net->ops[i];
        if (op->in_place)
            op_in(net, op, "residual")->last = op_out(net, op, "y")->last;
    }
}

static bool takes_place(const Net *net, int tensor)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].in_place && net->ops[i].out[0] == tensor)
            return true;
    return false;
}

static void give_places(Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].in_place)
            op_out(net, &net->ops[i], "y")->offset =
                op_in(net, &net->ops[i], "residual")->offset;
}

static bool overlap(const Tensor *a, const Tensor *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at or above `base` free of the `placed` tensors that live as long. */
static long lowest_gap(const Net *net, const int *placed, int count, const Tensor *tensor,
                       long base)
{
    long offset = base;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < count; i++) {
            const Tensor *other = &net->tensors[placed[i]];
            long end = other->offset + footprint(net, other);
            if (overlap(tensor, other) && offset < end &&
                other->offset < offset + footprint(net, tensor)) {
                offset = end;
                moved = true;
            }
        }
    }
    return offset;
}

/* The unplaced arena tensor with the largest footprint, the first of equals; or NONE. */
static int largest(const Net *net, const bool *done)
{
    int best = NONE;
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *tensor = &net->tensors[i];
        if (done[i] || !in_arena(tensor) || tensor->place == PLACE_WORKER ||
            tensor->first == NONE || takes_place(net, i))
            continue;
        if (best == NONE || footprint(net, tensor) > footprint(net, &net->tensors[best]))
            best = i;
    }
    return best;
}

void pass_plan(Net *net, int batch)
{
    net->batch = batch;
    for (int i = 0; i < net->tensor_count; i++) {
        Tensor *tensor = &net->tensors[i];
        tensor->bytes = tensor_padded_count(tensor) * type_bytes(tensor->type);
        tensor->place = PLACE_BATCH;
    }
    find_lifetimes(net);
    share_places(net);
    net->worker_bytes = plan_workers(net);
    long end = net->worker_bytes * RT_CHUNKS, base = end;
    int *placed = rt_alloc(net->tensor_count * sizeof(int));
    bool *done = rt_alloc(net->tensor_count);
    int count = 0;
    for (int i; (i = largest(net, done)) != NONE; placed[count++] = i) {
        Tensor *tensor = &net->tensors[i];
        tensor->offset = lowest_gap(net, placed, count, tensor, base);
        done[i] = true;
        long top = tensor->offset + footprint(net, tensor);
        end = top > end ? top : end;
    }
    give_places(net);
    free(placed);
    free(done);
    net->arena_bytes = end;
}
