/* Constants of an inference file: see constants.h. */
#include "gen/emit/constants.h"

#include "gen/ir/params.h"
#include "gen/passes/passes.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

void *constants_add(Constants *constants, const char *name, const char *suffix, Type type,
                    size_t count)
{
    constants->list = rt_grow(constants->list, (constants->count + 1) * sizeof(Constant));
    Constant *it = &constants->list[constants->count++];
    *it = (Constant){.type = type, .count = count};
    snprintf(it->name, sizeof it->name, "%s%s", name, suffix);
    it->values = rt_alloc(count * (type == TYPE_I64 ? 8 : 4));
    return it->values;
}

const Constant *constants_find(const Constants *constants, const char *name)
{
    for (int i = 0; i < constants->count; i++)
        if (strcmp(constants->list[i].name, name) == 0)
            return &constants->list[i];
    return NULL;
}

float constants_score_unit(const Constants *constants, const Config *config)
{
    char name[NAME_SIZE + 8];
    snprintf(name, sizeof name, "%s.scale",
             config->net.ops[config->net.op_count - 1].name);
    return *(const float *)constants_find(constants, name)->values;
}

void constants_free(Constants *constants)
{
    for (int i = 0; i < constants->count; i++)
        free(constants->list[i].values);
    free(constants->list);
    *constants = (Constants){0};
}

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

bool constants_make(const Config *config, const Checkpoint *checkpoint, const char *path,
                    Constants *constants)
{
    const Net *layers = &config->net;
    Param *params = params_of(layers, ROLE_PARAM), *stats = params_of(layers, ROLE_STAT);
    float *values = rt_alloc(layers->param_floats * sizeof(float));
    float *tracked = rt_alloc((layers->stat_floats + 1) * sizeof(float));
    *constants = (Constants){0};
    bool ok = checkpoint_match_arch(checkpoint, path, config->arch) &&
              checkpoint_match_pixels(checkpoint, path, config->lines) &&
              checkpoint_match_quantisers(checkpoint, path, config->lines) &&
              checkpoint_take_for_use(checkpoint, path, params,
                                      params_count(layers, ROLE_PARAM), values) &&
              checkpoint_take_for_use(checkpoint, path, stats,
                                      params_count(layers, ROLE_STAT), tracked);
    if (ok) {
        Net net = net_copy(layers);
        pass_fuse(&net);
        if (quant_used(&net))
            ok = constants_integer(config, &net, values, tracked, constants);
        else
            constants_fold(&net, values, tracked, constants);
        net_free(&net);
    }
    free(values);
    free(tracked);
    free(params);
    free(stats);
    return ok;
}
