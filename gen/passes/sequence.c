/* sequence: for one image. Every op is a segment of its own, in order, or one with the
 * next op, within whose loop it runs; a convolution may put its codes where its residual
 * lay. Needs: select. Sets: segment, in_place. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

/* The last op that reads each tensor; free() it. */
static int *last_readers(const Net *net)
{
    int *readers = rt_alloc(net->tensor_count * sizeof(int));
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (net->ops[i].in[j] != NONE)
                readers[net->ops[i].in[j]] = i;
    return readers;
}

/* Whether the op may write its codes over its residual's, which nothing reads later, nor
 * it itself but to add them, once both have one halo. */
static bool fits_place(const Net *net, int index, const int *readers)
{
    const Op *op = &net->ops[index];
    if ((op->kind != OP_I_CONV && op->kind != OP_I_WINOGRAD) ||
        op_in(net, op, "residual") == NULL)
        return false;
    int residual = op->in[I_CONV_residual];
    const Tensor *from = &net->tensors[residual];
    return from->type == TYPE_U8 && from->cs == from->c && residual != op->in[I_CONV_x] &&
           readers[residual] <= index;
}

static bool same_halo(const Tensor *a, const Tensor *b)
{
    return a->top == b->top && a->left == b->left && a->bottom == b->bottom &&
           a->right == b->right;
}

static void share_halo(Tensor *a, Tensor *b)
{
    want_halo(a, b->top, b->left, b->bottom, b->right);
    want_halo(b, a->top, a->left, a->bottom, a->right);
}

bool sequence_widen(Net *net, int index)
{
    int *readers = last_readers(net);
    Op *op = &net->ops[index];
    bool widens = !op->in_place && fits_place(net, index, readers);
    op->in_place = op->in_place || widens;
    for (bool same = !widens; !same;) { /* op after op, what lies in one place */
        same = true;
        for (int i = 0; i < net->op_count; i++) {
            op = &net->ops[i];
            if (!op->in_place)
                continue;
            Tensor *from = op_in(net, op, "residual"), *to = op_out(net, op, "y");
            same = same && same_halo(from, to);
            share_halo(from, to);
        }
    }
    free(readers);
    return widens;
}

void pass_sequence(Net *net)
{
    int *readers = last_readers(net);
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        op->segment = op->within ? i + 1 : i;
        op->in_place = fits_place(net, i, readers) &&
                       same_halo(op_in(net, op, "residual"), op_out(net, op, "y"));
    }
    net->segments = net->op_count;
    free(readers);
}
