/* See float_shipped.h. */
#include "tests/tools/float_shipped.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/random_weights.h"

#include <check.h>
#include <stdlib.h>

void ship_float(const char *net, const char *const *sets, int seed, const char *file,
                ShippedOptions options)
{
    Config config;
    int count = 0;
    while (sets[count])
        count++;
    char *path = net_path(net);
    ck_assert_msg(config_load(path, sets, count, &config), "%s", rt_error());
    free(path);
    float *params = rt_alloc(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc((config.net.stat_floats + 1) * sizeof(float));
    random_seed(seed);
    random_weights(&config.net, params, stats);
    random_checkpoint(&config, params, stats, in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&config, in_folder("weights.ckpt"), file, options), "%s",
                  rt_error());
    free(params);
    free(stats);
    config_free(&config);
}
