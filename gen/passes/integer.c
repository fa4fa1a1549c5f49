/* integer: for evaluation and inference. Each convolution takes in the POINT behind it;
 * what it puts out is codes, or, for a projection, the sums themselves. In a standalone
 * file what depends on weights is constant; in the trainer it is computed first. Needs:
 * fuse. Leaves: Q_IMAGE, I_ ops, ops of codes that only move values. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>

typedef struct {
    const Net *from;
    Links links; /* of `from` */
    Net net;
    bool standalone;
    int *codes; /* by float tensor: its codes or sums, or NONE */
} Integers;

static bool refuse(const Op *op, const char *why)
{
    return rt_fail("%s:%d: %s: %s", op->file, op->line, op->name, why);
}

/* What is computed from weights: constant in a standalone file. */
static int add_array(Integers *in, const char *name, const char *suffix, Type type, int c,
                     int k)
{
    Role role = in->standalone ? ROLE_PARAM : ROLE_ONCE;
    return net_add_array(&in->net, role, type, name, suffix, c, k);
}

static int make_codes(Integers *in, int tensor, const Quantiser *quantiser)
{
    return in->codes[tensor] = net_add_codes(&in->net, tensor, quantiser);
}

/* ---- Weights ---- */

/* Learned bits always, whatever they came to: the arena must not depend on them. */
bool integer_packs(const Quantiser *quantiser)
{
    return quantiser->bits < 8 || quantiser->quantizer == RT_QUANT_STEP_RANGE;
}

static int code_words(const Tensor *w)
{
    int taps = w->rank == 4 ? w->h * w->w : 1;
    return taps * ((w->c + 3) / 4);
}

/* The trainer's: codes of the layer's weights, and their scales. */
static int computed_weights(Integers *in, const Op *layer, int weights, int *scales)
{
    Net *net = &in->net;
    Tensor w = net->tensors[weights];
    int codes = add_array(in, layer->name, ".codes", TYPE_U32, code_words(&w), w.k);
    *scales = add_array(in, layer->name, ".scales", TYPE_F32, 2, w.k);
    Op *op = net_append_like(net, layer, OP_Q_WEIGHTS);
    op->input = net->tensors[in->codes[layer->in[LAYER_x]]].codes;
    op->in[Q_WEIGHTS_w] = weights;
    op->out[Q_WEIGHTS_codes] = codes;
    op->out[Q_WEIGHTS_scales] = *scales;
    return codes;
}

/* The standalone file's: constants, perhaps packed at their bits and unpacked when their
 * turn comes. */
static int constant_weights(Integers *in, const Op *layer, int weights)
{
    Net *net = &in->net;
    Tensor w = net->tensors[weights];
    int words = code_words(&w), bits = layer->own.bits;
    if (!integer_packs(&layer->own))
        return add_array(in, layer->name, ".codes", TYPE_U32, words, w.k);
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%.50s", layer->name);
    int packed =
        add_array(in, name, ".packed", TYPE_U32, 1, (words * w.k + 7) / 8 * bits);
    int codes =
        net_add_array(net, ROLE_ONCE, TYPE_U32, layer->name, ".codes", words, w.k);
    Op *op = net_append_like(net, layer, OP_I_UNPACK);
    op->in[I_UNPACK_packed] = packed;
    op->out[I_UNPACK_codes] = codes;
    return codes;
}

