/* plan: where every tensor lies. Tensors that one loop over images makes and uses up get
 * memory per worker; the others share one arena by their lifetimes, the largest placed
 * first at the lowest free offset, or in an order that takes less. Needs: schedule,
 * halos. Sets: bytes, place, offset, first, last, worker_bytes, arena_bytes. */
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

static void extend_lifetime(Net *net, int tensor, int segment)
{
    if (tensor == NONE)
        return;
    Tensor *it = &net->tensors[tensor];
    if (it->first == NONE)
        it->first = segment;
    it->last = segment;
}

/* Whether an image's layers read what is made before the first one. */
static bool is_kept(const Net *net, int tensor)
{
    for (int i = 0; i < net->op_count; i++)
        if (!net->ops[i].prepares && op_reads(&net->ops[i], tensor))
            return true;
    return false;
}

/* What is kept from image to image has its place alone. */
static void keep_prepared(Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_OUTPUTS && net->ops[i].prepares; j++) {
            const int made = net->ops[i].out[j];
            if (made != NONE && is_kept(net, made)) {
                net->tensors[made].first = 0;
                net->tensors[made].last = net->segments - 1;
            }
        }
}

static void find_lifetimes(Net *net)
{
    for (int i = 0; i < net->tensor_count; i++)
        net->tensors[i].first = net->tensors[i].last = NONE;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        for (int j = 0; j < OP_INPUTS; j++)
            extend_lifetime(net, op->in[j], op->segment);
        for (int j = 0; j < OP_OUTPUTS; j++)
            extend_lifetime(net, op->out[j], op->segment);
    }
    keep_prepared(net);
}

/* Bytes the tensor takes in the arena, all copies. */
static long footprint(const Net *net, const Tensor *tensor)
{
    if (tensor->role == ROLE_PARTIAL)
        return align(tensor->bytes) * net->chunks;
    if (tensor->role == ROLE_DATA)
        return align(tensor->bytes * net->batch);
    return align(tensor->bytes);
}

/* Lay out worker tensors of each segment one behind the other; the bytes per worker. */
static long plan_workers(Net *net)
{
    long most = 0;
    long *used = rt_alloc(net->segments * sizeof(long));
    for (int i = 0; i < net->tensor_count; i++) {
        Tensor *tensor = &net->tensors[i];
        if (tensor->role != ROLE_DATA || tensor->first == NONE ||
            tensor->first != tensor->last)
            continue;
        long *end = &used[tensor->first];
        tensor->place = PLACE_WORKER;
        tensor->offset = *end;
        *end += align(tensor->bytes);
        most = *end > most ? *end : most;
    }
    free(used);
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

static void give_places(Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].in_place)
            op_out(net, &net->ops[i], "y")->offset =
                op_in(net, &net->ops[i], "residual")->offset;
}

/* What an arena tensor takes up: segments by bytes. */
typedef struct {
    int tensor, first, last;
    long offset, bytes;
} Block;

/* Larger ones first, of equals the tensor that comes first. */
static int compare_blocks(const void *a, const void *b)
{
    const Block *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes) - (x->bytes > y->bytes)
                                : x->tensor - y->tensor;
}

/* The blocks of all arena tensors that need a place of their own, in the order in which
 * they are placed; how many. */
static int list_blocks(const Net *net, Block *blocks)
{
    bool *given = rt_alloc(net->tensor_count); /* the place of a residual */
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].in_place)
            given[net->ops[i].out[I_CONV_y]] = true;
    int count = 0;
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *it = &net->tensors[i];
        if (in_arena(it) && it->place != PLACE_WORKER && it->first != NONE && !given[i])
            blocks[count++] = (Block){i, it->first, it->last, 0, footprint(net, it)};
    }
    free(given);
    qsort(blocks, count, sizeof *blocks, compare_blocks);
    return count;
}

/* Put the block at the lowest offset from `base` that is free of the placed ones, which
 * lie in order of their offsets; it becomes one of them. */
