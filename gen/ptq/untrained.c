/* See seeded.h: the trainer's own initial weights, calibrated where the config
 * quantises. */
#include "gen/ptq/untrained.h"

#include "gen/ir/params.h"
#include "gen/passes/passes.h"
#include "gen/ptq/start.h"
#include "runtime/base/support.h"
#include "runtime/train/train_state.h"

#include <stdlib.h>

static bool write_initial(const Config *config, const char *path)
{
    const Net *net = &config->net;
    Param *params = params_of(net, ROLE_PARAM), *stats = params_of(net, ROLE_STAT);
    const Model model = {.arch = config->arch,
                         .params = params,
                         .param_count = params_count(net, ROLE_PARAM),
                         .param_floats = (size_t)net->param_floats,
                         .stats = stats,
                         .stat_count = params_count(net, ROLE_STAT),
                         .stat_floats = (size_t)net->stat_floats};
    Optim optim;
    optim_alloc(&optim, &model, &config->recipe);
    optim_initialise(&optim, config->recipe.seed);
    optim_start_averages(&optim);
    bool ok = state_save_for_use(path, &optim, config->lines, "");
    optim_free(&optim);
    free(params);
    free(stats);
    return ok;
}

bool seeded_write(const Config *config, const char *beside, const char *output)
{
    enum { IMAGES = 8 };
    if (!quant_used(&config->net))
        return write_initial(config, output);
    const PtqOptions ranges = {0};
    PtqResult result;
    char *initial = rt_format("%s/initial.ckpt", beside);
    char *data = rt_format("random:%d", IMAGES);
    bool ok =
        write_initial(config, initial) &&
        start_quantise(config, initial, data, IMAGES, IMAGES, &ranges, output, &result);
    free(initial);
    free(data);
    return ok;
}
