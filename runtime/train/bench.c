/* The trainer's bench verb: see bench.h. Steps are those of training, on a few batches of
 * random images over and over. */
#include "runtime/train/bench.h"

#include "runtime/base/support.h"
#include "runtime/train/profile_report.h"
#include "runtime/train/train.h"

#include <stdlib.h>

enum { BATCHES = 4, WARM_STEPS = 3, USUAL_STEPS = 20 };

static bool take_steps(Run *run, long steps)
{
    for (long i = 0; i < steps; i++) {
        if (run->state.step == run->steps_per_epoch)
            run->state.step = 0;
        if (!train_step(run))
            return false;
    }
    return true;
}

static void evaluate_images(const Run *run, long images)
{
    const Weights weights = {run->optim.params, run->optim.stats};
    Score score = {0};
    for (long left = images; left > 0; left -= run->test.count)
        evaluate(run->model, &weights, &run->work, &run->test,
                 left < run->test.count ? (int)left : run->test.count, NULL, NULL,
                 &score);
}

/* What was counted since profile_begin. */
static void report(const Run *run, ProfileProgram program, const Peak *peak, FILE *tables,
                   FILE *headlines)
{
    ProfileTime *times = rt_alloc((size_t)run->model->profile->count * sizeof *times);
    Profile profile;
    if (profile_of(run->model, program, &profile, times)) {
        profile.peak = *peak;
        profile_print(tables, &profile);
        profile_print_headline(headlines, &profile);
    }
    free(times);
}

static bool measure(Run *run, long steps, FILE *tables, FILE *headlines)
{
    const Peak peak = profile_print_peak(tables, rt_threads());
    for (int i = 0; i < run->train.count; i++)
        run->order[i] = i;
    if (!take_steps(run, WARM_STEPS))
        return false;
    profile_begin(run->model);
    if (!take_steps(run, steps))
        return false;
    report(run, PROFILE_TRAINING, &peak, tables, headlines);
    evaluate_images(run, run->model->micro_batch);
    profile_begin(run->model);
    evaluate_images(run, steps * run->recipe.batch);
    report(run, PROFILE_EVALUATION, &peak, tables, headlines);
    profile_end();
    return true;
}

static bool write_text(const char *folder, const char *name, const char *text,
                       size_t bytes)
{
    char *path = rt_format("%s/%s", folder, name);
    bool ok = rt_write_if_changed(path, text, bytes);
    free(path);
    return ok;
}

bool bench_run(const Model *model, const Recipe *recipe, const TrainerOptions *options)
{
    if (model->profile == NULL)
        return rt_fail(
            "%s: this trainer keeps no times; want one that `lathe gen --profile` "
            "wrote",
            model->name);
    Recipe plain = *recipe;
    plain.held_out = 0;
    char *data = rt_format("random:%ld", (long)BATCHES * recipe->batch);
    TrainerOptions own = *options;
    own.data = data;
    Run run;
    char *texts[2] = {NULL, NULL};
    size_t bytes[2];
    FILE *tables = open_memstream(&texts[0], &bytes[0]);
    FILE *headlines = open_memstream(&texts[1], &bytes[1]);
    bool ok =
        run_prepare(&run, model, &plain, &own) &&
        measure(&run, options->steps ? options->steps : USUAL_STEPS, tables, headlines);
    fclose(tables);
    fclose(headlines);
    ok = ok && write_text(options->output, "tables.txt", texts[0], bytes[0]) &&
         write_text(options->output, "headlines.txt", texts[1], bytes[1]);
    run_free(&run);
    free(texts[0]);
    free(texts[1]);
    free(data);
    return ok;
}
