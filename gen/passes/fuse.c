/* fuse: each run of bn, add and relu becomes one POINT, so that a pixel is read and
 * written once; its BN becomes the op that computes the affine POINT applies. A dense
 * layer that is not the last is a convolution of one pixel, and biases of convolutions
 * belong to the BN behind, or are one. Needs: the ops of a config. Leaves: no BN, ADD or
 * RELU, CONV without a bias, DROPOUT in training alone; every other op as it was. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

/* A dense layer as a convolution. */
static Op conv_of_dense(const Op *dense)
{
    Op conv = op_like(dense, OP_CONV);
    conv.kernel_h = conv.kernel_w = conv.stride = conv.groups = 1;
    conv.in[CONV_x] = dense->in[DENSE_x];
    conv.in[CONV_w] = dense->in[DENSE_w];
    conv.in[CONV_b] = dense->in[DENSE_b];
    conv.out[CONV_y] = dense->out[DENSE_y];
    return conv;
}

/* The BN that alone reads the tensor, or NULL. */
static Op *bn_behind(Net *net, const Links *links, int tensor)
{
    const Op *op = net_readers(links, tensor) == 1 ? net_reader(links, tensor, 0) : NULL;
    return op && op->kind == OP_BN ? &net->ops[op - net->ops] : NULL;
}

/* The convolution without its bias, and the bias as a BN of its own. */
static void append_biased(Net *spread, Op conv)
{
    const Tensor y = spread->tensors[conv.out[CONV_y]];
    Op bias = op_like(&conv, OP_BN);
    op_rename(spread, &bias, "_bias");
    bias.in[BN_bias] = conv.in[CONV_b];
    bias.out[BN_y] = conv.out[CONV_y];
    bias.own = quantiser_none();
    bias.kernel_h = bias.kernel_w = bias.stride = bias.groups = 0;
    bias.pad_top = bias.pad_left = bias.pad_bottom = bias.pad_right = 0;
    bias.in[BN_x] = conv.out[CONV_y] =
        net_add_data(spread, y.name, ".unbiased", y.h, y.w, y.c);
    conv.in[CONV_b] = NONE;
    net_append_op(spread, &conv);
    net_append_op(spread, &bias);
}

/* Let what reads the layer's output read its input. */
static void bypass(Net *net, const Op *layer)
{
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (net->ops[i].in[j] == layer->out[LAYER_y])
                net->ops[i].in[j] = layer->in[LAYER_x];
}

static void drop_dropout(Net *net)
{
    int kept = 0;
    for (int i = 0; i < net->op_count; i++) {
        if (net->ops[i].kind == OP_DROPOUT)
            bypass(net, &net->ops[i]);
        else
            net->ops[kept++] = net->ops[i];
    }
    net->op_count = kept;
}

/* Dense layers and biases in the form that all later passes know. */
static void spread_out(Net *net)
{
    Links links = links_of(net);
    Net spread = net_copy(net);
    spread.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        bool inside = net->ops[i].kind == OP_DENSE && i + 1 < net->op_count;
        Op op = inside ? conv_of_dense(&net->ops[i]) : net->ops[i];
        bool biased = op.kind == OP_CONV && op.in[CONV_b] != NONE;
        Op *bn = biased ? bn_behind(net, &links, op.out[CONV_y]) : NULL;
        if (bn) {
            bn->in[BN_bias] = op.in[CONV_b];
            op.in[CONV_b] = NONE;
        }
        if (biased && bn == NULL)
            append_biased(&spread, op);
        else
            net_append_op(&spread, &op);
    }
    links_free(&links);
    net_free(net);
    *net = spread;
}

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
            op_activate(point, op);
        point->own = op->own;
        end = next;
    }
}

/* The run that begins at op `head`. */
static void fuse_run(Fusing *f, int head)
{
    const Op *first = &f->net->ops[head];
    Op point = op_like(first, OP_POINT);
    point.eps = point.momentum = 0;
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
    fold.in[BN_FOLD_bias] = first->in[BN_bias];
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

void pass_fuse(Net *net, bool training)
{
    if (!training)
        drop_dropout(net);
    spread_out(net);
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
