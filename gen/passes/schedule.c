/* schedule: puts the ops in segments. As many IMAGE ops as can run image by image without
 * waiting for a sum over the batch share one parallel loop, so that what one makes the
 * next finds in the cache. Needs: select. Sets: the order of ops, segment. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* Whether `later` must wait for `earlier`, and whether within a loop over images that is
 * given by the order of its body. */
static bool depends(const Net *net, const Op *earlier, const Op *later, bool *per_image)
{
    bool waits = false;
    *per_image = earlier->scope == SCOPE_IMAGE && later->scope == SCOPE_IMAGE;
    for (int i = 0; i < OP_INPUTS + OP_OUTPUTS; i++) {
        bool written = i >= OP_INPUTS;
        int tensor = written ? earlier->out[i - OP_INPUTS] : earlier->in[i];
        if (tensor == NONE ||
            !(op_writes(later, tensor) || (written && op_reads(later, tensor))))
            continue;
        waits = true;
        Role role = net->tensors[tensor].role;
        *per_image = *per_image && (role == ROLE_DATA || role == ROLE_LOGITS);
    }
    return waits;
}

/* For each op the ops it waits for, as a flat matrix: 0 no, 1 same loop is fine, 2
 * not. */
static char *dependences(const Net *net)
{
    int n = net->op_count;
    char *matrix = rt_alloc((size_t)n * n);
    for (int later = 0; later < n; later++) {
        for (int earlier = 0; earlier < later; earlier++) {
            bool per_image;
            if (depends(net, &net->ops[earlier], &net->ops[later], &per_image))
                matrix[(size_t)later * n + earlier] = per_image ? 1 : 2;
        }
    }
    return matrix;
}

static bool ready(const Net *net, const char *matrix, int op, int segment)
{
    for (int i = 0; i < op; i++) {
        char waits = matrix[(size_t)op * net->op_count + i];
        int at = net->ops[i].segment;
        if (waits && (at == NONE || (waits == 2 && at == segment)))
            return false;
    }
    return true;
}

/* Put every ready op of this scope in the segment. BATCH ops run one after the other, so
 * they may wait for each other. */
static bool fill(Net *net, const char *matrix, Scope scope, int segment)
{
    bool any = false;
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        int limit = scope == SCOPE_BATCH ? segment + 1 : segment;
        if (op->segment != NONE || op->scope != scope || !ready(net, matrix, i, limit))
            continue;
        op->segment = segment;
        any = true;
    }
    return any;
}

void pass_schedule(Net *net)
{
    char *matrix = dependences(net);
    for (int i = 0; i < net->op_count; i++)
        net->ops[i].segment = NONE;
    int segment = 0;
    for (bool any = true; any;) {
        any = false;
        for (int scope = SCOPE_IMAGE; scope <= SCOPE_BATCH; scope++) {
            bool filled = fill(net, matrix, scope, segment);
            any = any || filled;
            segment += filled;
        }
    }
    free(matrix);
    net->segments = segment;
    Op *sorted = rt_alloc(net->op_room * sizeof(Op));
    int count = 0;
    for (int s = 0; s < segment; s++)
        for (int i = 0; i < net->op_count; i++)
            if (net->ops[i].segment == s)
                sorted[count++] = net->ops[i];
    free(net->ops);
    net->ops = sorted;
}

/* Whether the op may write its codes over its residual's, which nothing reads later. */
static bool can_take_place(const Net *net, int index)
{
    const Op *op = &net->ops[index];
    if (op->kind != OP_I_CONV || op_in(net, op, "residual") == NULL)
        return false;
    int residual = op->in[op_input(OP_I_CONV, "residual")];
    const Tensor *from = &net->tensors[residual], *to = op_out(net, op, "y");
    if (from->type != TYPE_U8 || from->cs != from->c ||
        tensor_padded_count(from) != tensor_padded_count(to) || from->top != to->top ||
        from->left != to->left)
        return false;
    for (int i = index + 1; i < net->op_count; i++)
        if (op_reads(&net->ops[i], residual))
            return false;
    return true;
}

void pass_sequence(Net *net)
{
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        op->segment = i;
        op->in_place = can_take_place(net, i);
        size_t end = strlen(op->kernel);
        if (op->in_place)
            snprintf(op->kernel + end, sizeof op->kernel - end, "_here");
    }
    net->segments = net->op_count;
}
