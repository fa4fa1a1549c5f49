/* Runs with several seeds: see seeds.h. */
#include "runtime/train/seeds.h"

#include "runtime/base/parse.h"
#include "runtime/base/support.h"
#include "runtime/train/run_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SEEDS = 100 };

/* How many there are; 0 and rt_fail. */
static int read_seeds(const char *text, uint64_t seeds[MOST_SEEDS])
{
    int count = 0;
    for (const char *at = text; count < MOST_SEEDS;) {
        size_t length = strcspn(at, ",");
        char *word = rt_format("%.*s", (int)length, at);
        bool ok = parse_u64(word, &seeds[count]);
        free(word);
        for (int i = 0; ok && i < count; i++)
            ok = seeds[i] != seeds[count];
        if (!ok)
            break;
        count++;
        if (at[length] == 0)
            return count;
        at += length + 1;
    }
    rt_fail("--seeds: \"%s\", want up to %d different whole numbers, such as 1,2,3", text,
            MOST_SEEDS);
    return 0;
}

bool seeds_check(const TrainerOptions *options)
{
    uint64_t seeds[MOST_SEEDS];
    if (read_seeds(options->seeds, seeds) == 0)
        return false;
    if (options->seed.given || options->steps)
        return rt_fail("train: --seeds and --%s: want one of them",
                       options->steps ? "steps" : "seed");
    return !(options->resume && *options->resume) ||
           rt_fail("train: --seeds with --resume: the folders say what goes on, want no "
                   "file");
}

/* The run of one seed; *accuracy is NAN where it was stopped. */
static bool run_one(TrainRun *run, const Model *model, const Recipe *recipe,
                    const TrainerOptions *options, uint64_t seed, int *status,
                    double *accuracy)
{
    const char *folder = options->output ? options->output : model->name;
    char *own = rt_format("%s/seed-%llu", folder, (unsigned long long)seed);
    char *last = rt_format("%s/last.ckpt", own),
         *report = rt_format("%s/report.txt", own);
    TrainerOptions one = *options;
    one.output = own;
    one.seed = (FlagSeed){.given = true, .value = seed};
    if (one.resume && access(last, F_OK) != 0)
        one.resume = NULL;
    if (one.resume)
        one.weights = NULL;
    bool ok = run(model, recipe, &one, status);
    *accuracy = (double)NAN;
    if (ok && *status < 128)
        ok = record_final(report, accuracy);
    free(own);
    free(last);
    free(report);
    return ok;
}

bool seeds_run(TrainRun *run, const Model *model, const Recipe *recipe,
               const TrainerOptions *options, int *status)
{
    uint64_t seeds[MOST_SEEDS];
    int count = read_seeds(options->seeds, seeds), over = 0;
    double sum = 0, least = 1, most = 0;
    if (options->tiers && options->tiers->move)
        return rt_fail("--seeds: --jit changes the code on the way; want --jit=tcc or "
                       "--jit=cc");
    for (int i = 0; i < count; i++) {
        double accuracy;
        if (!run_one(run, model, recipe, options, seeds[i], status, &accuracy))
            return false;
        if (*status >= 128)
            return true;
        over = *status > over ? *status : over;
        sum += accuracy;
        least = fmin(least, accuracy);
        most = fmax(most, accuracy);
    }
    *status = over;
    printf("seeds %s: test accuracy %.4f on average, from %.4f to %.4f\n", options->seeds,
           sum / count, least, most);
    return count > 0;
}