/* Codes of the layer's weights; *scales: NONE in a standalone file. */
static int weight_codes(Integers *in, const Op *layer, int weights, int *scales)
{
    *scales = NONE;
    return in->standalone ? constant_weights(in, layer, weights)
                          : computed_weights(in, layer, weights, scales);
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

/* ---- Convolutions ---- */

/* What a convolution adds to its sums: the residual of its POINT. */
typedef struct {
    int tensor;       /* codes or sums that are added, or NONE */
    const Op *conv;   /* of sums: the projection whose affine joins; else NULL */
    int scales, coef; /* of the projection, NONE without one */
} Added;

/* Values in a sum, each as often as its weight's largest code. */
static int sum_terms(const Integers *in, const Op *conv)
{
    const Tensor *x = op_in(in->from, conv, "x");
    return conv->kernel_h * conv->kernel_w * x->c * largest_weight(conv);
}

static const Quantiser *input_codes(const Integers *in, const Op *conv)
{
    return &in->net.tensors[in->codes[conv->in[CONV_x]]].codes;
}

/* The convolution a POINT reads, with codes as input; NULL after refusing. */
static const Op *conv_of(const Integers *in, const Op *point)
{
    const Op *conv = net_writer(&in->links, point->in[POINT_x]);
    if (conv->kind != OP_CONV)
        return refuse(point, "has no convolution in front of it, which integer "
                             "arithmetic needs"),
               NULL;
    if (conv->own.quantizer == RT_QUANT_NONE)
        return refuse(conv,
                      "weights are kept at 32 bits; it trains, but has no integer form"),
               NULL;
    const Tensor *w = op_in(in->from, conv, "w");
    if ((long)w->h * w->w * w->c * 255 * 127 >= 1L << 31)
        return refuse(conv, "sums of its products can overflow 32 bits"), NULL;
    int x = in->codes[conv->in[CONV_x]];
    if (x == NONE || in->net.tensors[x].type != TYPE_U8)
        return refuse(conv, "input is not quantised"), NULL;
    return conv;
}

/* Its integer form; it puts out sums until a POINT joins in. */
static Op integer_conv(const Integers *in, const Op *conv, int codes, int y)
{
    Op op = op_like(conv, OP_I_CONV);
    op.own = quantiser_none();
    op.in[I_CONV_x] = in->codes[conv->in[CONV_x]];
    op.in[I_CONV_codes] = codes;
    op.out[I_CONV_y] = y;
    return op;
}

/* A projection's sums; its affine joins that of the layer it is added to. */
static bool add_projection(Integers *in, const Op *point, Added *added)
{
    added->conv = conv_of(in, point);
    if (added->conv == NULL)
        return false;
    int w = added->conv->in[CONV_w], y = added->conv->out[CONV_y];
    int codes = weight_codes(in, added->conv, w, &added->scales);
    Tensor like = in->net.tensors[y];
    added->tensor =
        net_add_data(&in->net, added->conv->name, ".sums", like.h, like.w, like.c);
    in->net.tensors[added->tensor].type = TYPE_I32;
    added->coef = point->in[POINT_coef];
    Op op = integer_conv(in, added->conv, codes, added->tensor);
    net_append_op(&in->net, &op);
    return true;
}

static bool add_residual(Integers *in, const Op *point, Added *added)
{
    int residual = point->in[POINT_residual];
    *added = (Added){.tensor = NONE, .scales = NONE, .coef = NONE};
    if (residual == NONE)
        return true;
    added->tensor = in->codes[residual];
    if (added->tensor != NONE)
        return true;
    const Op *other = net_writer(&in->links, residual);
    if (other->kind != OP_POINT)
        return refuse(point, "adds something that is not quantised");
    return add_projection(in, other, added);
}

/* The layer's b, m, r, shift, for its integer form `op`: computed in the trainer, constant
 * in a standalone file. */
static void add_constants(Integers *in, const Op *conv, Op *op, int scales, int coef,
                          const Added *added)
{
    int k = in->from->tensors[conv->out[CONV_y]].c;
    int b = add_array(in, op->name, ".b", TYPE_I64, 1, k);
    int m = add_array(in, op->name, ".m", TYPE_I32, 1, k);
    int r = added->tensor == NONE ? NONE : add_array(in, op->name, ".r", TYPE_I32, 1, k);
    int shift = add_array(in, op->name, ".shift", TYPE_I32, 1, 2);
    op->in[I_CONV_b] = b;
    op->in[I_CONV_m] = m;
    op->in[I_CONV_r] = r;
    op->in[I_CONV_shift] = shift;
    if (in->standalone)
        return;
    Op *constants = net_append_like(&in->net, op, OP_I_CONSTANTS);
    constants->in[I_CONSTANTS_scales] = scales;
    constants->in[I_CONSTANTS_coef] = coef;
    constants->in[I_CONSTANTS_scales2] = added->scales;
    constants->in[I_CONSTANTS_coef2] = added->coef;
    constants->out[I_CONSTANTS_b] = b;
    constants->out[I_CONSTANTS_m] = m;
    constants->out[I_CONSTANTS_r] = r;
    constants->out[I_CONSTANTS_shift] = shift;
    constants->input = *input_codes(in, conv);
    constants->terms = sum_terms(in, conv);
    if (added->conv) {
        constants->other = *input_codes(in, added->conv);
        constants->other_terms = sum_terms(in, added->conv);
    } else if (added->tensor != NONE) {
        constants->other = in->net.tensors[added->tensor].codes;
    }
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
    Added added;
    if (conv == NULL || !add_residual(in, point, &added))
        return false;
    int scales, codes = weight_codes(in, conv, conv->in[CONV_w], &scales);
    Op op =
        integer_conv(in, conv, codes, make_codes(in, point->out[POINT_y], &point->own));
    op.in[I_CONV_residual] = added.tensor;
    op.own = point->own;
    op.relu = true;
    add_constants(in, conv, &op, scales, point->in[POINT_coef], &added);
    net_append_op(&in->net, &op);
    return true;
}

/* ---- The other layers ---- */

/* The trainer's constants of a dense layer: bias in integers, and a score's unit. */
static Op *add_dense_constants(Integers *in, const Op *dense, int scales, int bias,
                               int scale)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%.50s_bias", dense->name);
    int k = in->net.tensors[bias].k;
    int values = add_array(in, name, ".values", TYPE_F32, 1, k);
    Op *quantise = net_append_like(&in->net, dense, OP_Q_WEIGHTS);
    snprintf(quantise->name, sizeof quantise->name, "%s", name);
    quantise->own = dense->bias;
    quantise->in[Q_WEIGHTS_w] = dense->in[DENSE_b];
    quantise->out[Q_WEIGHTS_values] = values;
    Op *constants = net_append_like(&in->net, dense, OP_I_DENSE_CONSTANTS);
    constants->in[I_DENSE_CONSTANTS_scales] = scales;
    constants->in[I_DENSE_CONSTANTS_bias] = values;
    constants->out[I_DENSE_CONSTANTS_ibias] = bias;
    constants->out[I_DENSE_CONSTANTS_scale] = scale;
    return constants;
}

