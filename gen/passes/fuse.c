/* fuse: each run of bn, add and relu becomes one POINT, so that a pixel is read and
 * written once; its BN becomes the op that computes the affine POINT applies. Needs: the
 * ops of a config. Leaves: no BN, ADD or RELU. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

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

/* What a run of ops becomes, in the place of its last. */
typedef struct {
    bool here, folds;
    Op point, fold;
} Run;

/* Take the ops that follow op `end` as far as one POINT can do them; the last one
 * taken. */
static int take_followers(const Net *net, int end, Op *point, bool *taken)
{
    int *residual = &point->in[op_input(OP_POINT, "residual")];
    for (;;) {
        taken[end] = true;
        int next = sole_reader(net, net->ops[end].out[0]);
        if (next == NONE || taken[next] || point->relu)
            return end;
        const Op *op = &net->ops[next];
        if (op->kind == OP_ADD && *residual == NONE)
            *residual = op->in[op->in[0] == net->ops[end].out[0] ? 1 : 0];
        else if (op->kind != OP_RELU)
            return end;
        if (op->kind == OP_RELU) {
            point->relu = true;
            point->own = op->own;
        }
        end = next;
    }
}

/* The run that begins at op `head`, stored by its last op. */
static void fuse_run(const Net *net, int head, bool *taken, Run *runs)
{
    const Op *first = &net->ops[head];
    Op point = *first;
    point.kind = OP_POINT;
    point.relu = first->kind == OP_RELU;
    for (int i = 1; i < OP_INPUTS; i++)
        point.in[i] = NONE;
    if (first->kind == OP_ADD)
        point.in[op_input(OP_POINT, "residual")] = first->in[1];
    int end = take_followers(net, head, &point, taken);
    point.out[0] = net->ops[end].out[0];
    runs[end] = (Run){.here = true, .folds = first->kind == OP_BN, .point = point};
    if (!runs[end].folds)
        return;
    Op *fold = &runs[end].fold;
    *fold = *first;
    fold->kind = OP_BN_FOLD;
    fold->scope = op_info[OP_BN_FOLD].scope;
    for (int i = 0; i < 4; i++)
        fold->in[i] = first->in[i + 1]; /* x is not needed */
    fold->in[4] = NONE;
}

/* Append the run's ops, linked by the affine's coefficients. */
static void append_run(Net *fused, Run *run)
{
    if (run->folds) {
        int channels = fused->tensors[run->point.in[0]].c;
        int coef = net_add_tensor(fused, ROLE_ONCE, run->fold.name, ".coef");
        fused->tensors[coef].rank = 2;
        fused->tensors[coef].c = 2; /* scale, shift */
        fused->tensors[coef].k = channels;
        run->fold.out[0] = coef;
        run->point.in[op_input(OP_POINT, "coef")] = coef;
        net_append_op(fused, &run->fold);
    }
    net_append_op(fused, &run->point);
}

void pass_fuse(Net *net)
{
    Run *runs = rt_alloc(net->op_count * sizeof(Run)); /* by last op */
    bool *taken = rt_alloc(net->op_count);
    for (int i = 0; i < net->op_count; i++)
        if (pointwise(net->ops[i].kind) && !taken[i])
            fuse_run(net, i, taken, runs);
    Net fused = net_copy(net);
    fused.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        if (!taken[i])
            net_append_op(&fused, &net->ops[i]);
        if (runs[i].here)
            append_run(&fused, &runs[i]);
    }
    free(runs);
    free(taken);
    net_free(net);
    *net = fused;
}
