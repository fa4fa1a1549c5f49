/* The list of an inference file's constants: see constants.h. */
#include "gen/emit/constants.h"

#include "gen/ir/params.h"
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

/* The channels from `first` on, of a concatenation's part; NULL for NONE. */
static const float *part_of(const Net *net, int tensor, int first, const float *params,
                            const float *stats)
{
    const float *all = params_numbers(net, tensor, params, stats);
    return all ? all + first : NULL;
}

void constants_affine(const Net *net, const Op *fold, const float *params,
                      const float *stats, float *coef)
{
    const int *in = fold->in, first = fold->channel_offset;
    const BnCall bn = {.channels = op_out(net, fold, "coef")->k,
                       .eps = fold->eps,
                       .scale = part_of(net, in[BN_FOLD_scale], first, params, stats),
                       .shift = part_of(net, in[BN_FOLD_shift], first, params, stats),
                       .mean = part_of(net, in[BN_FOLD_mean], first, params, stats),
                       .var = part_of(net, in[BN_FOLD_var], first, params, stats),
                       .bias = part_of(net, in[BN_FOLD_bias], first, params, stats)};
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
