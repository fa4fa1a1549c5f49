/* The network's parameters as the runtime's Params: see params.h. */
#include "gen/ir/params.h"

#include "runtime/base/support.h"

#include <string.h>

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

const char *params_torch(const Net *net, const Param *param)
{
    for (int i = 0; i < net->tensor_count; i++)
        if (strcmp(net->tensors[i].name, param->name) == 0)
            return net->tensors[i].torch[0] ? net->tensors[i].torch : NULL;
    return NULL;
}
