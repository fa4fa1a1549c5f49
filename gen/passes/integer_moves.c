/* Layers of the integer pass that multiply nothing: see integers.h. */
#include "gen/passes/integers.h"

/* A convolution's own sums as a stream. */
static bool stream_sums(Integers *in, const Op *conv)
{
    Op point = op_like(conv, OP_POINT);
    op_rename(&in->net, &point, "_stream");
    point.own = quantiser_none();
    point.in[POINT_x] = point.out[POINT_y] = conv->out[CONV_y];
    return add_stream(in, &point);
}

/* What a POINT or a convolution puts out becomes a stream, unless it is codes. */
static bool become_stream(Integers *in, int tensor)
{
    const Op *writer = net_writer(&in->links, tensor);
    const Value x = in->values[tensor];
    if (writer->kind == OP_POINT && x.tensor == NONE)
        return add_stream(in, writer);
    if (writer->kind == OP_CONV && (x.tensor == NONE || x.conv))
        return stream_sums(in, writer);
    return true;
}

/* Codes in, codes out, or a stream: the same op. */
bool integer_moved(Integers *in, const Op *op)
{
    int from = op->in[LAYER_x], to = op->out[LAYER_y], y;
    if (!become_stream(in, from))
        return false;
    const Value x = in->values[from];
    if (x.tensor == NONE)
        return refuse(op, "input is not quantised");
    Quantiser quantiser = in->net.tensors[x.tensor].codes;
    if (holds(in, from, TYPE_U8)) {
        y = make_codes(in, to, &quantiser);
    } else {
        y = make_sums(in, to, op->name, ".stream");
        in->values[to].unit = x.unit;
    }
    Op *moved = net_append_like(&in->net, op, op->kind);
    moved->in[LAYER_x] = x.tensor;
    moved->out[LAYER_y] = y;
    return true;
}

/* To the nearest code, or number of a stream, the upper one of two. */
static bool integer_rounded_mean(Integers *in, const Op *op)
{
    const Tensor *x = op_in(in->from, op, "x");
    bool image = net_writer(&in->links, op->in[AVGPOOL_x])->kind == OP_IMAGE;
    if (image && op->count_pad)
        return refuse(op, "counts zeros around the image");
    if ((long)x->h * x->w * 510 >= 1L << 31)
        return refuse(op, "sums over its window can overflow 32 bits");
    return integer_moved(in, op);
}

/* A mean of codes, as their sum. */
bool integer_mean(Integers *in, const Op *op)
{
    int x = op->in[AVGPOOL_x];
    if (!mean_is_exact(&in->links, op))
        return integer_rounded_mean(in, op);
    if (!holds(in, x, TYPE_U8))
        return refuse(op, "input is not quantised");
    Quantiser quantiser = in->net.tensors[in->values[x].tensor].codes;
    quantiser.zero = 0; /* taken from the sum */
    int y = make_codes(in, op->out[AVGPOOL_y], &quantiser);
    in->net.tensors[y].type = TYPE_I32;
    in->net.tensors[y].cs = in->net.tensors[y].c;
    Op *sum = net_append_like(&in->net, op, OP_I_AVGPOOL);
    sum->in[I_AVGPOOL_x] = in->values[x].tensor;
    sum->out[I_AVGPOOL_y] = y;
    return true;
}
