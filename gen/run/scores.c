/* The trainer's scores: see scores.h. */
#include "gen/run/scores.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/run/build.h"
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

/* The trainer's own .npy: a header whose length stands in it, then the numbers. */
static bool read_scores(const char *path, int classes, Scores *scores)
{
    enum { FIXED = 10 };
    size_t bytes;
    char *file = rt_read_file(path, &bytes);
    if (file == NULL)
        return false;
    size_t header = bytes < FIXED ? bytes
                                  : FIXED + (size_t)(uint8_t)file[8] +
                                        ((size_t)(uint8_t)file[9] << 8);
    bool integers = bytes >= header && strstr(file + FIXED, "'<i8'") != NULL;
    size_t size = integers ? sizeof(int64_t) : sizeof(float);
    bool ok = header < bytes && (bytes - header) % (size * classes) == 0;
    if (ok) {
        void *numbers = rt_alloc(bytes - header);
        memcpy(numbers, file + header, bytes - header);
        *scores = (Scores){.count = (int)((bytes - header) / (size * classes)),
                           .integers = integers ? numbers : NULL,
                           .logits = integers ? NULL : numbers};
    }
    free(file);
    return ok || rt_fail("%s: no scores of %d classes", path, classes);
}

void scores_free(Scores *scores)
{
    free(scores->integers);
    free(scores->logits);
    *scores = (Scores){0};
}

bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, long images, Scores *scores)
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
    ok = run_trainer(config, options, &flags, &scratch) &&
         read_scores(file, config->class_count, scores);
    free(weights_path);
    free(data_path);
    free(file);
    scratch_end(&scratch);
    return ok;
}

bool selftest_make(const Config *config, const char *weights, Selftest *selftest)
{
    static const char data[] = "random:3:2026";
    const DataWant want = config_data(config);
    const CompileOptions options = {.target = target_find(NULL)};
    ImageSet train = {0};
    Scores scores = {0};
    if (!scores_of_trainer(config, &options, weights, data, 0, &scores))
        return false;
    selftest->scores = scores.integers;
    scores.integers = NULL;
    scores_free(&scores);
    return data_load(data, DATA_TEST, &want, &train, &selftest->images);
}
