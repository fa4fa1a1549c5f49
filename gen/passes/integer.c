/* integer: for evaluation and inference. Each convolution takes in the POINT behind it;
 * what it puts out is codes, or, for others to add, the sums themselves. A POINT with no
 * convolution of its own becomes I_POINT. What depends on weights is constant in a
 * standalone file, and computed first in the trainer. Needs: fuse. Leaves: Q_IMAGE, I_
 * ops, ops that only move values. */
#include "gen/passes/integers.h"

#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"

#include <stdlib.h>

const Value no_value = {NONE, NULL, NONE, NONE, NONE};

bool refuse(const Op *op, const char *why)
{
    return rt_fail("%s:%d: %s: %s; it trains, but has no integer form", op->file,
                   op->line, op->name, why);
}

/* What is computed from weights: constant in a standalone file. */
static int add_array(Integers *in, const char *name, const char *suffix, Type type, int c,
                     int k)
{
    Role role = in->standalone ? ROLE_PARAM : ROLE_ONCE;
    return net_add_array(&in->net, role, type, name, suffix, c, k);
}

int make_codes(Integers *in, int tensor, const Quantiser *quantiser)
{
    in->values[tensor] = no_value;
    return in->values[tensor].tensor = net_add_codes(&in->net, tensor, quantiser);
}

/* A tensor of 32-bit sums, shaped as the float one. */
int make_sums(Integers *in, int tensor, const char *name, const char *suffix)
{
    Tensor like = in->from->tensors[tensor];
    int sums = net_add_data(&in->net, name, suffix, like.h, like.w, like.c);
    in->net.tensors[sums].type = TYPE_I32;
    in->values[tensor] = no_value;
    return in->values[tensor].tensor = sums;
}

bool holds(const Integers *in, int tensor, Type type)
{
    int integers = in->values[tensor].tensor;
    return integers != NONE && in->net.tensors[integers].type == type;
}

/* ---- Weights ---- */

/* Learned bits always, whatever they came to: the arena must not depend on them. */
bool integer_packs(const Quantiser *quantiser)
{
    return quantiser->bits < 8 || quantiser->quantizer == RT_QUANT_STEP_RANGE;
}

static int code_words(const Op *layer, const Tensor *w)
{
    return rt_code_words(w->rank == 4 ? w->h * w->w : 1, w->c, layer->groups);
}