static void place_block(Block *placed, int count, Block *block, long base)
{
    block->offset = base;
    for (int i = 0; i < count; i++) {
        const Block *it = &placed[i];
        if (it->offset >= block->offset + block->bytes)
            break;
        long end = it->offset + it->bytes;
        if (it->first <= block->last && block->first <= it->last && end > block->offset)
            block->offset = end;
    }
    int at = count;
    for (; at > 0 && placed[at - 1].offset > block->offset; at--)
        placed[at] = placed[at - 1];
    placed[at] = *block;
}

/* Place the blocks in this order, with `placed` for room; their end, and the
 * block there. */
static long place_blocks(Block *blocks, Block *placed, int count, long base, int *last)
{
    long end = base;
    *last = 0;
    for (int i = 0; i < count; i++) {
        place_block(placed, i, &blocks[i], base);
        long top = blocks[i].offset + blocks[i].bytes;
        *last = top > end ? i : *last;
        end = top > end ? top : end;
    }
    return end;
}

static void move_block(Block *blocks, int from, int to)
{
    const Block moved = blocks[from];
    for (; from < to; from++)
        blocks[from] = blocks[from + 1];
    for (; from > to; from--)
        blocks[from] = blocks[from - 1];
    blocks[to] = moved;
}

/* The better order that comes of one block, in use while the last one is, taking its turn
 * earlier or later; false: there is none. */
static bool improve_order(Block *blocks, Block *placed, int count, long base)
{
    int last, unused, best_from = 0, best_to = 0;
    long end = place_blocks(blocks, placed, count, base, &last), best = end;
    const Block high = blocks[last];
    for (int from = 0; from < count; from++) {
        if (blocks[from].first > high.last || high.first > blocks[from].last)
            continue;
        for (int to = 0; to < count; to++) {
            move_block(blocks, from, to);
            long here = place_blocks(blocks, placed, count, base, &unused);
            move_block(blocks, to, from);
            if (here < best) {
                best = here;
                best_from = from;
                best_to = to;
            }
        }
    }
    move_block(blocks, best_from, best_to);
    return best < end;
}

/* Place all arena tensors; the arena's end. Where an image takes little memory, every
 * byte counts, and there are few tensors: better orders than by size are looked for. */
static long plan_arena(Net *net, long base)
{
    enum { FEW = 100 };
    Block *blocks = rt_alloc(net->tensor_count * sizeof(Block));
    Block *placed = rt_alloc(net->tensor_count * sizeof(Block));
    int count = list_blocks(net, blocks), last;
    long least, end = place_blocks(blocks, placed, count, base, &last);
    plan_peak(net, &least);
    while (net->batch == 1 && count <= FEW && end > base + least &&
           improve_order(blocks, placed, count, base))
        end = place_blocks(blocks, placed, count, base, &last);
    for (int i = 0; i < count; i++)
        net->tensors[blocks[i].tensor].offset = blocks[i].offset;
    free(blocks);
    free(placed);
    return end;
}

void plan_lives(Net *net, int batch)
{
    net->batch = batch;
    for (int i = 0; i < net->tensor_count; i++) {
        Tensor *tensor = &net->tensors[i];
        tensor->bytes = tensor_bytes(tensor);
        tensor->place = PLACE_BATCH;
    }
    find_lifetimes(net);
    share_places(net);
}

void pass_plan(Net *net, int batch)
{
    plan_lives(net, batch);
    net->worker_bytes = plan_workers(net);
    net->arena_bytes = plan_arena(net, net->worker_bytes * net_workers(net));
    give_places(net);
}

const Op *plan_peak(const Net *net, long *bytes)
{
    const Op *peak = net->ops;
    Block *blocks = rt_alloc(net->tensor_count * sizeof(Block));
    int count = list_blocks(net, blocks);
    *bytes = 0;
    for (int i = 0; i < net->op_count; i++) {
        long used = 0;
        for (int b = 0; b < count; b++)
            if (blocks[b].first <= net->ops[i].segment &&
                net->ops[i].segment <= blocks[b].last)
                used += blocks[b].bytes;
        if (used > *bytes) {
            *bytes = used;
            peak = &net->ops[i];
        }
    }
    free(blocks);
    return peak;
}
