/* integer: for evaluation and inference. Each convolution takes in the POINT behind it;
 * what it puts out is codes, or, for a projection, the sums themselves. In a standalone
 * file what depends on weights is constant; in the trainer it is computed first. Needs:
 * fuse. Leaves: Q_IMAGE, I_ ops, SUBSAMPLE and MAXPOOL of codes. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const Net *from;
    Net net;
    bool standalone;
    int *codes; /* by float tensor: its codes or sums, or NONE */
} Integers;

static int producer(const Net *net, int tensor, OpKind kind)
{
    for (int i = 0; i < net->op_count; i++)
        if (op_writes(&net->ops[i], tensor) && net->ops[i].kind == kind)
            return i;
    return NONE;
}

static bool refuse(const Op *op, const char *why)
{
    return rt_fail("%s:%d: %s: %s", op->file, op->line, op->name, why);
}

static int add_array(Integers *in, const char *name, const char *suffix, Type type, int c,
                     int k)
{
    Role role = in->standalone ? ROLE_PARAM : ROLE_ONCE;
    int index = net_add_tensor(&in->net, role, name, suffix);
    Tensor *tensor = &in->net.tensors[index];
    tensor->type = type;
    tensor->rank = 2;
    tensor->c = c;
    tensor->k = k;
    return index;
}

static int make_codes(Integers *in, int tensor, const Quantiser *quantiser)
{
    return in->codes[tensor] = net_add_codes(&in->net, tensor, quantiser);
}

/* Learned bits always, whatever they came to: the arena must not depend on them. */
bool integer_packs(const Quantiser *quantiser)
{
    return quantiser->bits < 8 || quantiser->quantizer == RT_QUANT_STEP_RANGE;
}

/* The layer's weight codes, and (not in a standalone file) their scales. */
static int weight_codes(Integers *in, const Op *layer, int *scales)
{
    Tensor w = in->net.tensors[layer->in[1]];
    int taps = w.rank == 4 ? w.h * w.w : 1, words = taps * ((w.c + 3) / 4);
    if (!in->standalone) {
        int codes = add_array(in, layer->name, ".codes", TYPE_U32, words, w.k);
        *scales = add_array(in, layer->name, ".scales", TYPE_F32, 2, w.k);
        Op *op = net_append_like(&in->net, layer, OP_Q_WEIGHTS);
        op->macs = 0;
        op->input = in->net.tensors[in->codes[layer->in[0]]].codes;
        op->in[0] = layer->in[1];
        op->out[0] = codes;
        op->out[2] = *scales;
        return codes;
    }
    *scales = NONE;
    int codes = add_array(in, layer->name, ".codes", TYPE_U32, words, w.k);
    Tensor *constant = &in->net.tensors[codes];
    if (!integer_packs(&layer->own))
        return codes;
    /* Packed at its bits, unpacked when its turn comes. */
    snprintf(constant->name, sizeof constant->name, "%.50s.packed", layer->name);
    constant->c = 1;
    constant->k = (words * w.k + 7) / 8 * layer->own.bits;
    int unpacked = net_add_tensor(&in->net, ROLE_ONCE, layer->name, ".codes");
    Tensor *words_of = &in->net.tensors[unpacked];
    words_of->type = TYPE_U32;
    words_of->rank = 2;
    words_of->c = words;
    words_of->k = w.k;
    Op *op = net_append_like(&in->net, layer, OP_I_UNPACK);
    op->macs = 0;
    op->in[0] = codes;
    op->out[0] = unpacked;
    return unpacked;
}

/* The convolution a POINT reads, when nothing else does; with its codes as input. */
static const Op *conv_of(Integers *in, const Op *point)
{
    int conv = producer(in->from, point->in[0], OP_CONV);
    if (conv == NONE) {
        refuse(point,
               "has no convolution in front of it, which integer arithmetic needs");
        return NULL;
    }
    const Op *op = &in->from->ops[conv];
    if (op->own.quantizer == RT_QUANT_NONE) {
        refuse(op, "weights are kept at 32 bits; it trains, but has no integer form");
        return NULL;
    }
    const Tensor *w = &in->net.tensors[op->in[1]],
                 *x = &in->net.tensors[in->codes[op->in[0]]];
    if ((long)w->h * w->w * w->c * 255 * 127 >= 1L << 31) {
        refuse(op, "sums of its products can overflow 32 bits");
        return NULL;
    }
    return x->type == TYPE_U8 ? op : (refuse(op, "input is not quantised"), NULL);
}

