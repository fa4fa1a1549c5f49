/* fuse: each run of bn, add and relu becomes one POINT, so that a pixel is read and
 * written once; its BN becomes the op that computes the affine POINT applies. Needs: the
 * ops of a config. Leaves: no BN, ADD or RELU; every other op as it was. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

static bool pointwise(const Op *op)
{
    return op->kind == OP_BN || op->kind == OP_ADD || op->kind == OP_RELU;
}

/* What a run of ops becomes, in the place of its last. */
typedef struct {
    bool here, folds;
    Op point, fold;
} Run;

typedef struct {
    const Net *net;
    Links links;
    bool *taken; /* by op */
    Run *runs;   /* by their last op */
} Fusing;

/* Take the ops that follow op `end` as far as one POINT can do them; the last one
 * taken. */
static int take_followers(Fusing *f, int end, Op *point)
{
    int *residual = &point->in[POINT_residual];
    for (;;) {
        f->taken[end] = true;
        int y = f->net->ops[end].out[LAYER_y];
        if (net_readers(&f->links, y) != 1 || point->relu)
            return end;
        const Op *op = net_reader(&f->links, y, 0);
        int next = (int)(op - f->net->ops);
        if (f->taken[next])
            return end;
        if (op->kind == OP_ADD && *residual == NONE)
            *residual = op->in[op->in[ADD_x] == y ? ADD_residual : ADD_x];
        else if (op->kind != OP_RELU)
            return end;
        if (op->kind == OP_RELU)
            point->relu = true;
        point->own = op->own;
        end = next;
    }
}

/* The run that begins at op `head`. */
static void fuse_run(Fusing *f, int head)
{
    const Op *first = &f->net->ops[head];
    Op point = op_like(first, OP_POINT);
    point.relu = first->kind == OP_RELU;
    point.in[POINT_x] = first->in[LAYER_x];
    if (first->kind == OP_ADD)
        point.in[POINT_residual] = first->in[ADD_residual];
    int end = take_followers(f, head, &point);
    point.out[POINT_y] = f->net->ops[end].out[LAYER_y];
    f->runs[end] = (Run){.here = true, .point = point};
    if (first->kind != OP_BN)
        return;
    Op fold = op_like(first, OP_BN_FOLD);
    fold.in[BN_FOLD_scale] = first->in[BN_scale];
    fold.in[BN_FOLD_shift] = first->in[BN_shift];
    fold.in[BN_FOLD_mean] = first->in[BN_mean];
    fold.in[BN_FOLD_var] = first->in[BN_var];
    f->runs[end].folds = true;
    f->runs[end].fold = fold;
}

/* Append the run's ops, linked by the affine's coefficients: scale, shift. */
static void append_run(Net *fused, Run *run)
{
    if (run->folds) {
        int channels = fused->tensors[run->point.in[POINT_x]].c;
        int coef = net_add_array(fused, ROLE_ONCE, TYPE_F32, run->fold.name, ".coef", 2,
                                 channels);
        run->fold.out[BN_FOLD_coef] = coef;
        run->point.in[POINT_coef] = coef;
        net_append_op(fused, &run->fold);
    }
    net_append_op(fused, &run->point);
}

void pass_fuse(Net *net)
{
    quantise_joins(net);
    Fusing f = {.net = net,
                .links = links_of(net),
                .taken = rt_alloc(net->op_count),
                .runs = rt_alloc(net->op_count * sizeof(Run))};
    for (int i = 0; i < net->op_count; i++)
        if (pointwise(&net->ops[i]) && !f.taken[i])
            fuse_run(&f, i);
    Net fused = net_copy(net);
    fused.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        if (!f.taken[i])
            net_append_op(&fused, &net->ops[i]);
        if (f.runs[i].here)
            append_run(&fused, &f.runs[i]);
    }
    links_free(&f.links);
    free(f.taken);
    free(f.runs);
    net_free(net);
    *net = fused;
}
