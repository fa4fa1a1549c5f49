/* quantise: for training. Activations become codes, convolutions of codes run on
 * integers; a float op that reads codes gets them through Q_FLOAT. The tensors of the
 * float network keep their place wherever floats are still made. Needs: fuse. Leaves: Q_
 * ops where layers are quantised. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Net net;
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
    op->relu = false;
    op->macs = 0;
    op->in[0] = q->codes[tensor];
    op->out[0] = tensor;
    q->floats[tensor] = true;
    return tensor;
}

/* A tensor for the codes of a float one. */
static int make_codes(Quantising *q, int tensor, const Quantiser *quantiser)
{
    return q->codes[tensor] = net_add_codes(&q->net, tensor, quantiser);
}

static int add_once(Net *net, const char *name, const char *suffix, int c, int k)
{
    int index = net_add_tensor(net, ROLE_ONCE, name, suffix);
    net->tensors[index].rank = 2;
    net->tensors[index].c = c;
    net->tensors[index].k = k;
    return index;
}

/* Q_WEIGHTS of the parameter; where the results are. */
typedef struct {
    int codes, values, scales;
} WeightTensors;

static WeightTensors quantise_weights(Quantising *q, const Op *layer, int param,
                                      const Quantiser *quantiser, const char *name)
{
    Tensor w = q->net.tensors[param];
    int inputs = w.rank == 1 ? 1 : w.c, taps = w.rank == 4 ? w.h * w.w : 1;
    WeightTensors t;
    t.codes = add_once(&q->net, name, ".codes", taps * ((inputs + 3) / 4), w.k);
    q->net.tensors[t.codes].type = TYPE_U32;
    t.values = net_add_tensor(&q->net, ROLE_ONCE, name, ".values");
    Tensor *values = &q->net.tensors[t.values];
    values->rank = w.rank;
    values->h = w.h;
    values->w = w.w;
    values->c = w.c;
    values->k = w.k;
    t.scales = add_once(&q->net, name, ".scales", 2, w.k);
    int dvalues = add_once(&q->net, name, ".dvalues", 1, (int)tensor_count(&w));
    Op *op = net_append_like(&q->net, layer, OP_Q_WEIGHTS);
    snprintf(op->name, sizeof op->name, "%s", name);
    op->own = *quantiser;
    if (w.rank == 4 && q->codes[layer->in[0]] != NONE)
        op->input = q->net.tensors[q->codes[layer->in[0]]].codes;
    op->macs = 0;
    op->in[0] = param;
    op->out[0] = t.codes;
    op->out[1] = t.values;
    op->out[2] = t.scales;
    op->out[3] = dvalues;
    return t;
}

static void quantise_conv(Quantising *q, const Op *op)
{
    int x = op->in[0], w = op->in[1];
    if (op->own.quantizer == RT_QUANT_NONE) {
        int floats = as_floats(q, op, x);
        Op *conv = net_append_like(&q->net, op, OP_CONV);
        conv->in[0] = floats;
        conv->in[1] = w;
        conv->out[0] = op->out[0];
        return;
    }
    WeightTensors t = quantise_weights(q, op, w, &op->own, op->name);
    if (q->codes[x] != NONE) {
        Op *conv = net_append_like(&q->net, op, OP_Q_CONV);
        conv->in[0] = q->codes[x];
        conv->in[1] = t.codes;
        conv->in[2] = t.scales;
        conv->out[0] = op->out[0];
    } else {
        Op *conv = net_append_like(&q->net, op, OP_CONV);
        conv->in[0] = x;
        conv->in[1] = t.values;
        conv->out[0] = op->out[0];
    }
}

static void quantise_point(Quantising *q, const Op *op)
{
    int x = as_floats(q, op, op->in[0]), residual = op->in[2];
    bool quantised = op->own.quantizer != RT_QUANT_NONE;
    if (residual != NONE && quantised && q->codes[residual] != NONE)
        residual = q->codes[residual];
    else if (residual != NONE)
        residual = as_floats(q, op, residual);
    int y = quantised ? make_codes(q, op->out[0], &op->own) : op->out[0];
    Op *point = net_append_like(&q->net, op, quantised ? OP_Q_POINT : OP_POINT);
    point->in[0] = x;
    point->in[1] = op->in[1];
    point->in[2] = residual;
    point->out[0] = y;
}

/* Ops that only move values work on codes as on floats. */
static void move_codes(Quantising *q, const Op *op)
{
    int x = q->codes[op->in[0]], y = op->out[0];
    if (x != NONE) {
        Quantiser quantiser = q->net.tensors[x].codes;
        y = make_codes(q, y, &quantiser);
    }
    Op *moved = net_append_like(&q->net, op, op->kind);
    moved->in[0] = x == NONE ? op->in[0] : x;
    moved->out[0] = y;
}

static void quantise_dense(Quantising *q, const Op *op)
{
    int x = as_floats(q, op, op->in[0]), w = op->in[1], b = op->in[2];
    if (op->own.quantizer != RT_QUANT_NONE) {
        char bias[NAME_SIZE];
        snprintf(bias, sizeof bias, "%.50s_bias", op->name);
        w = quantise_weights(q, op, w, &op->own, op->name).values;
        b = quantise_weights(q, op, b, &op->bias, bias).values;
    }
    Op *dense = net_append_like(&q->net, op, OP_DENSE);
    dense->in[0] = x;
    dense->in[1] = w;
    dense->in[2] = b;
    dense->out[0] = op->out[0];
}

static void quantise_op(Quantising *q, const Op *op)
{
    switch (op->kind) {
    case OP_IMAGE: {
        const Quantiser image = {
            .bits = 8, .is_image = true, .step = NONE, .range = NONE};
        int codes = make_codes(q, op->out[0], &image);
        Op *copy = net_append_like(&q->net, op, OP_Q_IMAGE);
        copy->in[0] = op->in[0];
        copy->out[0] = codes;
        break;
    }
    case OP_CONV:
        quantise_conv(q, op);
        break;
    case OP_POINT:
        quantise_point(q, op);
        break;
    case OP_SUBSAMPLE:
    case OP_MAXPOOL:
        move_codes(q, op);
        break;
    case OP_DENSE:
        quantise_dense(q, op);
        break;
    case OP_AVGPOOL:
        if (q->codes[op->in[0]] != NONE) {
            Op *pool = net_append_like(&q->net, op, OP_Q_AVGPOOL);
            pool->in[0] = q->codes[op->in[0]];
            pool->out[0] = op->out[0];
            break;
        }
        /* fall through */
    default:
        net_append_op(&q->net, op);
        break;
    }
}

void pass_quantise(Net *net)
{
    int count = net->tensor_count;
    Quantising q = {net_copy(net), rt_alloc(count * sizeof(int)), rt_alloc(count)};
    q.net.op_count = 0;
    for (int i = 0; i < count; i++)
        q.codes[i] = NONE;
    for (int i = 0; i < net->op_count; i++)
        quantise_op(&q, &net->ops[i]);
    free(q.codes);
    free(q.floats);
    net_free(net);
    *net = q.net;
}
