/* Checkpoints in memory: see checkpoint.h. */
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

void checkpoint_free(Checkpoint *checkpoint)
{
    for (int i = 0; i < checkpoint->count; i++) {
        free(checkpoint->arrays[i].name);
        free(checkpoint->arrays[i].values);
    }
    free(checkpoint->arrays);
    free(checkpoint->arch);
    free(checkpoint->config);
    free(checkpoint->progress);
    *checkpoint = (Checkpoint){0};
}

void checkpoint_add(Checkpoint *checkpoint, const char *prefix, const Param *param,
                    const float *values)
{
    checkpoint->arrays = rt_grow(checkpoint->arrays, (size_t)(checkpoint->count + 1) *
                                                         sizeof *checkpoint->arrays);
    Array *array = &checkpoint->arrays[checkpoint->count++];
    *array = (Array){.name = rt_format("%s%s", prefix, param->name),
                     .rank = param->rank,
                     .count = param->count,
                     .values = rt_alloc(param->count * sizeof(float))};
    memcpy(array->shape, param->shape, sizeof array->shape);
    memcpy(array->values, values, param->count * sizeof(float));
}

const Array *checkpoint_find(const Checkpoint *checkpoint, const char *prefix,
                             const char *name)
{
    size_t length = strlen(prefix);
    for (int i = 0; i < checkpoint->count; i++) {
        const Array *array = &checkpoint->arrays[i];
        if (strncmp(array->name, prefix, length) == 0 &&
            strcmp(array->name + length, name) == 0)
            return array;
    }
    return NULL;
}

static void format_shape(int rank, const int *shape, char text[64])
{
    text[0] = 0;
    for (int i = 0, length = 0; i < rank; i++)
        length += snprintf(text + length, (size_t)(64 - length), "%s%d", i ? "x" : "",
                           shape[i]);
}

bool checkpoint_take(const Checkpoint *checkpoint, const char *path, const char *prefix,
                     const Param *params, int count, float *destination)
{
    for (int i = 0; i < count; i++) {
        const Param *param = &params[i];
        const Array *array = checkpoint_find(checkpoint, prefix, param->name);
        if (array == NULL)
            return rt_fail("%s: %s%s: not in the checkpoint", path, prefix, param->name);
        if (array->rank != param->rank ||
            memcmp(array->shape, param->shape, (size_t)param->rank * sizeof(int)) != 0) {
            char has[64], want[64];
            format_shape(array->rank, array->shape, has);
            format_shape(param->rank, param->shape, want);
            return rt_fail("%s: %s: the checkpoint has shape %s, the config says %s",
                           path, array->name, has, want);
        }
        memcpy(destination + param->offset, array->values, array->count * sizeof(float));
    }
    return true;
}

bool checkpoint_take_for_use(const Checkpoint *checkpoint, const char *path,
                             const Param *params, int count, float *destination)
{
    bool averaged = count > 0 && checkpoint_find(checkpoint, "ema/", params[0].name);
    return checkpoint_take(checkpoint, path, averaged ? "ema/" : "", params, count,
                           destination);
}
