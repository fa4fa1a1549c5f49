/* The first part of grad: batch normalisation by the batch's own statistics. */
#include "gen/passes/passes.h"

PointSlots point_slots(const Op *point)
{
    if (point->kind == OP_Q_POINT)
        return (PointSlots){point->in[Q_POINT_x], point->in[Q_POINT_coef],
                            point->in[Q_POINT_residual], point->out[Q_POINT_y]};
    return (PointSlots){point->in[POINT_x], point->in[POINT_coef],
                        point->in[POINT_residual], point->out[POINT_y]};
}

/* The sums of a POINT's input, and the batch's affine from them instead of the fold's. */
static void append_statistics(Net *grown, const Op *fold, int x)
{
    const Tensor *input = &grown->tensors[x];
    int channels = input->c, samples = input->h * input->w;
    int partial =
        net_add_array(grown, ROLE_PARTIAL, TYPE_F64, fold->name, ".sums", 2, channels);
    int saved =
        net_add_array(grown, ROLE_ONCE, TYPE_F32, fold->name, ".saved", 2, channels);
    int index = net_add_op(grown, OP_BN_STATS, fold->name, fold->file, fold->line);
    Op *stats = &grown->ops[index];
    stats->layer = fold->layer;
    stats->in[BN_STATS_x] = x;
    stats->out[BN_STATS_partial] = partial;
    index = net_add_op(grown, OP_BN_FINISH, fold->name, fold->file, fold->line);
    Op *finish = &grown->ops[index];
    finish->layer = fold->layer;
    finish->samples = samples;
    finish->eps = fold->eps;
    finish->momentum = fold->momentum;
    finish->in[BN_FINISH_partial] = partial;
    finish->in[BN_FINISH_scale] = fold->in[BN_FOLD_scale];
    finish->in[BN_FINISH_shift] = fold->in[BN_FOLD_shift];
    finish->in[BN_FINISH_mean] = fold->in[BN_FOLD_mean];
    finish->in[BN_FINISH_var] = fold->in[BN_FOLD_var];
    finish->in[BN_FINISH_bias] = fold->in[BN_FOLD_bias];
    finish->out[BN_FINISH_coef] = fold->out[BN_FOLD_coef];
    finish->out[BN_FINISH_saved] = saved;
}

static bool is_normalisation(const Op *op)
{
    return op->kind == OP_BN_FOLD && op->in[BN_FOLD_scale] != NONE;
}

void batch_statistics(Net *net)
{
    Links links = links_of(net);
    Net grown = net_copy(net);
    grown.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (is_normalisation(op))
            continue;
        if (op->kind == OP_POINT || op->kind == OP_Q_POINT) {
            PointSlots at = point_slots(op);
            const Op *fold = at.coef == NONE ? NULL : net_writer(&links, at.coef);
            if (fold && is_normalisation(fold))
                append_statistics(&grown, fold, at.x);
        }
        net_append_op(&grown, op);
    }
    links_free(&links);
    net_free(net);
    *net = grown;
}
