/* Constants of an integer file: the part of the trainer's integer program that depends on
 * weights alone, carried out here, op by op, with the runtime's own functions. */
#include "gen/emit/constants.h"

#include "gen/ir/params.h"
#include "gen/passes/passes.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/quant.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const Config *config;
    const Net *net;
    const float *params, *stats;
    Constants *constants;
} Maker;

/* The tensor's values, made the first time. */
static void *values_of(Maker *m, int tensor)
{
    if (tensor == NONE)
        return NULL;
    const Tensor *t = &m->net->tensors[tensor];
    const Constant *it = constants_find(m->constants, t->name);
    return it ? it->values
              : constants_add(m->constants, t->name, "", t->type, tensor_count(t));
}

static const float *param(const Maker *m, int tensor)
{
    return params_numbers(m->net, tensor, m->params, m->stats);
}

/* The step of codes: the image's, or the quantiser's. */
static double step_of(const Maker *m, const Quantiser *q, int *largest)
{
    if (q->is_image) {
        *largest = 255;
        return config_image_step(m->config);
    }
    RtQuant quant = quantiser_rt(q);
    const float *step = param(m, q->step), *range = param(m, q->range);
    return rt_quant_step(&quant, step ? *step : 0, range ? *range : 0, largest);
}

static void make_weights(Maker *m, const Op *op)
{
    const Tensor *w = op_in(m->net, op, "w");
    float factor[4], zero[4];
    int channels = op->groups > 1 ? w->c * op->groups : w->c;
    for (int c = 0; op->input.is_image && c < channels; c++) {
        factor[c] = config_image_factor(m->config, c);
        zero[c] = (float)m->config->mean[c];
    }
    const RtWeights weights = {.quant = quantiser_rt(&op->own),
                               .taps = w->rank == 4 ? w->h * w->w : 1,
                               .c = w->rank == 1 ? 1 : w->c,
                               .k = w->k,
                               .groups = op->groups,
                               .steps = params_steps(m->net, &op->own),
                               .factor = op->input.is_image ? factor : NULL,
                               .zero = op->input.is_image ? zero : NULL,
                               .zero_of_all = op->input.zero};
    rt_quant_weights(&weights, m->params + w->offset, param(m, op->own.step),
                     param(m, op->own.range), values_of(m, op->out[Q_WEIGHTS_codes]),
                     values_of(m, op->out[Q_WEIGHTS_values]),
                     values_of(m, op->out[Q_WEIGHTS_scales]));
}

/* What an I_CONSTANTS adds: `terms` products, of averages over `pixels`, or codes, or,
 * with `from`, a stream. */
static RtSum sum_of(Maker *m, int scales, int coef, int from, const Quantiser *codes,
                    long terms, int pixels)
{
    RtSum sum = {.scales = values_of(m, scales),
                 .coef = values_of(m, coef),
                 .most = RT_STREAM_MOST};
    int most;
    if (from != NONE) {
        sum.step = *(const double *)values_of(m, from);
    } else {
        sum.step = step_of(m, codes, &most) / (pixels > 1 ? pixels : 1);
        sum.zero = codes->zero;
        sum.most = (double)(terms > 0 ? terms : 1) * most;
    }
    return sum;
}

/* What the runtime says, with the layer in front. */
static bool failed_for(const Op *op)
{
    char *why = rt_format("%s", rt_error());
    rt_error_clear();
    rt_fail("%s:%d: %s: %s", op->file, op->line, op->name, why);
    free(why);
    return false;
}

static bool make_layer(Maker *m, const Op *op)
{
    const int *in = op->in, *out = op->out;
    const RtSum sum = sum_of(m, in[I_CONSTANTS_scales], in[I_CONSTANTS_coef],
                             in[I_CONSTANTS_from], &op->input, op->terms, op->samples);
    bool added = out[I_CONSTANTS_r] != NONE;
    RtSum other = {0};
    if (added)
        other =
            sum_of(m, in[I_CONSTANTS_scales2], in[I_CONSTANTS_coef2],
                   in[I_CONSTANTS_from2], &op->other, op->other_terms, op->other_samples);
    const RtSum *second = added ? &other : NULL;
    int k = op_out(m->net, op, "b")->k, largest;
    int64_t *b = values_of(m, out[I_CONSTANTS_b]);
    int32_t *factor = values_of(m, out[I_CONSTANTS_m]),
            *r = values_of(m, out[I_CONSTANTS_r]),
            *shift = values_of(m, out[I_CONSTANTS_shift]);
    bool ok;
    if (out[I_CONSTANTS_unit] != NONE) {
        double *unit = values_of(m, out[I_CONSTANTS_unit]);
        ok = rt_stream_constants(k, &sum, second, unit, b, factor, r, shift);
    } else {
        double step = step_of(m, &op->own, &largest);
        ok = rt_layer_constants(k, &sum, second, step, op->own.zero, op->slope, largest,
                                b, factor, r, shift);
    }
    return ok || failed_for(op);
}

