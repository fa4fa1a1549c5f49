/* Which layers are quantised, and the parameters of their quantisers: a step, a range, or
 * both; trained ones among params, calibrated ones among stats. */
#include "gen/config/quantisers.h"

#include "gen/config/layer_names.h"
#include "gen/ir/links.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int add_param(Net *net, const char *layer, const char *suffix, ParamKind kind,
                     bool trained, int count)
{
    int index = net_add_tensor(net, trained ? ROLE_PARAM : ROLE_STAT, layer, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->param_kind = kind;
    tensor->init = INIT_ONE;
    tensor->rank = 1;
    tensor->k = count;
    return index;
}

static Quantiser add_quantiser(Net *net, const Quant *quant, const char *layer,
                               const char *what, bool is_signed, int bits, int count)
{
    Quantiser q = {.quantizer = quant->quantizer,
                   .bits = bits,
                   .is_signed = is_signed,
                   .gradient = quant->gradient,
                   .gradient_scale = quant->gradient_scale,
                   .steepness = quant->steepness,
                   .step = NONE,
                   .range = NONE};
    char name[NAME_SIZE];
    if (quant->quantizer == RT_QUANT_STEP || quant->quantizer == RT_QUANT_STEP_RANGE) {
        snprintf(name, sizeof name, ".%s_step", what);
        q.step = add_param(net, layer, name, PARAM_STEP, true, count);
    }
    if (quant->quantizer == RT_QUANT_STATIC || quant->quantizer == RT_QUANT_STEP_RANGE) {
        snprintf(name, sizeof name, ".%s_range", what);
        bool trained = quant->quantizer == RT_QUANT_STEP_RANGE;
        q.range = add_param(net, layer, name, PARAM_RANGE, trained, count);
    }
    return q;
}

/* The op whose values a tensor holds, perhaps moved about. */
static int values_from(const Net *net, int tensor)
{
    for (int i = net->op_count - 1; i >= 0; i--) {
        const Op *op = &net->ops[i];
        if (!op_writes(op, tensor))
            continue;
        bool same = op_is(op, MOVES) &&
                    net->tensors[op->in[LAYER_x]].c == net->tensors[op->out[LAYER_y]].c;
        if (!same)
            return i;
        tensor = op->in[LAYER_x];
    }
    return NONE;
}

/* Codes of both signs, with that share of them below 0, and one at least of several, so
 * that gradients pass there. Their range is found once, whatever the quantiser: nothing
 * says where it would have to stop. */
static Quantiser add_signed(Net *net, Quant quant, const char *layer, double share)
{
    quant.quantizer = RT_QUANT_STATIC;
    Quantiser q = add_quantiser(net, &quant, layer, "act", false, quant.a_bits, 1);
    int codes = rt_quant_codes(quant.a_bits, false), zero = (int)rint(share * codes);
    q.zero = zero < 1 && codes > 1 ? 1 : zero;
    return q;
}

/* What a convolution of codes reads must be codes: where no ReLU is, as behind
 * the narrow end of an inverted residual, the sum itself is quantised. */
static void quantise_sums(Net *net)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *conv = &net->ops[i];
        if (conv->kind != OP_CONV || conv->own.quantizer == RT_QUANT_NONE)
            continue;
        int from = values_from(net, conv->in[CONV_x]);
        Op op = net->ops[from];
        bool sum = op.kind == OP_BN || op.kind == OP_ADD;
        if (!sum || op.quant.quantizer == RT_QUANT_NONE || op.quant.a_bits == 32 ||
            op.own.quantizer != RT_QUANT_NONE)
            continue;
        op.own = add_signed(net, op.quant, op.name, 0.5);
        net->ops[from] = op;
    }
}

/* Whether channels that are joined get codes of one step: all of them are codes, and a
 * layer reads them so. Normalisation and ReLU read each part as it is. */
static bool joins_codes(const Links *links, const Op *concat, const bool *codes)
{
    bool all = true, read = false;
    for (int i = 0; i < OP_INPUTS && concat->in[i] != NONE; i++)
        all = all && codes[concat->in[i]];
    for (int i = 0; i < net_readers(links, concat->out[CONCAT_y]); i++) {
        OpKind kind = net_reader(links, concat->out[CONCAT_y], i)->kind;
        read = read || (kind != OP_BN && kind != OP_RELU && kind != OP_CONCAT);
    }
    return all && read;
}

/* Whether the op puts out codes of activations, of one step or of several. */
static bool puts_codes(const Op *op, const bool *codes)
{
    if (op_is(op, ACTIVATION) && op->own.quantizer != RT_QUANT_NONE)
        return true;
    bool all = op_is(op, MOVES) || op->kind == OP_CONCAT;
    for (int i = 0; i < OP_INPUTS && op->in[i] != NONE; i++)
        all = all && codes[op->in[i]];
    return all;
}

/* The share of an activation's values below 0, as the range of its codes has it: of a
 * leaky ReLU's, where as much lies below 0 as above before it; of a concatenation's, the
 * largest of its parts'. */
static double share_below(const Op *op, const double *shares)
{
    double share = op->slope / (1 + op->slope);
    bool passes = op_is(op, MOVES) || op->kind == OP_CONCAT;
    for (int i = 0; passes && i < OP_INPUTS && op->in[i] != NONE; i++)
        share = fmax(share, shares[op->in[i]]);
    return share;
}

static void add_quantisers(Net *net, Op *op, bool activation, double below, bool last)
{
    char base[NAME_SIZE]; /* "s1b0_conv1" for s1b0_conv1_relu */
    snprintf(base, sizeof base, "%s", op->name);
    cut_activation(base);
    if (op_is(op, WEIGHTS) && op->quant.w_bits < 32) {
        bool channels = !last && op->quant.per_channel;
        int count = channels ? op_in(net, op, "w")->k : 1;
        op->own =
            add_quantiser(net, &op->quant, base, "weight", true, op->quant.w_bits, count);
    }
    if (op_is(op, BIAS) && last && op->quant.w_bits < 32)
        op->bias =
            add_quantiser(net, &op->quant, base, "bias", true, op->quant.w_bits, 1);
    if (activation && op->quant.a_bits < 32 && below > 0) {
        op->own = add_signed(net, op->quant, base, below);
    } else if (activation && op->quant.a_bits < 32) {
        op->own = add_quantiser(net, &op->quant, base, "act", false, op->quant.a_bits, 1);
        op->own.ceiling = op->ceiling;
    }
}

void quant_add_params(Net *net)
{
    Links links = links_of(net);
    bool *codes = rt_alloc(net->tensor_count); /* by tensor of a layer */
    double *shares = rt_alloc(net->tensor_count * sizeof(double)); /* the same */
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i]; /* tensors grow, ops do not */
        bool activation = op->kind == OP_CONCAT ? joins_codes(&links, op, codes)
                                                : op_is(op, ACTIVATION);
        double below = shares[op->out[LAYER_y]] = share_below(op, shares);
        if (op->quant.quantizer != RT_QUANT_NONE)
            add_quantisers(net, op, activation, below, i + 1 == net->op_count);
        codes[op->out[LAYER_y]] = puts_codes(op, codes);
    }
    quantise_sums(net);
    links_free(&links);
    free(codes);
    free(shares);
}
