/* The trainer's scores: see scores.h. */
#include "gen/run/scores.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/run/build.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"

#include <stdlib.h>

/* The path from the root, as a program in the scratch folder needs it; free() it. */
static char *absolute(const char *path)
{
    char *resolved = realpath(path, NULL);
    return resolved ? resolved : rt_format("%s", path); /* such as random:100 */
}

/* words: weights, data, how many images or NULL. */
static bool run_trainer(const Config *config, const CompileOptions *options,
                        const char *const words[3], const Scratch *scratch,
                        Array **scores)
{
    char *trainer = build_write(config, options, "lathe gen", scratch->folder)
                        ? build_trainer(scratch->folder)
                        : NULL;
    char *file = rt_format("%s/scores.npy", scratch->folder);
    const char *all[] = {trainer,    "eval",   "--weights",
                         words[0],   "--data", words[1],
                         "--scores", file,     words[2] ? "--images" : NULL,
                         words[2],   NULL};
    int count = 0;
    bool ok = trainer && scratch_run(scratch, "the trainer", NULL, (char *const *)all) &&
              weights_read(file, scores, &count);
    free(trainer);
    free(file);
    return ok;
}

bool scores_of_trainer(const Config *config, const CompileOptions *options,
                       const char *weights, const char *data, const char *images,
                       Array **scores)
{
    char *beside = rt_format("%s/scores", cache_folder());
    Scratch scratch;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    char *weights_path = absolute(weights), *data_path = absolute(data);
    const char *const words[3] = {weights_path, data_path, images};
    ok = run_trainer(config, options, words, &scratch, scores);
    free(weights_path);
    free(data_path);
    scratch_end(&scratch);
    return ok;
}
