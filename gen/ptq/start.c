/* From float weights to a quantised start: see start.h. */
#include "gen/ptq/start.h"

#include "gen/ir/params.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"

#include <stdlib.h>
#include <string.h>

static bool of_quantiser(const Param *param)
{
    return param->kind == PARAM_STEP || param->kind == PARAM_RANGE;
}

/* The arrays that a float network has, too. */
static bool take_float(const Checkpoint *checkpoint, const char *path, const Net *net,
                       Role role, float *values)
{
    Param *params = params_of(net, role);
    int count = params_count(net, role), plain = 0;
    for (int i = 0; i < count; i++)
        if (!of_quantiser(&params[i]))
            params[plain++] = params[i];
    bool ok = checkpoint_take_for_use(checkpoint, path, params, plain, values);
    free(params);
    return ok;
}

static void add_all(Checkpoint *checkpoint, const Net *net, Role role,
                    const float *values)
{
    Param *params = params_of(net, role);
    for (int i = 0; i < params_count(net, role); i++)
        checkpoint_add(checkpoint, "", &params[i], values + params[i].offset);
    free(params);
}

bool start_images(const Config *config, const char *data, int least, int images,
                  ImageSet *set)
{
    const Tensor *image = net_pixels(&config->net);
    ImageSet all = {0}, none = {0};
    if (!data_load(data, DATA_TRAIN, image->h, image->w, image->c, config->class_count,
                   &all, &none))
        return false;
    bool ok = least <= all.count ||
              rt_fail("%s: has %d training images, want %d to calibrate with", data,
                      all.count, least);
    if (images > all.count)
        images = all.count;
    if (ok) {
        size_t bytes = (size_t)all.height * all.width * all.channels;
        int *order = rt_alloc(all.count * sizeof(int));
        random_permutation(config->recipe.seed, all.count, order);
        *set = all; /* unlabelled or not */
        set->count = images;
        set->pixels = rt_alloc(images * bytes);
        set->labels = rt_alloc(images * sizeof *set->labels);
        for (int i = 0; i < images; i++) {
            memcpy(set->pixels + i * bytes, all.pixels + order[i] * bytes, bytes);
            set->labels[i] = all.labels[order[i]];
        }
        free(order);
    }
    data_free(&all);
    return ok;
}

bool start_make(const Config *config, const Checkpoint *weights, const char *path,
                const ImageSet *images, const PtqOptions *options, Checkpoint *start,
                PtqResult *result)
{
    const Net *net = &config->net;
    float *params = rt_alloc(net->param_floats * sizeof(float));
    float *stats = rt_alloc((net->stat_floats + 1) * sizeof(float));
    bool ok = checkpoint_match_arch(weights, path, config->arch) &&
              checkpoint_match_pixels(weights, path, config->lines) &&
              take_float(weights, path, net, ROLE_PARAM, params) &&
              take_float(weights, path, net, ROLE_STAT, stats) &&
              ptq_run(config, options, images, params, stats, result);
    if (ok) {
        *start = (Checkpoint){.arch = rt_format("%s", config->arch),
                              .config = rt_format("%s", config->lines),
                              .progress = rt_format("%s", "")};
        add_all(start, net, ROLE_PARAM, params);
        add_all(start, net, ROLE_STAT, stats);
    }
    free(params);
    free(stats);
    return ok;
}

bool start_quantise(const Config *config, const char *weights, const char *data,
                    int images, const PtqOptions *options, const char *output,
                    PtqResult *result)
{
    Checkpoint checkpoint = {0}, start = {0};
    ImageSet set = {0};
    bool ok = checkpoint_read(weights, &checkpoint) &&
              checkpoint_match_arch(&checkpoint, weights, config->arch) &&
              start_images(config, data, images, images, &set) &&
              start_make(config, &checkpoint, weights, &set, options, &start, result) &&
              checkpoint_write(output, &start);
    checkpoint_free(&checkpoint);
    checkpoint_free(&start);
    data_free(&set);
    return ok;
}

static bool has_quantisers(const Config *config, const Checkpoint *checkpoint)
{
    bool has = true;
    const Role roles[] = {ROLE_PARAM, ROLE_STAT};
    for (int r = 0; r < 2; r++) {
        Param *params = params_of(&config->net, roles[r]);
        for (int i = 0; i < params_count(&config->net, roles[r]); i++)
            has = has && (!of_quantiser(&params[i]) ||
                          checkpoint_find(checkpoint, "", params[i].name));
        free(params);
    }
    return has;
}

bool start_is_quantised(const Config *config, const Checkpoint *checkpoint)
{
    bool is = has_quantisers(config, checkpoint) &&
              checkpoint_match_quantisers(checkpoint, "", config->lines);
    rt_error_clear();
    return is;
}

bool start_is_wanted(const Config *config, const char *weights, bool *wanted)
{
    Checkpoint checkpoint = {0};
    if (!checkpoint_read(weights, &checkpoint))
        return false;
    *wanted = !start_is_quantised(config, &checkpoint);
    checkpoint_free(&checkpoint);
    return true;
}