static int add_conv(Integers *in, const Op *conv, int codes, int out)
{
    Op *op = net_append_like(&in->net, conv, OP_I_CONV);
    op->own = (Quantiser){.step = NONE, .range = NONE}; /* sums, until a POINT joins in */
    op->in[0] = in->codes[conv->in[0]];
    op->in[1] = codes;
    op->out[0] = out;
    return in->net.op_count - 1;
}

/* A projection's sums; its affine joins that of the layer it is added to. */
static int add_projection(Integers *in, const Op *point, int *scales)
{
    const Op *conv = conv_of(in, point);
    if (conv == NULL)
        return NONE;
    int codes = weight_codes(in, conv, scales);
    Tensor like = in->net.tensors[conv->out[0]];
    int sums = net_add_data(&in->net, conv->name, ".sums", like.h, like.w, like.c);
    in->net.tensors[sums].type = TYPE_I32;
    add_conv(in, conv, codes, sums);
    return sums;
}

/* The largest code the layer's weights can have. */
static int largest_weight(const Op *layer)
{
    bool learned = layer->quant.quantizer == RT_QUANT_STEP_RANGE;
    return learned ? 127 : (1 << (layer->quant.w_bits - 1)) - 1;
}

/* The largest code a tensor can have. */
static long largest_code(const Quantiser *codes)
{
    return codes->quantizer == RT_QUANT_STEP_RANGE ? 255 : (1 << codes->bits) - 1;
}

/* The layer's b, m, r, shift: computed in the trainer, constant in a standalone file. */
static void add_constants(Integers *in, int index, const Op *point, int scales, int coef,
                          int other_scales, int other_coef)
{
    static const char *const suffixes[] = {".b", ".m", ".r", ".shift"};
    const Type types[] = {TYPE_I64, TYPE_I32, TYPE_I32, TYPE_I32};
    Op conv = in->net.ops[index];
    int k = in->net.tensors[point->out[0]].c, arrays[4];
    for (int i = 0; i < 4; i++) {
        bool wanted = i != 2 || point->in[2] != NONE;
        arrays[i] =
            wanted ? add_array(in, conv.name, suffixes[i], types[i], 1, i == 3 ? 2 : k)
                   : NONE;
        in->net.ops[index].in[2 + i] = arrays[i];
    }
    if (in->standalone)
        return;
    Op *op = net_append_like(&in->net, &conv,
                             OP_I_CONSTANTS); /* reordered by schedule: nothing waits */
    op->macs = 0;
    op->in[0] = scales;
    op->in[1] = coef;
    op->in[2] = other_scales;
    op->in[3] = other_coef;
    const Tensor *x = op_in(&in->net, &conv, "x"),
                 *other = op_in(&in->net, &conv, "residual");
    op->input = x->codes;
    op->terms = conv.kernel_h * conv.kernel_w * x->c * largest_weight(&conv);
    if (other && other->type == TYPE_U8)
        op->other = other->codes;
    if (other_scales != NONE) {
        const Op *projection = &in->net.ops[producer(&in->net, conv.in[6], OP_I_CONV)];
        const Tensor *from = op_in(&in->net, projection, "x");
        op->other = from->codes;
        op->other_terms = projection->kernel_h * projection->kernel_w * from->c *
                          largest_weight(projection);
    }
    for (int i = 0; i < 4; i++)
        op->out[i] = arrays[i];
    Op swap =
        in->net.ops[in->net.op_count - 1]; /* before the convolution that reads them */
    in->net.ops[in->net.op_count - 1] = in->net.ops[index];
    in->net.ops[index] = swap;
}

static bool integer_point(Integers *in, const Op *point)
{
    if (point->own.quantizer == RT_QUANT_NONE) {
        if (point->relu)
            return refuse(point, "activation is kept at 32 bits; it trains, but has no "
                                 "integer form");
        return true; /* a projection's: taken in by the layer it is added to */
    }
    const Op *conv = conv_of(in, point);
    if (conv == NULL)
        return false;
    int residual = point->in[2], scales, other_scales = NONE, other_coef = NONE,
        sums = NONE;
    if (residual != NONE && in->codes[residual] == NONE) {
        int other = producer(in->from, residual, OP_POINT);
        if (other == NONE)
            return refuse(point, "adds something that is not quantised");
        other_coef = in->from->ops[other].in[1];
        sums = add_projection(in, &in->from->ops[other], &other_scales);
        if (sums == NONE)
            return false;
    } else if (residual != NONE) {
        sums = in->codes[residual];
    }
    int codes = weight_codes(in, conv, &scales);
    int y = make_codes(in, point->out[0], &point->own);
    int index = add_conv(in, conv, codes, y);
    in->net.ops[index].in[6] = sums; /* residual */
    in->net.ops[index].own = point->own;
    in->net.ops[index].relu = true;
    add_constants(in, index, point, scales, point->in[1], other_scales, other_coef);
    return true;
}

