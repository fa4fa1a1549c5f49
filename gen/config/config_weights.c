/* Weights of a config's network: see config_weights.h. */
#include "gen/config/config_weights.h"

#include "gen/ir/params.h"
#include "runtime/base/support.h"

#include <stdlib.h>

static void begin(const Config *config, const Checkpoint *checkpoint, CheckpointNet *net,
                  Weights *weights)
{
    const Net *layers = &config->net;
    *net = (CheckpointNet){.arch = config->arch,
                           .config = config->record,
                           .params = params_of(layers, ROLE_PARAM),
                           .stats = params_of(layers, ROLE_STAT),
                           .param_count = params_count(layers, ROLE_PARAM),
                           .stat_count = params_count(layers, ROLE_STAT)};
    weights->params = rt_alloc_aligned((layers->param_floats + 1) * sizeof(float));
    weights->stats = rt_alloc_aligned((layers->stat_floats + 1) * sizeof(float));
    weights->names = class_names_read(checkpoint->progress, config->class_count);
}

static bool end(CheckpointNet *net, Weights *weights, bool ok)
{
    free((Param *)net->params);
    free((Param *)net->stats);
    if (!ok)
        weights_free(weights);
    return ok;
}

bool config_weights(const Config *config, const Checkpoint *checkpoint, const char *path,
                    Weights *weights)
{
    CheckpointNet net;
    begin(config, checkpoint, &net, weights);
    bool ok = checkpoint_use(checkpoint, path, &net, weights->params, weights->stats);
    return end(&net, weights, ok);
}

static bool take_plain(const Checkpoint *checkpoint, const char *path,
                       const Param *params, int count, float *values)
{
    Param *plain = rt_alloc((count + 1) * sizeof *plain);
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (params[i].kind != PARAM_STEP && params[i].kind != PARAM_RANGE)
            plain[kept++] = params[i];
    bool ok = checkpoint_take_for_use(checkpoint, path, plain, kept, values);
    free(plain);
    return ok;
}

bool config_float_weights(const Config *config, const Checkpoint *checkpoint,
                          const char *path, Weights *weights)
{
    CheckpointNet net;
    begin(config, checkpoint, &net, weights);
    bool ok =
        checkpoint_match_arch(checkpoint, path, net.arch) &&
        checkpoint_match_pixels(checkpoint, path, net.config) &&
        take_plain(checkpoint, path, net.params, net.param_count, weights->params) &&
        take_plain(checkpoint, path, net.stats, net.stat_count, weights->stats);
    return end(&net, weights, ok);
}

Checkpoint config_checkpoint(const Config *config, const Weights *weights)
{
    static const Role roles[] = {ROLE_PARAM, ROLE_STAT};
    Checkpoint checkpoint = {.arch = rt_format("%s", config->arch),
                             .config = rt_format("%s", config->record),
                             .progress = class_names_lines(&weights->names)};
    for (int r = 0; r < 2; r++) {
        Param *params = params_of(&config->net, roles[r]);
        const float *values = r ? weights->stats : weights->params;
        for (int i = 0; i < params_count(&config->net, roles[r]); i++)
            checkpoint_add(&checkpoint, "", &params[i], values + params[i].offset);
        free(params);
    }
    return checkpoint;
}