static bool make_dense(Maker *m, const Op *op)
{
    int most;
    double step = step_of(m, &op->input, &most);
    void *bias = values_of(m, op->out[I_DENSE_CONSTANTS_ibias]);
    bool wide = op_out(m->net, op, "ibias")->type == TYPE_I64;
    if (rt_dense_constants(op_out(m->net, op, "ibias")->k,
                           values_of(m, op->in[I_DENSE_CONSTANTS_scales]),
                           values_of(m, op->in[I_DENSE_CONSTANTS_bias]), step,
                           op->samples, (double)op->terms * most, wide ? NULL : bias,
                           wide ? bias : NULL,
                           values_of(m, op->out[I_DENSE_CONSTANTS_scale])))
        return true;
    return failed_for(op);
}

/* The most bits in use of any channel. */
static int bits_of(const Maker *m, const Op *op)
{
    RtQuant quant = quantiser_rt(&op->own);
    const float *step = param(m, op->own.step), *range = param(m, op->own.range);
    int count = m->net->tensors[op->own.step != NONE ? op->own.step : op->own.range].k,
        most = 0;
    for (int i = 0; i < count; i++) {
        int bits = rt_quant_bits(&quant, step ? step[i] : 0, range ? range[i] : 0);
        most = bits > most ? bits : most;
    }
    return most;
}

/* A block of codes at their own bits, so that unpacking is a few operations on whole
 * words in order, which any compiler vectorises. The words of four codes fall into eight
 * runs of `run`. Bits go in planes of 8, 4, 2 and 1, those that add up to `bits`, the
 * lowest bits first; in a plane of s bits, a word holds its share of one word each of 8 /
 * s runs, byte over byte. */
static void pack_block(const uint32_t *words, size_t count, int bits, uint32_t *plane)
{
    size_t run = (count + 7) / 8;
    int below = 0;
    for (int s = 8; s > 0; s /= 2) {
        if ((bits & s) == 0)
            continue;
        const uint32_t mask = 0x01010101u * ((1u << s) - 1);
        for (size_t i = 0; i < count; i++) {
            size_t r = i / run;
            plane[r / (8 / s) * run + i % run] |= (words[i] >> below & mask)
                                                  << r % (8 / s) * s;
        }
        plane += s * run;
        below += s;
    }
}

/* Block by block, as they lie: those of a wide layer are unpacked one at a time. */
static void pack(Maker *m, const Op *op)
{
    int bits = bits_of(m, op), k = op_in(m->net, op, "w")->k;
    char name[NAME_SIZE];
    name_behind(name, op->name, ".codes");
    const Constant *codes = constants_find(m->constants, name);
    const uint32_t *words = codes->values;
    size_t count = codes->count, block = count / k * rt_code_block(k);
    size_t size = (block + 7) / 8 * bits;
    uint32_t *packed =
        constants_add(m->constants, op->name, ".packed", TYPE_U32, count / block * size);
    m->constants->list[m->constants->count - 1].bits = bits;
    for (size_t i = 0; i < count / block; i++)
        pack_block(words + i * block, block, bits, packed + i * size);
}

static bool make_op(Maker *m, const Op *op)
{
    switch (op->kind) {
    case OP_Q_WEIGHTS:
        make_weights(m, op);
        if (op->out[Q_WEIGHTS_codes] != NONE && integer_packs(&op->own))
            pack(m, op);
        return true;
    case OP_BN_FOLD:
        constants_affine(m->net, op, m->params, m->stats,
                         values_of(m, op->out[BN_FOLD_coef]));
        return true;
    case OP_I_CONSTANTS:
        return make_layer(m, op);
    case OP_I_DENSE_CONSTANTS:
        return make_dense(m, op);
    default: /* what runs for an image needs no constant made */
        if (op->scope != SCOPE_IMAGE)
            op_unhandled(m->net, op, "constants");
        return true;
    }
}

bool constants_integer(const Config *config, const Net *fused, const float *params,
                       const float *stats, Constants *constants)
{
    Net net = net_copy(fused);
    bool ok = pass_integer(&net, false);
    Maker m = {config, &net, params, stats, constants};
    for (int i = 0; ok && i < net.op_count; i++)
        ok = make_op(&m, &net.ops[i]);
    net_free(&net);
    return ok;
}
