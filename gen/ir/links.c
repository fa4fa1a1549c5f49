/* Writers and readers of tensors: see links.h. */
#include "gen/ir/links.h"

#include "runtime/base/support.h"

#include <stdlib.h>

Links links_of(const Net *net)
{
    int tensors = net->tensor_count;
    Links links = {.net = net,
                   .writer = rt_alloc((tensors + 1) * sizeof(int)),
                   .first = rt_alloc((tensors + 1) * sizeof(int)),
                   .readers = rt_alloc((net->op_count * OP_INPUTS + 1) * sizeof(int))};
    int *end = links.first; /* counts, then where each tensor's readers end so far */
    for (int t = 0; t < tensors; t++)
        links.writer[t] = NONE;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        for (int j = 0; j < OP_OUTPUTS; j++)
            if (op->out[j] != NONE && links.writer[op->out[j]] == NONE)
                links.writer[op->out[j]] = i;
        for (int j = 0; j < OP_INPUTS; j++)
            if (op->in[j] != NONE)
                end[op->in[j]]++;
    }
    for (int t = 1; t <= tensors; t++)
        end[t] += end[t - 1];
    for (int i = net->op_count - 1; i >= 0; i--)
        for (int j = OP_INPUTS - 1; j >= 0; j--)
            if (net->ops[i].in[j] != NONE)
                links.readers[--end[net->ops[i].in[j]]] = i;
    return links;
}

void links_free(Links *links)
{
    free(links->writer);
    free(links->first);
    free(links->readers);
    *links = (Links){0};
}

const Op *net_writer(const Links *links, int tensor)
{
    int op = links->writer[tensor];
    return op == NONE ? NULL : &links->net->ops[op];
}

int net_readers(const Links *links, int tensor)
{
    return links->first[tensor + 1] - links->first[tensor];
}

const Op *net_reader(const Links *links, int tensor, int index)
{
    return &links->net->ops[links->readers[links->first[tensor] + index]];
}
