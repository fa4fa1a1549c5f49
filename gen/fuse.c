/* fuse: each run of bn, add and relu becomes one POINT, so that a pixel is read and written
 * once; its BN becomes the op that computes the affine POINT applies.
 * Needs: the ops of a config. Leaves: no BN, ADD or RELU. */
#include "passes.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

/* The only op that reads the tensor, or NONE. */
static int sole_reader(const Net *net, int tensor)
{
    int reader = NONE;
    for (int i = 0; i < net->op_count; i++) {
        for (int j = 0; j < OP_INPUTS; j++) {
            if (net->ops[i].in[j] != tensor)
                continue;
            if (reader != NONE)
                return NONE;
            reader = i;
        }
    }
    return reader;
}

static bool pointwise(OpKind kind)
{
    return kind == OP_BN || kind == OP_ADD || kind == OP_RELU;
}

/* Turn the run that begins at op `head` into a POINT, and its BN into a BN_FOLD. */
static void fuse_run(Net *net, int head, int *end, Op *point, Op *fold)
{
    const Op *first = &net->ops[head];
    *point = *first;
    point->kind = OP_POINT;
    for (int i = 0; i < OP_INPUTS; i++)
        point->in[i] = NONE;
    point->in[op_input(OP_POINT, "x")] = first->in[0];
    bool added = first->kind == OP_ADD;
    if (added)
        point->in[op_input(OP_POINT, "residual")] = first->in[1];
    point->relu = first->kind == OP_RELU;
    *end = head;
    for (;;) {
        int next = sole_reader(net, net->ops[*end].out[0]);
        if (next == NONE || point->relu)
            break;
        const Op *op = &net->ops[next];
        if (op->kind == OP_ADD && !added) {
            bool second = op->in[1] == net->ops[*end].out[0];
            point->in[op_input(OP_POINT, "residual")] = op->in[second ? 0 : 1];
            added = true;
        } else if (op->kind == OP_RELU) {
            point->relu = true;
        } else {
            break;
        }
        *end = next;
    }
    point->out[0] = net->ops[*end].out[0];
    if (first->kind != OP_BN)
        return;
    *fold = *first;
    fold->kind = OP_BN_FOLD;
    fold->scope = op_info[OP_BN_FOLD].scope;
    for (int i = 0; i < 4; i++)
        fold->in[i] = first->in[i + 1]; /* x is not needed */
    fold->in[4] = NONE;
}

void pass_fuse(Net *net)
{
    Net fused = net_copy(net);
    fused.op_count = 0;
    int *head_of = rt_alloc(net->op_count * sizeof(int)); /* by the run's last op; 0: none */
    bool *taken = rt_alloc(net->op_count);
    for (int i = 0; i < net->op_count; i++) {
        if (!pointwise(net->ops[i].kind) || taken[i])
            continue;
        Op point, fold;
        int end;
        fuse_run(net, i, &end, &point, &fold);
        head_of[end] = i;
        for (int at = i; at != end; at = sole_reader(net, net->ops[at].out[0]))
            taken[at] = true;
        taken[end] = true;
    }
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (!taken[i])
            net_append_op(&fused, op);
        if (head_of[i] == 0)
            continue;
        const Op *head = &net->ops[head_of[i]];
        Op point, fold;
        int end;
        fuse_run(net, head_of[i], &end, &point, &fold);
        if (head->kind == OP_BN) {
            int coef = net_add_tensor(&fused, ROLE_ONCE, head->name, ".coef");
            fused.tensors[coef].rank = 2;
            fused.tensors[coef].c = 2; /* scale, shift */
            fused.tensors[coef].k = net->tensors[head->out[0]].c;
            fold.out[0] = coef;
            point.in[op_input(OP_POINT, "coef")] = coef;
            net_append_op(&fused, &fold);
        }
        net_append_op(&fused, &point);
    }
    free(head_of);
    free(taken);
    net_free(net);
    *net = fused;
}
