/* A network for tests of import: see import_net.h. */
#include "tests/tools/import_net.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <check.h>

const Param import_params[COUNT] = {
    {.name = "stem.weight",
     .kind = PARAM_CONV,
     .rank = 4,
     .shape = {2, 1, 3, 2},
     .count = 12},
    {.name = "stem_bn.scale",
     .kind = PARAM_BN_SCALE,
     .rank = 1,
     .shape = {2},
     .count = 2},
    {.name = "stem_bn.shift",
     .kind = PARAM_BN_SHIFT,
     .rank = 1,
     .shape = {2},
     .count = 2},
    {.name = "stem_bn.mean", .kind = PARAM_BN_MEAN, .rank = 1, .shape = {2}, .count = 2},
    {.name = "stem_bn.var", .kind = PARAM_BN_VAR, .rank = 1, .shape = {2}, .count = 2},
    {.name = "fc.weight", .kind = PARAM_DENSE, .rank = 2, .shape = {2, 4}, .count = 8},
    {.name = "fc.bias", .kind = PARAM_BIAS, .rank = 1, .shape = {4}, .count = 4},
};

ImportName import_names[COUNT];

void import_net_make(void)
{
    static const char *const torch[] = {"conv1.weight",       "bn1.weight",
                                        "bn1.bias",           "bn1.running_mean",
                                        "bn1.running_var",    "fc.weight|linear.weight",
                                        "fc.bias|linear.bias"};
    for (int i = 0; i < COUNT; i++)
        import_names[i] = (ImportName){&import_params[i], torch[i]};
    folder_make();
}

void import_net_check(const Checkpoint *got)
{
    ck_assert_int_eq(got->count, COUNT);
    ck_assert_ptr_null(got->arch);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_str_eq(got->arrays[i].name, import_params[i].name);
        ck_assert_int_eq(got->arrays[i].rank, import_params[i].rank);
        ck_assert_mem_eq(got->arrays[i].shape, import_params[i].shape,
                         sizeof import_params[i].shape);
    }
    const float *stem = got->arrays[STEM].values, *fc = got->arrays[FC].values;
    for (int y = 0; y < 2; y++)
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 2; k++)
                ck_assert_float_eq(stem[(y * 3 + c) * 2 + k],
                                   0.125f * (float)((k * 3 + c) * 2 + y));
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(fc[i], 0.125f * (float)i);
    ck_assert_float_eq(got->arrays[SCALE].values[1], -1.5f);
    ck_assert_float_eq(got->arrays[SHIFT].values[1], 3);
    ck_assert_float_eq(got->arrays[MEAN].values[0], 0.125f);
    ck_assert_float_eq(got->arrays[VAR].values[1], 0.875f);
    ck_assert_float_eq(got->arrays[FC_BIAS].values[3], 0.875f);
}

void import_net(const char *path, Checkpoint *out)
{
    ck_assert_msg(import_weights(path, import_names, COUNT, NULL, out), "%s", rt_error());
}
