/* From float weights to a quantised start: see start.h. */
#include "gen/ptq/start.h"

#include "gen/config/config_weights.h"
#include "gen/emit/infer_file.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"

#include <stdlib.h>
#include <string.h>

bool start_images(const Config *config, const char *data, int least, int images,
                  ImageSet *set)
{
    const DataWant want = config_data(config);
    ImageSet all = {0}, none = {0};
    if (!data_load(data, DATA_TRAIN, &want, &all, &none))
        return false;
    bool ok = least <= all.count ||
              rt_fail("%s: has %d training images, want %d to calibrate with", data,
                      all.count, least);
    if (images > all.count)
        images = all.count;
    if (ok) {
        int *order = rt_alloc(all.count * sizeof(int));
        random_permutation(config->recipe.seed, all.count, order);
        ok = image_set_copy(&all, order, images, set);
        free(order);
    }
    image_set_say_broken(&all);
    data_free(&all);
    return ok;
}

bool start_make(const Config *config, const Checkpoint *weights, const char *path,
                const ImageSet *images, const PtqOptions *options, Checkpoint *start,
                PtqResult *result)
{
    Weights made;
    if (!config_float_weights(config, weights, path, &made))
        return false;
    bool ok = (!options->floats || !checkpoint_is_quantised(weights) ||
               rt_fail("%s: these weights are quantised already: want a float network's",
                       path)) &&
              ptq_run(config, options, images, made.params, made.stats, result) &&
              constants_exist(config, &made);
    result->images = images->count;
    if (ok)
        *start = config_checkpoint(config, &made);
    weights_free(&made);
    return ok;
}

/* In front of what is kept with them already. */
static bool keep_made(Checkpoint *start, const char *made)
{
    char *both = rt_format("%s%s", made ? made : "", start->progress);
    free(start->progress);
    start->progress = both;
    return true;
}

bool start_quantise(const Config *config, const char *weights, const char *data,
                    int least, int images, const PtqOptions *options, const char *output,
                    PtqResult *result)
{
    Checkpoint checkpoint = {0}, start = {0};
    ImageSet set = {0};
    bool ok = checkpoint_read(weights, &checkpoint) &&
              checkpoint_match_arch(&checkpoint, weights, config->arch) &&
              start_images(config, data, least, images, &set) &&
              start_make(config, &checkpoint, weights, &set, options, &start, result) &&
              keep_made(&start, options->made) && checkpoint_write(output, &start);
    checkpoint_free(&checkpoint);
    checkpoint_free(&start);
    data_free(&set);
    return ok;
}

bool start_is_quantised(const Config *config, const Checkpoint *checkpoint)
{
    bool is = checkpoint_match_quantisers(checkpoint, "", config->record);
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