static bool integer_dense(Integers *in, const Op *dense)
{
    if (dense->own.quantizer == RT_QUANT_NONE)
        return refuse(dense,
                      "weights are kept at 32 bits; it trains, but has no integer form");
    int sums = in->codes[dense->in[0]];
    if (sums == NONE || in->net.tensors[sums].type != TYPE_I32)
        return refuse(dense, "input is no average of quantised values");
    const Op *pool = &in->net.ops[producer(&in->net, sums, OP_I_AVGPOOL)];
    const Tensor *pooled = op_in(&in->net, pool, "x");
    long pixels = (long)pooled->h * pooled->w;
    double terms = (double)pixels * pooled->c * largest_weight(dense);
    if (terms * largest_code(&in->net.tensors[sums].codes) >= 2147483648.0)
        return refuse(dense, "sums over all pixels and channels can overflow 32 bits");
    int scales, k = in->net.tensors[dense->in[1]].k;
    int codes = weight_codes(in, dense, &scales);
    int bias = add_array(in, dense->name, ".ibias", TYPE_I32, 1, k);
    int scale = NONE;
    if (!in->standalone) {
        scale = add_array(in, dense->name, ".scale", TYPE_F32, 1, 1);
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%.50s_bias", dense->name);
        int values = add_array(in, name, ".values", TYPE_F32, 1, k);
        Op *quantise = net_append_like(&in->net, dense, OP_Q_WEIGHTS);
        snprintf(quantise->name, sizeof quantise->name, "%s", name);
        quantise->own = dense->bias;
        quantise->macs = 0;
        quantise->in[0] = dense->in[2];
        quantise->out[1] = values;
        Op *constants = net_append_like(&in->net, dense, OP_I_DENSE_CONSTANTS);
        constants->macs = 0;
        constants->input = in->net.tensors[sums].codes;
        constants->samples = (int)pixels;
        constants->terms = (int)terms;
        constants->in[0] = scales;
        constants->in[1] = values;
        constants->out[0] = bias;
        constants->out[1] = scale;
    }
    Op *op = net_append_like(&in->net, dense, OP_I_DENSE);
    op->standalone = in->standalone;
    op->in[0] = sums;
    op->in[1] = codes;
    op->in[2] = bias;
    op->in[3] = scale;
    op->out[0] = dense->out[0];
    return true;
}

static bool integer_op(Integers *in, const Op *op)
{
    int x = op->in[0] == NONE ? NONE : in->codes[op->in[0]];
    switch (op->kind) {
    case OP_IMAGE: {
        const Quantiser image = {
            .bits = 8, .is_image = true, .step = NONE, .range = NONE};
        int codes = make_codes(in, op->out[0], &image);
        Op *copy = net_append_like(&in->net, op, OP_Q_IMAGE);
        copy->in[0] = op->in[0];
        copy->out[0] = codes;
        return true;
    }
    case OP_BN_FOLD:
        if (!in->standalone)
            net_append_op(&in->net, op);
        return true;
    case OP_CONV:
        return true; /* with the POINT that reads it */
    case OP_POINT:
        return integer_point(in, op);
    case OP_SUBSAMPLE:
    case OP_MAXPOOL:
    case OP_AVGPOOL: {
        if (x == NONE || in->net.tensors[x].type != TYPE_U8)
            return refuse(op, "input is not quantised");
        Quantiser quantiser = in->net.tensors[x].codes;
        int y = make_codes(in, op->out[0], &quantiser);
        if (op->kind == OP_AVGPOOL) {
            in->net.tensors[y].type = TYPE_I32;
            in->net.tensors[y].cs = in->net.tensors[y].c;
        }
        Op *moved = net_append_like(&in->net, op,
                                    op->kind == OP_AVGPOOL ? OP_I_AVGPOOL : op->kind);
        moved->in[0] = x;
        moved->out[0] = y;
        return true;
    }
    case OP_DENSE:
        return integer_dense(in, op);
    default:
        return refuse(op, "has no integer form");
    }
}

bool pass_integer(Net *net, bool standalone)
{
    int count = net->tensor_count;
    Integers in = {net, net_copy(net), standalone, rt_alloc(count * sizeof(int))};
    in.net.op_count = 0;
    for (int i = 0; i < count; i++)
        in.codes[i] = NONE;
    bool ok = true;
    for (int i = 0; ok && i < net->op_count; i++)
        ok = integer_op(&in, &net->ops[i]);
    free(in.codes);
    if (ok) {
        net_free(net);
        *net = in.net;
    } else {
        net_free(&in.net);
    }
    return ok;
}
