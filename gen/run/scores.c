/* The trainer's scores: see scores.h. */
#include "gen/run/scores.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/run/build.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/train/trainer.h"

#include <stdlib.h>
#include <string.h>

/* The path from the root, as a program in the scratch folder needs it; free() it. */
static char *absolute(const char *path)
{
    char *resolved = realpath(path, NULL);
    return resolved ? resolved : rt_format("%s", path); /* such as random:100 */
}

static bool run_trainer(const Config *config, const CompileOptions *options,
                        const TrainerOptions *flags, const Scratch *scratch)
{
    char *trainer = build_trainer_of(config, options, "lathe gen");
    FlagWords words = {0};
    TrainerOptions values = *flags;
    flags_add_word(&words, trainer);
    flags_add_word(&words, "eval");
    flags_write(&(FlagTable){trainer_flags, trainer_flag_count, "eval", &values}, &words);
    flags_add_word(&words, NULL);
    bool ok =
        trainer && scratch_run(scratch, "the trainer", NULL, (char *const *)words.items);
    for (int i = 2; i < words.count; i++)
        free((char *)words.items[i]);
    free(words.items);
    free(trainer);
    return ok;
}

bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, long images, Array **scores)
{
    char *beside = rt_format("%s/scores", cache_folder());
    Scratch scratch;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    char *weights_path = absolute(weights), *data_path = absolute(data);
    char *file = rt_format("%s/scores.npy", scratch.folder);
    const TrainerOptions flags = {
        .weights = weights_path, .data = data_path, .images = images, .scores = file};
    int count = 0;
    ok = run_trainer(config, options, &flags, &scratch) &&
         weights_read(file, scores, &count);
    free(weights_path);
    free(data_path);
    free(file);
    scratch_end(&scratch);
    return ok;
}

bool selftest_make(const Config *config, const char *weights, Selftest *selftest)
{
    static const char data[] = "random:3:2026";
    const Tensor *image = net_pixels(&config->net);
    const CompileOptions options = {.target = target_find(NULL)};
    ImageSet train = {0};
    Array *scores = NULL;
    if (!scores_of_trainer(config, &options, weights, data, 0, &scores))
        return false;
    selftest->scores = rt_alloc(scores[0].count * sizeof(float));
    memcpy(selftest->scores, scores[0].values, scores[0].count * sizeof(float));
    arrays_free(scores, 1);
    return data_load(data, DATA_TEST, image->h, image->w, image->c, config->class_count,
                     &train, &selftest->images);
}
