/* The network's parameters as the runtime's Params: see params.h. */
#include "gen/ir/params.h"

#include "runtime/base/support.h"

#include <string.h>

#define WORD(name, word) word,
const char *const init_words[] = {PARAM_INITS(WORD)};
#undef WORD

int params_count(const Net *net, Role role)
{
    int count = 0;
    for (int i = 0; i < net->tensor_count; i++)
        count += net->tensors[i].role == role;
    return count;
}

Param *params_of(const Net *net, Role role)
{
    Param *list = rt_alloc(params_count(net, role) * sizeof(Param));
    int count = 0;
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *t = &net->tensors[i];
        if (t->role != role)
            continue;
        Param param = {.name = t->name,
                       .kind = t->param_kind,
                       .init = t->init,
                       .rank = t->rank,
                       .offset = t->offset,
                       .count = tensor_count(t),
                       .fan_in = (int)(tensor_count(t) / t->k)};
        const int sizes[] = {t->h, t->w, t->c, t->k};
        for (int i = 0; i < t->rank; i++)
            param.shape[i] = sizes[4 - t->rank + i];
        list[count++] = param;
    }
    return list;
}

float *params_numbers(const Net *net, int tensor, const float *params, const float *stats)
{
    if (tensor == NONE)
        return NULL;
    const Tensor *t = &net->tensors[tensor];
    return (float *)(t->role == ROLE_PARAM ? params : stats) + t->offset;
}

int params_steps(const Net *net, const Quantiser *quantiser)
{
    int tensor = quantiser->step != NONE ? quantiser->step : quantiser->range;
    return tensor == NONE ? 1 : net->tensors[tensor].k;
}

const Op *params_op(const Net *net, const Param *param)
{
    for (int i = 0; i < net->op_count; i++)
        for (int j = 0; j < OP_INPUTS; j++) {
            int t = net->ops[i].in[j];
            if (t != NONE && strcmp(net->tensors[t].name, param->name) == 0)
                return &net->ops[i];
        }
    return NULL;
}

static const char *kernel_of(const Net *net, const Op *op)
{
    for (int j = 0; j < OP_INPUTS; j++) {
        const Tensor *t = op->in[j] == NONE ? NULL : &net->tensors[op->in[j]];
        if (t && t->role == ROLE_PARAM &&
            (t->param_kind == PARAM_CONV || t->param_kind == PARAM_DENSE))
            return t->name;
    }
    return NULL;
}

const char *params_kernel(const Net *net, const Op *op)
{
    const char *own = kernel_of(net, op);
    for (int i = 0; i < net->op_count && own == NULL; i++)
        if (net->ops[i].out[LAYER_y] == op->in[LAYER_x])
            return kernel_of(net, &net->ops[i]);
    return own;
}

const char *params_torch(const Net *net, const Param *param)
{
    for (int i = 0; i < net->tensor_count; i++)
        if (strcmp(net->tensors[i].name, param->name) == 0)
            return net->tensors[i].torch[0] ? net->tensors[i].torch : NULL;
    return NULL;
}
