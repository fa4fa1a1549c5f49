/* From float weights to a quantised start: see start.h. */
#include "start.h"

#include "checkpoint.h"
#include "params.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static bool of_quantiser(const Param *param)
{
    return param->kind == PARAM_STEP || param->kind == PARAM_RANGE;
}

/* The arrays that a float network has, too. */
static bool take_float(const Checkpoint *checkpoint, const char *path, const Net *net, Role role,
                       float *values)
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

static void add_all(Checkpoint *checkpoint, const Net *net, Role role, const float *values)
{
    Param *params = params_of(net, role);
    for (int i = 0; i < params_count(net, role); i++)
        checkpoint_add(checkpoint, "", &params[i], values + params[i].offset);
    free(params);
}

static bool write_start(const Config *config, const float *params, const float *stats,
                        const char *output)
{
    Checkpoint checkpoint = {.arch = rt_format("%s", config->arch),
                             .config = rt_format("%s", config->lines),
                             .progress = rt_format("%s", "")};
    add_all(&checkpoint, &config->net, ROLE_PARAM, params);
    add_all(&checkpoint, &config->net, ROLE_STAT, stats);
    bool ok = checkpoint_write(output, &checkpoint);
    checkpoint_free(&checkpoint);
    return ok;
}

/* The first `images` of a seeded shuffle of the training images. */
static bool load_images(const Config *config, const char *data, int images, ImageSet *set)
{
    const Tensor *image = &config->net.tensors[config->net.ops[0].in[0]];
    ImageSet all = {0}, none = {0};
    if (!data_load(data, DATA_TRAIN, image->h, image->w, image->c, config->class_count, &all,
                   &none))
        return false;
    bool ok = images <= all.count ||
              rt_fail("%s: has %d training images, want %d to calibrate with", data, all.count,
                      images);
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

bool start_quantise(const Config *config, const char *weights, const char *data, int images,
                    const PtqOptions *options, const char *output, PtqResult *result)
{
    const Net *net = &config->net;
    float *params = rt_alloc(net->param_floats * sizeof(float));
    float *stats = rt_alloc((net->stat_floats + 1) * sizeof(float));
    Checkpoint checkpoint = {0};
    ImageSet set = {0};
    bool ok = checkpoint_read(weights, &checkpoint) &&
              checkpoint_match_arch(&checkpoint, weights, config->arch) &&
              take_float(&checkpoint, weights, net, ROLE_PARAM, params) &&
              take_float(&checkpoint, weights, net, ROLE_STAT, stats) &&
              load_images(config, data, images, &set) &&
              ptq_run(config, options, &set, params, stats, result) &&
              write_start(config, params, stats, output);
    checkpoint_free(&checkpoint);
    data_free(&set);
    free(params);
    free(stats);
    return ok;
}

bool start_is_float(const Config *config, const char *weights, bool *is_float)
{
    Checkpoint checkpoint = {0};
    if (!checkpoint_read(weights, &checkpoint))
        return false;
    *is_float = false;
    const Role roles[] = {ROLE_PARAM, ROLE_STAT};
    for (int r = 0; r < 2; r++) {
        Param *params = params_of(&config->net, roles[r]);
        for (int i = 0; i < params_count(&config->net, roles[r]); i++)
            if (of_quantiser(&params[i]) && !checkpoint_find(&checkpoint, "", params[i].name))
                *is_float = true;
        free(params);
    }
    checkpoint_free(&checkpoint);
    return true;
}
