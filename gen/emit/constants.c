/* The list of an inference file's constants: see constants.h. */
#include "gen/emit/constants.h"

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
    it->values = rt_alloc(count * (size_t)type_bytes(type));
    return it->values;
}

const Constant *constants_find(const Constants *constants, const char *name)
{
    for (int i = 0; i < constants->count; i++)
        if (strcmp(constants->list[i].name, name) == 0)
            return &constants->list[i];
    return NULL;
}

static const float *array_at(const Net *net, int tensor, int first, const float *params,
                             const float *stats)
{
    if (tensor == NONE)
        return NULL;
    const Tensor *t = &net->tensors[tensor];
    return (t->role == ROLE_PARAM ? params : stats) + t->offset + first;
}

void constants_affine(const Net *net, const Op *fold, const float *params,
                      const float *stats, float *coef)
{
    const int *in = fold->in,
              first = fold->channel_offset; /* of a concatenation's part */
    const BnCall bn = {.channels = op_out(net, fold, "coef")->k,
                       .eps = fold->eps,
                       .scale = array_at(net, in[BN_FOLD_scale], first, params, stats),
                       .shift = array_at(net, in[BN_FOLD_shift], first, params, stats),
                       .mean = array_at(net, in[BN_FOLD_mean], first, params, stats),
                       .var = array_at(net, in[BN_FOLD_var], first, params, stats),
                       .bias = array_at(net, in[BN_FOLD_bias], first, params, stats)};
    rt_bn_fold(&bn, coef);
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
