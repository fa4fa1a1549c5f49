/* See random_weights.h. */
#include "tests/tools/random_weights.h"

#include "gen/ir/params.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static uint64_t state;

void random_seed(uint64_t seed)
{
    state = seed;
}

/* Knuth's linear congruence; its high bits are good. */
double random_unit(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 33) / (1u << 30) - 1;
}

void random_bytes(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(127.5 + 127.5 * random_unit());
}

static void draw(const Net *net, Role role, float *values)
{
    Param *list = params_of(net, role);
    for (int i = 0; i < params_count(net, role); i++) {
        const Param *param = &list[i];
        bool kernel = param->kind == PARAM_CONV || param->kind == PARAM_DENSE;
        bool about_one = param->kind == PARAM_BN_SCALE || param->kind == PARAM_BN_VAR;
        double width = kernel ? 2 / sqrt(param->fan_in) : 0.4;
        for (size_t j = 0; j < param->count; j++)
            values[param->offset + j] = (float)(about_one + width * random_unit());
    }
    free(list);
}

void random_weights(const Net *net, float *params, float *stats)
{
    draw(net, ROLE_PARAM, params);
    draw(net, ROLE_STAT, stats);
}

static void add_all(Checkpoint *checkpoint, const Net *net, Role role,
                    const float *values)
{
    Param *list = params_of(net, role);
    for (int i = 0; i < params_count(net, role); i++)
        checkpoint_add(checkpoint, "", &list[i], values + list[i].offset);
    free(list);
}

void random_checkpoint(const Config *config, const float *params, const float *stats,
                       const char *path)
{
    Checkpoint checkpoint = {.arch = rt_format("%s", config->arch),
                             .config = rt_format("%s", config->record),
                             .progress = rt_format("%s", "")};
    add_all(&checkpoint, &config->net, ROLE_PARAM, params);
    add_all(&checkpoint, &config->net, ROLE_STAT, stats);
    ck_assert_msg(checkpoint_write(path, &checkpoint), "%s", rt_error());
    checkpoint_free(&checkpoint);
}

double *to_doubles(const float *values, size_t count)
{
    double *copy = rt_alloc((count + 1) * sizeof(double));
    for (size_t i = 0; i < count; i++)
        copy[i] = values[i];
    return copy;
}
