/* Constants of a float file: batch normalisation folded into weights and biases (Jacob et
 * al. 2018, section 3.2): w' = w scale / sqrt(var + eps), b' = shift - mean scale /
 * sqrt(var + eps). */
#include "gen/emit/constants.h"

#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

/* The convolution whose output the POINT alone reads, or NULL. */
static const Op *folding_conv(const Net *net, const Op *point)
{
    const Op *conv = NULL;
    int readers = 0;
    for (int i = 0; i < net->op_count; i++) {
        if (op_writes(&net->ops[i], point->in[0]))
            conv = &net->ops[i];
        readers += op_reads(&net->ops[i], point->in[0]);
    }
    return conv && conv->kind == OP_CONV && readers == 1 ? conv : NULL;
}

static void scale_weights(const Net *net, const Op *conv, const float *coef,
                          Constants *constants)
{
    const Tensor *w = op_in(net, conv, "w");
    const Constant *weights = constants_find(constants, w->name);
    float *values = weights->values;
    for (size_t i = 0; i < weights->count; i++)
        values[i] *= coef[i % w->k];
    float *bias = constants_add(constants, conv->name, ".bias", TYPE_F32, w->k);
    memcpy(bias, coef + w->k, w->k * sizeof(float));
}

void constants_fold(const Net *net, const float *params, const float *stats,
                    Constants *constants)
{
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *t = &net->tensors[i];
        if (t->role == ROLE_PARAM)
            memcpy(constants_add(constants, t->name, "", TYPE_F32, tensor_count(t)),
                   params + t->offset, tensor_count(t) * sizeof(float));
    }
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->kind != OP_BN_FOLD)
            continue;
        const Tensor *scale = op_in(net, op, "scale"), *shift = op_in(net, op, "shift");
        const Tensor *mean = op_in(net, op, "mean"), *var = op_in(net, op, "var");
        float *coef = rt_alloc(2 * scale->k * sizeof(float));
        rt_bn_fold(scale->k, params + scale->offset, params + shift->offset,
                   stats + mean->offset, stats + var->offset, coef);
        const Op *conv = folding_conv(net, &net->ops[i + 1]);
        if (conv)
            scale_weights(net, conv, coef, constants);
        else
            memcpy(constants_add(constants, op_out(net, op, "coef")->name, "", TYPE_F32,
                                 2 * scale->k),
                   coef, 2 * scale->k * sizeof(float));
        free(coef);
    }
}
