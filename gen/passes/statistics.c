/* The first part of grad: batch normalisation by the batch's own statistics, or by those
 * of each of its chunks. */
#include "gen/passes/passes.h"

PointSlots point_slots(const Op *point)
{
    if (point->kind == OP_Q_POINT)
        return (PointSlots){point->in[Q_POINT_x], point->in[Q_POINT_coef],
                            point->in[Q_POINT_residual], point->out[Q_POINT_y]};
    return (PointSlots){point->in[POINT_x], point->in[POINT_coef],
                        point->in[POINT_residual], point->out[POINT_y]};
}

/* Another op of the fold's layer. */
static Op *append(Net *grown, OpKind kind, const Op *fold)
{
    int index = net_add_op(grown, kind, fold->name, fold->file, fold->line);
    grown->ops[index].layer = fold->layer;
    return &grown->ops[index];
}

static int add_floats(Net *grown, Role role, const Op *fold, const char *suffix,
                      int channels)
{
    return net_add_array(grown, role, TYPE_F32, fold->name, suffix, 2, channels);
}

Role norm_role(const Net *net)
{
    return net->norm == NORM_CHUNK ? ROLE_PARTIAL : ROLE_ONCE;
}

/* Running statistics move towards the mean of the chunks' own. It waits for all
 * processes', which come with the gradients. */
static void by_chunk(Net *grown, int finish, const Op *fold, int channels)
{
    int moments = add_floats(grown, ROLE_PARTIAL, fold, ".moments", channels);
    int total = add_floats(grown, ROLE_ONCE, fold, ".moments_total", channels);
    Op *op = &grown->ops[finish];
    op->scope = SCOPE_CHUNK;
    op->in[BN_FINISH_mean] = op->in[BN_FINISH_var] = NONE;
    op->out[BN_FINISH_moments] = moments;
    grown->tensors[op->out[BN_FINISH_coef]].role = ROLE_PARTIAL;
    op = append(grown, OP_BN_MOMENTS, fold);
    op->in[BN_MOMENTS_partial] = moments;
    op->out[BN_MOMENTS_total] = total;
    op = append(grown, OP_BN_RUNNING, fold);
    op->momentum = fold->momentum;
    op->in[BN_RUNNING_total] = total;
    op->in[BN_RUNNING_mean] = fold->in[BN_FOLD_mean];
    op->in[BN_RUNNING_var] = fold->in[BN_FOLD_var];
}

/* The sums of a POINT's input, and the batch's affine from them instead of the fold's. */
static void append_statistics(Net *grown, const Op *fold, int x)
{
    const Tensor *input = &grown->tensors[x];
    int channels = input->c, samples = input->h * input->w;
    int partial =
        net_add_array(grown, ROLE_PARTIAL, TYPE_F64, fold->name, ".sums", 2, channels);
    int saved = add_floats(grown, norm_role(grown), fold, ".saved", channels);
    Op *stats = append(grown, OP_BN_STATS, fold);
    stats->in[BN_STATS_x] = x;
    stats->out[BN_STATS_partial] = partial;
    Op *finish = append(grown, OP_BN_FINISH, fold);
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
    if (grown->norm == NORM_CHUNK)
        by_chunk(grown, (int)(finish - grown->ops), fold, channels);
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
