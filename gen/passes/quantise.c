/* quantise: for training. Activations become codes, convolutions of codes run on
 * integers; a float op that reads codes gets them through Q_FLOAT. The tensors of the
 * float network keep their place wherever floats are still made. Needs: fuse. Leaves: Q_
 * ops where layers are quantised. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Net net;
    Links links;  /* as the net was */
    int *codes;   /* by float tensor: its codes, or NONE */
    bool *floats; /* by float tensor: whether an op makes it */
} Quantising;

/* The tensor in floats, converted from its codes if need be. */
static int as_floats(Quantising *q, const Op *reader, int tensor)
{
    if (q->codes[tensor] == NONE || q->floats[tensor])
        return tensor;
    Op *op = net_append_like(&q->net, reader, OP_Q_FLOAT);
    snprintf(op->name, sizeof op->name, "%s", q->net.tensors[tensor].name);
    op_activate(op, &(const Op){0});
    op->in[Q_FLOAT_x] = q->codes[tensor];
    op->out[Q_FLOAT_y] = tensor;
    q->floats[tensor] = true;
    return tensor;
}

/* A tensor for the codes of a float one. */
static int make_codes(Quantising *q, int tensor, const Quantiser *quantiser)
{
    return q->codes[tensor] = net_add_codes(&q->net, tensor, quantiser);
}

/* Q_WEIGHTS of the parameter; where the results are. */
typedef struct {
    int codes, values, scales;
} WeightTensors;

static WeightTensors quantise_weights(Quantising *q, const Op *layer, int param,
                                      const Quantiser *quantiser, const char *name)
{
    Net *net = &q->net;
    Tensor w = net->tensors[param];
    int inputs = w.rank == 1 ? 1 : w.c, taps = w.rank == 4 ? w.h * w.w : 1;
    int words = rt_code_words(taps, inputs, layer->groups);
    int count = (int)tensor_count(&w);
    WeightTensors t;
    t.codes = net_add_array(net, ROLE_ONCE, TYPE_U32, name, ".codes", words, w.k);
    t.values = net_add_shaped(net, ROLE_ONCE, name, ".values", &w);
    t.scales = net_add_array(net, ROLE_ONCE, TYPE_F32, name, ".scales", 2, w.k);
    int dvalues = net_add_array(net, ROLE_ONCE, TYPE_F32, name, ".dvalues", 1, count);
    Op *op = net_append_like(net, layer, OP_Q_WEIGHTS);
    snprintf(op->name, sizeof op->name, "%s", name);
    op->own = *quantiser;
    int x = q->codes[layer->in[LAYER_x]];
    if (w.rank == 4 && x != NONE)
        op->input = net->tensors[x].codes;
    op->in[Q_WEIGHTS_w] = param;
    op->out[Q_WEIGHTS_codes] = t.codes;
    op->out[Q_WEIGHTS_values] = t.values;
    op->out[Q_WEIGHTS_scales] = t.scales;
    op->out[Q_WEIGHTS_dvalues] = dvalues;
    return t;
}

static void float_conv(Quantising *q, const Op *op, int x, int weights)
{
    Op *conv = net_append_like(&q->net, op, OP_CONV);
    conv->in[CONV_x] = x;
    conv->in[CONV_w] = weights;
    conv->out[CONV_y] = op->out[CONV_y];
}

static void quantise_conv(Quantising *q, const Op *op)
{
    int x = op->in[CONV_x], w = op->in[CONV_w];
    if (op->own.quantizer == RT_QUANT_NONE) {
        float_conv(q, op, as_floats(q, op, x), w);
        return;
    }
    WeightTensors t = quantise_weights(q, op, w, &op->own, op->name);
    if (q->codes[x] == NONE) {
        float_conv(q, op, x, t.values);
        return;
    }
    Op *conv = net_append_like(&q->net, op, OP_Q_CONV);
    conv->in[Q_CONV_x] = q->codes[x];
    conv->in[Q_CONV_codes] = t.codes;
    conv->in[Q_CONV_scales] = t.scales;
    conv->out[Q_CONV_y] = op->out[CONV_y];
}

static void quantise_point(Quantising *q, const Op *op)
{
    int x = as_floats(q, op, op->in[POINT_x]), residual = op->in[POINT_residual];
    if (op->own.quantizer == RT_QUANT_NONE) {
        if (residual != NONE)
            residual = as_floats(q, op, residual);
        Op *point = net_append_like(&q->net, op, OP_POINT);
        point->in[POINT_x] = x;
        point->in[POINT_coef] = op->in[POINT_coef];
        point->in[POINT_residual] = residual;
        point->out[POINT_y] = op->out[POINT_y];
        return;
    }
    if (residual != NONE && q->codes[residual] != NONE)
        residual = q->codes[residual];
    int y = make_codes(q, op->out[POINT_y], &op->own);
    Op *point = net_append_like(&q->net, op, OP_Q_POINT);
    point->in[Q_POINT_x] = x;
    point->in[Q_POINT_coef] = op->in[POINT_coef];
    point->in[Q_POINT_residual] = residual;
    point->out[Q_POINT_y] = y;
}

