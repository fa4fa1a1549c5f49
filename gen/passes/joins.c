/* Concatenations in quantised networks. Where layers read them in codes, a POINT behind
 * gives all channels one step: code = clamp((code * M + half) >> r) with M / 2^r the
 * part's step by the joint one, in integers. In the integer pass, a POINT behind a
 * concatenation is one op for each part, which writes its channels; the joined tensor
 * itself is never made. */
#include "gen/passes/integers.h"

void quantise_joins(Net *net)
{
    Net grown = net_copy(net);
    grown.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        Op op = net->ops[i];
        bool quantises = op.kind == OP_CONCAT && op.own.quantizer != RT_QUANT_NONE;
        Op point = op_like(&op, OP_POINT);
        if (quantises) {
            const Tensor y = grown.tensors[op.out[CONCAT_y]];
            point.out[POINT_y] = op.out[CONCAT_y];
            op.own = quantiser_none();
            op_rename(&grown, &op, "_joined");
            op.out[CONCAT_y] = point.in[POINT_x] =
                net_add_data(&grown, y.name, ".joined", y.h, y.w, y.c);
        }
        net_append_op(&grown, &op);
        if (quantises)
            net_append_op(&grown, &point);
    }
    net_free(net);
    *net = grown;
}

/* ---- The integer pass ---- */

/* A POINT behind a concatenation, as it is taken apart. */
typedef struct {
    Integers *in;
    const Op *point;
    int y, parts, channels; /* codes it puts out; what is done of them */
} Joined;

/* The affine of the next k channels alone, or NONE. */
static int part_affine(Joined *j, const char *name, int k)
{
    if (j->point->in[POINT_coef] == NONE)
        return NONE;
    Net *net = &j->in->net;
    Op fold = *net_writer(&j->in->links, j->point->in[POINT_coef]);
    snprintf(fold.name, sizeof fold.name, "%s", name);
    fold.channel_offset = j->channels;
    int coef = net_add_array(net, ROLE_ONCE, TYPE_F32, name, ".coef", 2, k);
    fold.out[BN_FOLD_coef] = coef;
    if (!j->in->standalone)
        net_append_op(net, &fold);
    return coef;
}

static bool add_part(Joined *j, int tensor)
{
    Integers *in = j->in;
    int k = in->from->tensors[tensor].c;
    Value x;
    Op op = op_like(j->point, OP_I_POINT);
    char part[24];
    snprintf(part, sizeof part, "_part%d", ++j->parts);
    op_rename(&in->net, &op, part);
    if (!value_before(in, j->point, tensor, part_affine(j, op.name, k), &x))
        return false;
    op.channel_offset = j->channels;
    op.in[I_POINT_x] = x.tensor;
    op.out[I_POINT_y] = j->y;
    add_rescale(in, &op, k, &x);
    net_append_op(&in->net, &op);
    j->channels += k;
    return true;
}

static bool add_parts(Joined *j, const Op *concat)
{
    for (int i = 0; i < OP_INPUTS && concat->in[i] != NONE; i++) {
        const Op *writer = net_writer(&j->in->links, concat->in[i]);
        bool nested = writer->kind == OP_CONCAT;
        if (nested ? !add_parts(j, writer) : !add_part(j, concat->in[i]))
            return false;
    }
    return true;
}

bool integer_joined(Integers *in, const Op *point, const Op *concat)
{
    if (point->in[POINT_residual] != NONE)
        return refuse(point, "adds to a concatenation");
    Joined joined = {
        .in = in, .point = point, .y = make_codes(in, point->out[POINT_y], &point->own)};
    return add_parts(&joined, concat);
}
