/* schedule: puts the ops in segments. As many IMAGE ops as can run image by image without
 * waiting for a sum over the batch share one parallel loop, so that what one makes the
 * next finds in the cache. Needs: select. Sets: the order of ops, segment. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <limits.h>
#include <stdlib.h>

/* Steps take turns: one for CHUNK ops, one for IMAGE ops, one for TASKS, one for BATCH.
 * The step of a loop is a multiple of SCOPES plus its scope; segments are the steps that
 * got an op, but a step of CHUNK ops and the IMAGE ops behind it are one. */
enum { SCOPES = SCOPE_BATCH + 1 };

/* The first step of this scope for an op that waits for one in step `before`. They may
 * share a loop over images if its body's order is enough (`per_image`), and ops of a
 * BATCH step run one after the other. */
static int step_after(int before, Scope scope, bool per_image)
{
    if (before == NONE)
        return scope;
    bool together = scope == SCOPE_BATCH || (scope == SCOPE_IMAGE && per_image);
    int step = before / SCOPES * SCOPES + scope;
    return step > before || (step == before && together) ? step : step + SCOPES;
}

/* The last step so far that writes a tensor, and that reads or writes it; or NONE. */
typedef struct {
    int written, used;
} Uses;

/* The op's step: it waits for who wrote what it reads, and for all who used what it
 * writes. */
static int first_step(const Net *net, const Op *op, const Uses *uses)
{
    int step = op->scope;
    for (int i = 0; i < OP_INPUTS + OP_OUTPUTS; i++) {
        bool writes = i >= OP_INPUTS;
        int tensor = writes ? op->out[i - OP_INPUTS] : op->in[i];
        if (tensor == NONE)
            continue;
        Role role = net->tensors[tensor].role;
        int before = writes ? uses[tensor].used : uses[tensor].written;
        int after =
            step_after(before, op->scope, role == ROLE_DATA || role == ROLE_LOGITS);
        step = after > step ? after : step;
    }
    return step;
}

static void note_uses(const Op *op, int step, Uses *uses)
{
    for (int i = 0; i < OP_INPUTS; i++)
        if (op->in[i] != NONE && uses[op->in[i]].used < step)
            uses[op->in[i]].used = step;
    for (int i = 0; i < OP_OUTPUTS; i++)
        if (op->out[i] != NONE) /* it waited for all other users */
            uses[op->out[i]] = (Uses){step, step};
}

/* Number the `steps` that have ops as segments, and sort the ops by them. */
static void sort_ops(Net *net, int steps)
{
    int *begin = rt_alloc((steps + 1) * sizeof(int)); /* of each step's ops */
    int *segment = rt_alloc((steps + 1) * sizeof(int));
    for (int i = 0; i < net->op_count; i++)
        begin[net->ops[i].segment + 1]++;
    for (int step = 0; step < steps; step++) {
        bool joins =
            step % SCOPES == SCOPE_CHUNK && step + 1 < steps && begin[step + 2] > 0;
        segment[step + 1] = segment[step] + (begin[step + 1] > 0 && !joins);
        begin[step + 1] += begin[step];
    }
    Op *sorted = rt_alloc(net->op_room * sizeof(Op));
    for (int i = 0; i < net->op_count; i++) {
        int step = net->ops[i].segment;
        Op *op = &sorted[begin[step]++];
        *op = net->ops[i];
        op->segment = segment[step];
    }
    net->segments = segment[steps];
    free(net->ops);
    net->ops = sorted;
    free(begin);
    free(segment);
}

/* What is made again waits for who reads it first: one loop over images makes it and uses
 * it up, and no image but the worker's own takes memory. */
static void delay(Net *net)
{
    Links links = links_of(net);
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        if (!op->again)
            continue;
        int step = INT_MAX;
        for (int j = 0; j < net_readers(&links, op->out[0]); j++) {
            const int reader = net_reader(&links, op->out[0], j)->segment;
            step = reader < step ? reader : step;
        }
        step = step / SCOPES * SCOPES + op->scope; /* not behind the reader's */
        op->segment = step > op->segment ? step : op->segment;
    }
    links_free(&links);
}

/* What is added up among processes is on its way while the backward pass goes on: what
 * reads it (TOTALS) comes last, all of it at once. The chunks' moments, which nothing
 * else waits for, go together, with the last gradients. The number of steps then. */
static int postpone(Net *net)
{
    int steps = 0, tasks = 0, last = NONE;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op_is(op, TOTALS))
            continue;
        steps = op->segment >= steps ? op->segment + 1 : steps;
        tasks = op->scope == SCOPE_TASKS && op->segment > tasks ? op->segment : tasks;
    }
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_BN_MOMENTS)
            net->ops[i].segment = tasks;
        else if (op_is(&net->ops[i], TOTALS))
            net->ops[i].segment = last = step_after(steps - 1, SCOPE_TASKS, false);
    return last == NONE ? steps : last + 1;
}

void pass_schedule(Net *net)
{
    Uses *uses = rt_alloc(net->tensor_count * sizeof(Uses));
    for (int i = 0; i < net->tensor_count; i++)
        uses[i] = (Uses){NONE, NONE};
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        op->segment = first_step(net, op, uses);
        note_uses(op, op->segment, uses);
    }
    free(uses);
    delay(net);
    sort_ops(net, postpone(net));
}