/* The trainer's: codes of the layer's weights, and their scales. */
static int computed_weights(Integers *in, const Op *layer, int weights, int *scales)
{
    Net *net = &in->net;
    Tensor w = net->tensors[weights];
    int codes =
        add_array(in, layer->name, ".codes", TYPE_U32, code_words(layer, &w), w.k);
    *scales = add_array(in, layer->name, ".scales", TYPE_F32, 2, w.k);
    Op *op = net_append_like(net, layer, OP_Q_WEIGHTS);
    op->input = net->tensors[in->values[layer->in[LAYER_x]].tensor].codes;
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
    int words = code_words(layer, &w), bits = layer->own.bits;
    if (!integer_packs(&layer->own))
        return add_array(in, layer->name, ".codes", TYPE_U32, words, w.k);
    int packed =
        add_array(in, layer->name, ".packed", TYPE_U32, 1, (words * w.k + 7) / 8 * bits);
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

int integer_largest_weight(const Op *layer)
{
    bool learned = layer->quant.quantizer == RT_QUANT_STEP_RANGE;
    return learned ? 127 : (1 << (layer->quant.w_bits - 1)) - 1;
}

long integer_largest_code(const Quantiser *codes)
{
    return codes->quantizer == RT_QUANT_STEP_RANGE ? 255 : (1 << codes->bits) - 1;
}

/* ---- Convolutions ---- */

/* The mean over all pixels that a dense layer reads, as its sum; or NULL. */
static const Op *pool_before(const Integers *in, const Op *layer)
{
    const Op *pool = net_writer(&in->links, layer->in[LAYER_x]);
    return pool->kind == OP_AVGPOOL && mean_is_exact(&in->links, pool) ? pool : NULL;
}

/* Pixels in the sum that stands for a layer's input. */
static long pixels_before(const Integers *in, const Op *layer)
{
    const Op *pool = pool_before(in, layer);
    const Tensor *x = pool ? op_in(in->from, pool, "x") : NULL;
    return x ? (long)x->h * x->w : 1;
}

/* Values in a sum, each as often as its weight's largest code. */
static long sum_terms(const Integers *in, const Op *layer)
{
    const Tensor *w = op_in(in->from, layer, "w");
    return tensor_count(w) / w->k * pixels_before(in, layer) *
           integer_largest_weight(layer);
}

/* Whether a sum of products can overflow 32 bits. */
static bool is_wide(const Integers *in, const Op *layer, const Quantiser *codes)
{
    return sum_terms(in, layer) >= (1L << 31) / integer_largest_code(codes);
}

static const Quantiser *input_codes(const Integers *in, const Op *conv)
{
    return &in->net.tensors[in->values[conv->in[CONV_x]].tensor].codes;
}

static bool pool_fits(const Integers *in, const Op *layer)
{
    return pixels_before(in, layer) * 255 < 1L << 31 ||
           refuse(layer, "sums over all pixels can overflow 32 bits");
}

static bool has_integer_form(const Integers *in, const Op *conv)
{
    if (conv->own.quantizer == RT_QUANT_NONE)
        return refuse(conv, "weights are kept at 32 bits");
    const Tensor *w = op_in(in->from, conv, "w");
    if (tensor_count(w) / w->k * 255 * 127 >= 1L << 31)
        return refuse(conv, "sums of its products can overflow 32 bits");
    if (pool_before(in, conv))
        return pool_fits(in, conv);
    return holds(in, conv->in[CONV_x], TYPE_U8) || refuse(conv, "input is not quantised");
}

/* Its integer form; it puts out sums until a POINT joins in. */
static Op integer_conv(const Integers *in, const Op *conv, int codes, int y)
{
    Op op = op_like(conv, OP_I_CONV);
    op.own = quantiser_none();
    op.in[I_CONV_x] = in->values[conv->in[CONV_x]].tensor;
    op.in[I_CONV_codes] = codes;
    op.out[I_CONV_y] = y;
    return op;
}

/* Products of averages: one pixel's. */
static Op integer_product(const Integers *in, const Op *layer, int codes, int y)
{
    Op op = op_like(layer, OP_I_DENSE);
    op.own = quantiser_none();
    op.standalone = in->standalone;
    op.in[I_DENSE_x] = in->values[layer->in[LAYER_x]].tensor;
    op.in[I_DENSE_codes] = codes;
    op.out[I_DENSE_y] = y;
    return op;
}

static bool add_sums(Integers *in, const Op *conv)
{
    if (!has_integer_form(in, conv))
        return false;
    int scales, codes = weight_codes(in, conv, conv->in[CONV_w], &scales);
    int sums = make_sums(in, conv->out[CONV_y], conv->name, ".sums");
    bool pooled = pool_before(in, conv) != NULL;
    if (pooled && is_wide(in, conv, input_codes(in, conv)))
        in->net.tensors[sums].type = TYPE_I64;
    in->values[conv->out[CONV_y]].conv = conv;
    in->values[conv->out[CONV_y]].scales = scales;
    Op op = pooled ? integer_product(in, conv, codes, sums)
                   : integer_conv(in, conv, codes, sums);
    net_append_op(&in->net, &op);
    return true;
}

/* ---- Pixel by pixel ---- */

/* Where a layer's constants are, and how it is rescaled: constant in a standalone file,
 * else an I_CONSTANTS that computes them. */
typedef struct {
    int b, m, r, shift;
} Rescale;

/* To `unit`, of a stream, or to codes of like->own; below 0, a leaky ReLU has constants
 * of its own. `x` and `other` (or NULL) are what is added. */
static Rescale add_constants(Integers *in, const Op *like, int k, const Value *x,
                             const Value *other, int unit)
{
    int rows = like->slope > 0 ? 2 : 1;
    Rescale to = {.b = add_array(in, like->name, ".b", TYPE_I64, rows, k),
                  .m = add_array(in, like->name, ".m", TYPE_I32, rows, k)};
    to.r = other ? add_array(in, like->name, ".r", TYPE_I32, rows, k) : NONE;
    to.shift = add_array(in, like->name, ".shift", TYPE_I32, 1, 2);
    if (in->standalone)
        return to;
    const Value *added = other ? other : &no_value;
    Op *op = net_append_like(&in->net, like, OP_I_CONSTANTS);
    op->in[I_CONSTANTS_scales] = x->scales;
    op->in[I_CONSTANTS_coef] = x->coef;
    op->in[I_CONSTANTS_from] = x->unit;
    op->in[I_CONSTANTS_scales2] = added->scales;
    op->in[I_CONSTANTS_coef2] = added->coef;
    op->in[I_CONSTANTS_from2] = added->unit;
    op->out[I_CONSTANTS_b] = to.b;
    op->out[I_CONSTANTS_m] = to.m;
    op->out[I_CONSTANTS_r] = to.r;
    op->out[I_CONSTANTS_shift] = to.shift;
    op->out[I_CONSTANTS_unit] = unit;
    op->input = x->conv ? *input_codes(in, x->conv) : in->net.tensors[x->tensor].codes;
    op->terms = x->conv ? sum_terms(in, x->conv) : 0;
    op->samples = x->conv ? (int)pixels_before(in, x->conv) : 1;
    op->other_samples = 1;
    if (added->conv) {
        op->other = *input_codes(in, added->conv);
        op->other_terms = sum_terms(in, added->conv);
        op->other_samples = (int)pixels_before(in, added->conv);
    } else if (other) {
        op->other = in->net.tensors[added->tensor].codes;
    }
    return to;
}

/* The integers that a POINT reads; sums and streams are made when the first reader asks.
 * An affine on the way stays with them. */
static bool value_of(Integers *in, const Op *reader, int tensor, Value *value)
{
    const Op *writer = net_writer(&in->links, tensor);
    if (in->values[tensor].tensor == NONE && writer->kind == OP_CONV &&
        !add_sums(in, writer))
        return false;
    *value = in->values[tensor];
    if (value->tensor != NONE)
        return true;
    if (writer->kind != OP_POINT)
        return refuse(reader, "reads something that is not quantised");
    if (writer->in[POINT_residual] == NONE) {
        if (!value_of(in, writer, writer->in[POINT_x], value))
            return false;
        if (value->coef == NONE) {
            value->coef = writer->in[POINT_coef];
            return true;
        }
    }
    bool made = add_stream(in, writer);
    *value = in->values[tensor];
    return made;
}

/* The same where an affine of the reader's own follows: there is room for one only. */
bool value_before(Integers *in, const Op *reader, int tensor, int coef, Value *value)
{
    if (!value_of(in, reader, tensor, value))
        return false;
    if (coef != NONE && value->coef != NONE) {
        if (!add_stream(in, net_writer(&in->links, tensor)))
            return false;
        *value = in->values[tensor];
    }
    value->coef = coef != NONE ? coef : value->coef;
    return true;
}

void add_rescale(Integers *in, Op *point, int k, const Value *x)
{
    Rescale to = add_constants(in, point, k, x, NULL, NONE);
    point->in[I_POINT_b] = to.b;
    point->in[I_POINT_m] = to.m;
    point->in[I_POINT_shift] = to.shift;
}

/* I_POINT: to codes, or to a stream. */
static bool add_point(Integers *in, const Op *point, bool stream)
{
    Value x, other;
    int residual = point->in[POINT_residual], y = point->out[POINT_y];
    if (!value_before(in, point, point->in[POINT_x], point->in[POINT_coef], &x) ||
        (residual != NONE && !value_of(in, point, residual, &other)))
        return false;
    Op op = op_like(point, OP_I_POINT);
    op.out[I_POINT_y] = stream ? make_sums(in, y, point->name, ".stream")
                               : make_codes(in, y, &point->own);
    int unit = NONE;
    if (stream && !in->standalone)
        unit = in->values[y].unit = add_array(in, op.name, ".unit", TYPE_F64, 1, 1);
    Rescale to = add_constants(in, &op, in->from->tensors[y].c, &x,
                               residual == NONE ? NULL : &other, unit);
    op.in[I_POINT_x] = x.tensor;
    op.in[I_POINT_b] = to.b;
    op.in[I_POINT_m] = to.m;
    op.in[I_POINT_r] = to.r;
    op.in[I_POINT_shift] = to.shift;
    op.in[I_POINT_residual] = residual == NONE ? NONE : other.tensor;
    net_append_op(&in->net, &op);
    return true;
}

bool add_stream(Integers *in, const Op *point)
{
    return add_point(in, point, true);
}

/* The convolution takes in the POINT that alone reads it. */
static bool add_joined(Integers *in, const Op *conv, const Op *point)
{
    Value x = no_value, other;
    int residual = point->in[POINT_residual];
    if (!has_integer_form(in, conv) ||
        (residual != NONE && !value_of(in, point, residual, &other)))
        return false;
    int codes = weight_codes(in, conv, conv->in[CONV_w], &x.scales);
    x.conv = conv;
    x.coef = point->in[POINT_coef];
    Op op =
        integer_conv(in, conv, codes, make_codes(in, point->out[POINT_y], &point->own));
    op.own = point->own;
    op_activate(&op, point);
    Rescale to = add_constants(in, &op, in->from->tensors[conv->out[CONV_y]].c, &x,
                               residual == NONE ? NULL : &other, NONE);
    op.in[I_CONV_b] = to.b;
    op.in[I_CONV_m] = to.m;
    op.in[I_CONV_r] = to.r;
    op.in[I_CONV_shift] = to.shift;
    op.in[I_CONV_residual] = residual == NONE ? NONE : other.tensor;
    net_append_op(&in->net, &op);
    return true;
}

static bool integer_point(Integers *in, const Op *point)
{
    if (point->own.quantizer == RT_QUANT_NONE)
        return !point->relu || refuse(point, "activation is kept at 32 bits");
    int x = point->in[POINT_x];
    const Op *conv = net_writer(&in->links, x);
    if (conv->kind == OP_CONCAT)
        return integer_joined(in, point, conv);
    bool alone = conv->kind == OP_CONV && net_readers(&in->links, x) == 1 &&
                 !pool_before(in, conv);
    bool joins = alone && point->slope == 0; /* convolutions rescale in one way */
    return joins ? add_joined(in, conv, point) : add_point(in, point, false);
}

/* ---- The other layers ---- */

/* The trainer's constants of a dense layer: bias in integers, and a score's unit. */
static Op *add_dense_constants(Integers *in, const Op *dense, int scales, int bias,
                               int scale)
{
    char name[NAME_SIZE];
    name_behind(name, dense->name, "_bias");
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
        return refuse(dense, "weights are kept at 32 bits");
    int x = in->values[dense->in[DENSE_x]].tensor, w = dense->in[DENSE_w];
    bool pooled = pool_before(in, dense) != NULL;
    if (x == NONE || (!pooled && in->net.tensors[x].type != TYPE_U8))
        return refuse(dense, "input is not quantised, nor an average of what is");
    if (!pool_fits(in, dense))
        return false;
    bool wide = is_wide(in, dense, &in->net.tensors[x].codes);
    int scales, k = in->net.tensors[w].k;
    int codes = weight_codes(in, dense, w, &scales);
    Type type = wide ? TYPE_I64 : TYPE_I32; /* of scores, too */
    int bias = add_array(in, dense->name, ".ibias", type, 1, k), scale = NONE;
    if (!in->standalone) {
        scale = add_array(in, dense->name, ".scale", TYPE_F32, 1, 1);
        Op *constants = add_dense_constants(in, dense, scales, bias, scale);
        constants->input = in->net.tensors[x].codes;
        constants->samples = (int)pixels_before(in, dense);
        constants->terms = sum_terms(in, dense);
    }
    Op op = integer_product(in, dense, codes, dense->out[DENSE_y]);
    op.in[I_DENSE_bias] = bias;
    op.in[I_DENSE_scale] = scale;
    net_append_op(&in->net, &op);
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

static bool integer_op(Integers *in, const Op *op)
{
    if (op->kind == OP_AVGPOOL)
        return integer_mean(in, op);
    if (op_is(op, MOVES))
        return integer_moved(in, op);
    if (op->kind == OP_IMAGE)
        return integer_image(in, op);
    if (op->kind == OP_POINT)
        return integer_point(in, op);
    if (op->kind == OP_DENSE)
        return integer_dense(in, op);
    if (op->kind == OP_BN_FOLD && !in->standalone)
        net_append_op(&in->net, op);
    bool later = op->kind == OP_CONV || op->kind == OP_BN_FOLD || /* with their POINT */
                 op->kind == OP_CONCAT;
    return later || refuse(op, "computes in floats");
}

bool pass_integer(Net *net, bool standalone)
{
    int count = net->tensor_count;
    Integers in = {.from = net,
                   .links = links_of(net),
                   .net = net_copy(net),
                   .standalone = standalone,
                   .values = rt_alloc(count * sizeof(Value))};
    in.net.op_count = 0;
    for (int i = 0; i < count; i++)
        in.values[i] = no_value;
    bool ok = true;
    for (int i = 0; ok && i < net->op_count; i++)
        ok = integer_op(&in, &net->ops[i]);
    links_free(&in.links);
    free(in.values);
    if (ok) {
        net_free(net);
        *net = in.net;
    } else {
        net_free(&in.net);
    }
    return ok;
}