/* Codes where there are codes, else floats. */
static void move_codes(Quantising *q, const Op *op)
{
    int x = q->codes[op->in[LAYER_x]], y = op->out[LAYER_y];
    if (x != NONE) {
        Quantiser quantiser = q->net.tensors[x].codes;
        y = make_codes(q, y, &quantiser);
    }
    Op *moved = net_append_like(&q->net, op, op->kind);
    moved->in[LAYER_x] = x == NONE ? op->in[LAYER_x] : x;
    moved->out[LAYER_y] = y;
}

/* The last layer, or one inside, which is a convolution by now; dropout may come
 * before. */
static bool is_dense(const Links *links, const Op *op)
{
    bool dropped = op->kind == OP_DROPOUT;
    for (int i = 0; dropped && i < net_readers(links, op->out[DROPOUT_y]); i++)
        dropped = is_dense(links, net_reader(links, op->out[DROPOUT_y], i));
    return dropped || op->kind == OP_DENSE ||
           (op->kind == OP_CONV && links->net->tensors[op->in[CONV_w]].rank == 2);
}

bool mean_is_exact(const Links *links, const Op *pool)
{
    const Tensor *x = &links->net->tensors[pool->in[AVGPOOL_x]];
    int y = pool->out[AVGPOOL_y];
    bool whole = pool->kernel_h == x->h && pool->kernel_w == x->w &&
                 pool->pad_top + pool->pad_left + pool->pad_bottom + pool->pad_right == 0;
    for (int i = 0; i < net_readers(links, y); i++)
        whole = whole && is_dense(links, net_reader(links, y, i));
    return whole;
}

static void quantise_avgpool(Quantising *q, const Op *op)
{
    int x = q->codes[op->in[AVGPOOL_x]];
    if (x != NONE && q->net.tensors[x].codes.is_image && op->count_pad) {
        Op floats = *op; /* a byte of 0 is no 0 */
        floats.in[AVGPOOL_x] = as_floats(q, op, op->in[AVGPOOL_x]);
        net_append_op(&q->net, &floats);
        return;
    }
    if (x == NONE || !mean_is_exact(&q->links, op)) {
        move_codes(q, op);
        return;
    }
    Op *pool = net_append_like(&q->net, op, OP_Q_AVGPOOL);
    pool->in[Q_AVGPOOL_x] = x;
    pool->out[Q_AVGPOOL_y] = op->out[AVGPOOL_y];
}

static void quantise_dense(Quantising *q, const Op *op)
{
    int x = as_floats(q, op, op->in[DENSE_x]);
    int w = op->in[DENSE_w], b = op->in[DENSE_b];
    if (op->own.quantizer != RT_QUANT_NONE) {
        char bias[NAME_SIZE];
        name_behind(bias, op->name, "_bias");
        w = quantise_weights(q, op, w, &op->own, op->name).values;
        b = quantise_weights(q, op, b, &op->bias, bias).values;
    }
    Op *dense = net_append_like(&q->net, op, OP_DENSE);
    dense->in[DENSE_x] = x;
    dense->in[DENSE_w] = w;
    dense->in[DENSE_b] = b;
    dense->out[DENSE_y] = op->out[DENSE_y];
}

/* Values that are kept are scaled: they are floats. */
static void quantise_dropout(Quantising *q, const Op *op)
{
    Op floats = *op;
    floats.in[DROPOUT_x] = as_floats(q, op, op->in[DROPOUT_x]);
    net_append_op(&q->net, &floats);
}

static void quantise_image(Quantising *q, const Op *op)
{
    const Quantiser bytes = quantiser_image();
    int codes = make_codes(q, op->out[IMAGE_y], &bytes);
    Op *copy = net_append_like(&q->net, op, OP_Q_IMAGE);
    copy->in[Q_IMAGE_pixels] = op->in[IMAGE_pixels];
    copy->out[Q_IMAGE_y] = codes;
}

/* In floats: a POINT behind it quantises what layers read in codes. */
static void quantise_concat(Quantising *q, const Op *op)
{
    Op joined = *op;
    for (int i = 0; i < OP_INPUTS && op->in[i] != NONE; i++)
        joined.in[i] = as_floats(q, op, op->in[i]);
    net_append_op(&q->net, &joined);
}

static void quantise_op(Quantising *q, const Op *op)
{
    if (op->kind == OP_AVGPOOL)
        quantise_avgpool(q, op);
    else if (op_is(op, MOVES))
        move_codes(q, op);
    else if (op->kind == OP_IMAGE)
        quantise_image(q, op);
    else if (op->kind == OP_CONV)
        quantise_conv(q, op);
    else if (op->kind == OP_POINT)
        quantise_point(q, op);
    else if (op->kind == OP_DENSE)
        quantise_dense(q, op);
    else if (op->kind == OP_CONCAT)
        quantise_concat(q, op);
    else if (op->kind == OP_DROPOUT)
        quantise_dropout(q, op);
    else if (op->kind == OP_BN_FOLD)
        net_append_op(&q->net, op);
    else
        op_unhandled(&q->net, op, "quantise");
}

void pass_quantise(Net *net)
{
    int count = net->tensor_count;
    Quantising q = {net_copy(net), links_of(net), rt_alloc(count * sizeof(int)),
                    rt_alloc(count)};
    q.net.op_count = 0;
    for (int i = 0; i < count; i++)
        q.codes[i] = NONE;
    for (int i = 0; i < net->op_count; i++)
        quantise_op(&q, &net->ops[i]);
    links_free(&q.links);
    free(q.codes);
    free(q.floats);
    net_free(net);
    *net = q.net;
}
