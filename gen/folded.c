/* Constants of an inference file: see folded.h. */
#include "folded.h"

#include "kernels.h"
#include "params.h"
#include "passes.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static float *add_array(Folded *folded, const char *name, const char *suffix, size_t count)
{
    folded->arrays = rt_grow(folded->arrays, (folded->count + 1) * sizeof(Array));
    Array *array = &folded->arrays[folded->count++];
    *array = (Array){.name = rt_format("%s%s", name, suffix),
                     .count = count,
                     .values = rt_alloc(count * sizeof(float))};
    return array->values;
}

const float *folded_find(const Folded *folded, const char *name, size_t *count)
{
    for (int i = 0; i < folded->count; i++) {
        if (strcmp(folded->arrays[i].name, name) == 0) {
            *count = folded->arrays[i].count;
            return folded->arrays[i].values;
        }
    }
    return NULL;
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

static void scale_weights(const Net *net, const Op *conv, const float *coef, Folded *folded)
{
    const Tensor *w = op_in(net, conv, "w");
    size_t count = 0;
    float *values = (float *)folded_find(folded, w->name, &count);
    for (size_t i = 0; i < count; i++)
        values[i] *= coef[i % w->k];
    float *bias = add_array(folded, conv->name, ".bias", w->k);
    memcpy(bias, coef + w->k, w->k * sizeof(float));
}

/* Fold every BN_FOLD into the convolution before its POINT, or keep it as the affine. */
static void fold_all(const Net *net, const float *params, const float *stats, Folded *folded)
{
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
            scale_weights(net, conv, coef, folded);
        else
            memcpy(add_array(folded, op_out(net, op, "coef")->name, "", 2 * scale->k), coef,
                   2 * scale->k * sizeof(float));
        free(coef);
    }
}

bool folded_make(const Config *config, const Checkpoint *checkpoint, const char *path,
                 Folded *folded)
{
    const Net *layers = &config->net;
    int n = params_count(layers, ROLE_PARAM), m = params_count(layers, ROLE_STAT);
    Param *params = params_of(layers, ROLE_PARAM), *stats = params_of(layers, ROLE_STAT);
    float *values = rt_alloc(layers->param_floats * sizeof(float));
    float *tracked = rt_alloc((layers->stat_floats + 1) * sizeof(float));
    *folded = (Folded){0};
    bool ok = checkpoint_match_arch(checkpoint, path, config->arch) &&
              checkpoint_take_for_use(checkpoint, path, params, n, values) &&
              checkpoint_take_for_use(checkpoint, path, stats, m, tracked);
    if (ok) {
        for (int i = 0; i < n; i++)
            memcpy(add_array(folded, params[i].name, "", params[i].count),
                   values + params[i].offset, params[i].count * sizeof(float));
        Net net = net_copy(layers);
        pass_fuse(&net);
        fold_all(&net, values, tracked, folded);
        net_free(&net);
    }
    free(values);
    free(tracked);
    free(params);
    free(stats);
    return ok;
}

void folded_free(Folded *folded)
{
    for (int i = 0; i < folded->count; i++) {
        free(folded->arrays[i].name);
        free(folded->arrays[i].values);
    }
    free(folded->arrays);
    *folded = (Folded){0};
}