static bool integer_dense(Integers *in, const Op *dense)
{
    if (dense->own.quantizer == RT_QUANT_NONE)
        return refuse(dense,
                      "weights are kept at 32 bits; it trains, but has no integer form");
    int x = in->codes[dense->in[DENSE_x]], w = dense->in[DENSE_w];
    if (x == NONE || in->net.tensors[x].type != TYPE_I32)
        return refuse(dense, "input is no average of quantised values");
    const Op *pool = net_writer(&in->links, dense->in[DENSE_x]);
    const Tensor *pooled = op_in(in->from, pool, "x");
    long pixels = (long)pooled->h * pooled->w;
    double terms = (double)pixels * pooled->c * largest_weight(dense);
    if (terms * largest_code(&in->net.tensors[x].codes) >= 2147483648.0)
        return refuse(dense, "sums over all pixels and channels can overflow 32 bits");
    int scales, k = in->net.tensors[w].k;
    int codes = weight_codes(in, dense, w, &scales);
    int bias = add_array(in, dense->name, ".ibias", TYPE_I32, 1, k), scale = NONE;
    if (!in->standalone) {
        scale = add_array(in, dense->name, ".scale", TYPE_F32, 1, 1);
        Op *constants = add_dense_constants(in, dense, scales, bias, scale);
        constants->input = in->net.tensors[x].codes;
        constants->samples = (int)pixels;
        constants->terms = (int)terms;
    }
    Op *op = net_append_like(&in->net, dense, OP_I_DENSE);
    op->standalone = in->standalone;
    op->in[I_DENSE_x] = x;
    op->in[I_DENSE_codes] = codes;
    op->in[I_DENSE_bias] = bias;
    op->in[I_DENSE_scale] = scale;
    op->out[I_DENSE_y] = dense->out[DENSE_y];
    return true;
}

static bool integer_image(Integers *in, const Op *op)
{
    const Quantiser bytes = quantiser_image();
    int codes = make_codes(in, op->out[IMAGE_y], &bytes);
    Op *copy = net_append_like(&in->net, op, OP_Q_IMAGE);
    copy->in[Q_IMAGE_pixels] = op->in[IMAGE_pixels];
    copy->out[Q_IMAGE_y] = codes;
    return true;
}

/* Codes in, codes out: the same op; or, of a mean, their sum: I_AVGPOOL. */
static bool integer_moved(Integers *in, const Op *op)
{
    int x = in->codes[op->in[LAYER_x]];
    if (x == NONE || in->net.tensors[x].type != TYPE_U8)
        return refuse(op, "input is not quantised");
    bool mean = op->kind == OP_AVGPOOL;
    Quantiser quantiser = in->net.tensors[x].codes;
    int y = make_codes(in, op->out[LAYER_y], &quantiser);
    if (mean) {
        in->net.tensors[y].type = TYPE_I32;
        in->net.tensors[y].cs = in->net.tensors[y].c;
    }
    Op *moved = net_append_like(&in->net, op, mean ? OP_I_AVGPOOL : op->kind);
    moved->in[LAYER_x] = x;
    moved->out[LAYER_y] = y;
    return true;
}

static bool integer_op(Integers *in, const Op *op)
{
    if (op_is(op, MOVES) || op->kind == OP_AVGPOOL)
        return integer_moved(in, op);
    if (op->kind == OP_IMAGE)
        return integer_image(in, op);
    if (op->kind == OP_POINT)
        return integer_point(in, op);
    if (op->kind == OP_DENSE)
        return integer_dense(in, op);
    if (op->kind == OP_BN_FOLD && !in->standalone)
        net_append_op(&in->net, op);
    bool later = op->kind == OP_CONV || op->kind == OP_BN_FOLD; /* with their POINT */
    return later || refuse(op, "has no integer form");
}

bool pass_integer(Net *net, bool standalone)
{
    int count = net->tensor_count;
    Integers in = {.from = net,
                   .links = links_of(net),
                   .net = net_copy(net),
                   .standalone = standalone,
                   .codes = rt_alloc(count * sizeof(int))};
    in.net.op_count = 0;
    for (int i = 0; i < count; i++)
        in.codes[i] = NONE;
    bool ok = true;
    for (int i = 0; ok && i < net->op_count; i++)
        ok = integer_op(&in, &net->ops[i]);
    links_free(&in.links);
    free(in.codes);
    if (ok) {
        net_free(net);
        *net = in.net;
    } else {
        net_free(&in.net);
    }
    return ok;
}
