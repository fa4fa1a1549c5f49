/* Constants of a float file: batch normalisation folded into weights and biases (Jacob et
 * al. 2018, section 3.2): w' = w scale / sqrt(var + eps), b' = shift - mean scale /
 * sqrt(var + eps). */
#include "gen/emit/constants.h"

#include "gen/passes/passes.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

static void scale_weights(const Net *net, const Op *conv, const float *coef,
                          Constants *constants)
{
    const Tensor *w = op_in(net, conv, "w");
    const Constant *weights = constants_find(constants, w->name);
    float *values = weights->values;
    for (size_t i = 0; i < weights->count; i++)
        values[i] *= coef[i % w->k];
    char name[NAME_SIZE];
    name_behind(name, conv->name, ".bias");
    const Constant *own = constants_find(constants, name);
    float *bias = own ? own->values : constants_add(constants, name, "", TYPE_F32, w->k);
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
    Links links = links_of(net);
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->kind != OP_POINT || op->in[POINT_coef] == NONE)
            continue;
        const Op *fold = net_writer(&links, op->in[POINT_coef]);
        size_t count = tensor_count(op_in(net, op, "coef"));
        float *coef = rt_alloc(count * sizeof(float));
        constants_affine(net, fold, params, stats, coef);
        const Op *conv = fold_conv(&links, op);
        if (conv)
            scale_weights(net, conv, coef, constants);
        else
            memcpy(constants_add(constants, op_in(net, op, "coef")->name, "", TYPE_F32,
                                 count),
                   coef, count * sizeof(float));
        free(coef);
    }
    links_free(&links);
}

/* [rows][outputs] to [outputs / beside][rows][beside]. */
static void order(const Constant *weights, int outputs, int beside)
{
    float *values = weights->values;
    const size_t rows = weights->count / outputs;
    float *old = rt_alloc(weights->count * sizeof(float));
    memcpy(old, values, weights->count * sizeof(float));
    for (size_t i = 0; i < weights->count; i++) {
        const size_t row = i / outputs, k = i % outputs;
        values[(k / beside * rows + row) * beside + k % beside] = old[i];
    }
    free(old);
}

void constants_order(const Net *infer, Constants *constants)
{
    for (int i = 0; i < infer->op_count; i++) {
        const Op *op = &infer->ops[i];
        if (op->kind != OP_CONV_FOLDED || op->beside == 0)
            continue;
        char name[NAME_SIZE];
        name_behind(name, op->name, ".weight");
        order(constants_find(constants, name), op_out(infer, op, "y")->c, op->beside);
    }
}
