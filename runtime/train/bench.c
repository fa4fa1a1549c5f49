/* The trainer's bench verb: see bench.h. Steps are those of training, on a few batches of
 * random images over and over. */
#include "runtime/train/bench.h"

#include "runtime/base/support.h"
#include "runtime/train/mpi_model.h"
#include "runtime/train/profile_json.h"
#include "runtime/train/profile_report.h"
#include "runtime/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 4, WARM_STEPS = 3, USUAL_STEPS = 20 };
static const double most_seconds = 10, warm_seconds = 1; /* of each part */
static const double most_bytes = 64e6;                   /* of images */

typedef struct {
    Run run;
    bool bounded; /* by time: the number of steps was not asked for */
    bool warm, model; /* mpi_model.h is wanted */
    int batch;        /* the config's */
    long steps;
    Peak peak;
    Progress progress;
    FILE *tables, *headlines, *json;
    int reports;
} Bench;

static void say(Bench *bench, const char *what, long done, long all)
{
    char line[80];
    snprintf(line, sizeof line, "bench: %s, %ld of at most %ld images", what, done, all);
    progress_say(&bench->progress, line, done == 0);
}

/* ---- Training ---- */

static bool take_step(Run *run)
{
    if (run->state.step == run->steps_per_epoch)
        run->state.step = 0;
    return train_step(run);
}

/* Two small steps tell how long a whole one takes; the first finds cold memory. */
static bool fit_batch(Bench *bench)
{
    Run *run = &bench->run;
    int batch = run->recipe.batch, least = run->model->micro_batch;
    if (!bench->bounded || batch <= least)
        return true;
    double start = seconds_now(), seconds = 0;
    run->recipe.batch = least;
    for (int i = 0; i < 2; i++) {
        double before = seconds_now();
        say(bench, "warming up", i * least, 2 * least);
        if (!take_step(run))
            return false;
        seconds = seconds_now() - before;
    }
    bench->warm = seconds_now() - start > warm_seconds;
    double fitting = floor(most_seconds / 4 / fmax(seconds, 1e-9)) * least;
    run->recipe.batch = fitting < batch ? (int)fmax(fitting, least) : batch;
    run->steps_per_epoch = run->train.count / run->recipe.batch;
    run->state.step = 0;
    return true;
}

/* At least one step, then until there are enough or the time is over. */
static bool take_steps(Bench *bench, const char *what, long steps, double seconds)
{
    Run *run = &bench->run;
    double start = seconds_now();
    for (long i = 0; i < steps; i++) {
        if (bench->bounded && i > 0 && seconds_now() - start > seconds)
            break;
        say(bench, what, i * run->recipe.batch, steps * run->recipe.batch);
        if (!take_step(run))
            return false;
    }
    return true;
}

/* ---- Evaluation ---- */

static void evaluate_images(Bench *bench, const char *what, long images, double seconds)
{
    const Run *run = &bench->run;
    const Weights weights = {.params = run->optim.params, .stats = run->optim.stats};
    Score score = {0};
    int most = run->test.count, call = run->model->micro_batch;
    double start = seconds_now();
    for (long done = 0; done < images; done += call) {
        if (bench->bounded && done > 0 && seconds_now() - start > seconds)
            break;
        say(bench, what, done, images);
        long left = images - done;
        int count = (int)(left < call ? left : call);
        evaluate(run->model, &weights, &run->work, &run->test,
                 count < most ? count : most, NULL, &score);
    }
}

/* ---- Both ---- */

/* What was counted since profile_begin. */
static void report(Bench *bench, ProfileProgram program)
{
    const Model *model = bench->run.model;
    ProfileTime *times = rt_alloc((size_t)model->profile->count * sizeof *times);
    Profile profile;
    if (profile_of(model, program, &profile, times)) {
        profile.peak = bench->peak;
        profile_print(bench->tables, &profile);
        profile_print_headline(bench->headlines, &profile);
        if (bench->model && program == PROFILE_TRAINING)
            mpi_model_print(bench->headlines, model, bench->batch,
                            profile_speed(&profile), profile.threads);
        fputs(bench->reports++ ? ",\n  " : "", bench->json);
        profile_print_json(bench->json, &profile);
    }
    free(times);
}

static bool measure_training(Bench *bench, int batch)
{
    const Model *model = bench->run.model;
    if (!fit_batch(bench) ||
        (!bench->warm && !take_steps(bench, "warming up", WARM_STEPS, warm_seconds)))
        return false;
    if (bench->run.recipe.batch < batch)
        fprintf(bench->headlines, "training: batches of %d, not %d, for time's sake\n",
                bench->run.recipe.batch, batch);
    profile_begin(model);
    if (!take_steps(bench, "training", bench->steps, most_seconds))
        return false;
    report(bench, PROFILE_TRAINING);
    return true;
}

static bool measure(Bench *bench, int batch, const char *only)
{
    Run *run = &bench->run;
    bench->peak = profile_print_peak(bench->tables, rt_threads());
    loader_start(run->loader, NULL, 0, run->train.count, 0);
    bool train = only == NULL || strcmp(only, "train") == 0;
    long images = bench->steps * run->recipe.batch;
    if (train && !measure_training(bench, batch))
        return false;
    if (only == NULL || !train) {
        evaluate_images(bench, "warming up", run->model->micro_batch, warm_seconds);
        profile_begin(run->model);
        evaluate_images(bench, "evaluating", images, most_seconds);
        report(bench, PROFILE_EVALUATION);
    }
    profile_end();
    progress_clear(&bench->progress);
    return true;
}

static bool check(const Model *model, const TrainerOptions *options)
{
    if (model->profile == NULL)
        return rt_fail(
            "%s: this trainer keeps no times; want one that `lathe gen --profile` "
            "wrote",
            model->name);
    return options->only == NULL || strcmp(options->only, "train") == 0 ||
           strcmp(options->only, "evaluate") == 0 ||
           rt_fail("--only %s: want train or evaluate", options->only);
}

/* A few batches, fewer where images are large. */
static bool prepare(Bench *bench, const Model *model, const Recipe *recipe,
                    const TrainerOptions *options)
{
    double images = most_bytes / model->height / model->width / model->channels;
    Recipe plain = *recipe;
    TrainerOptions own = *options;
    plain.held_out = 0;
    if (bench->bounded && plain.batch > images)
        plain.batch = (int)fmax(images, fmin(plain.batch, model->micro_batch));
    long batches = (long)fmax(fmin(BATCHES, images / plain.batch), 1);
    char *data = rt_format("random:%ld", batches * plain.batch);
    own.data = data;
    bool ok = run_prepare(&bench->run, model, &plain, &own);
    free(data);
    return ok;
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
    static const char *const names[] = {"tables.txt", "headlines.txt", "profiles.json"};
    if (!check(model, options))
        return false;
    char *texts[3] = {NULL};
    size_t bytes[3];
    FILE *files[3];
    for (int i = 0; i < 3; i++)
        files[i] = open_memstream(&texts[i], &bytes[i]);
    Bench bench = {.bounded = options->steps == 0,
                   .model = options->mpi_model,
                   .batch = recipe->batch,
                   .steps = options->steps ? options->steps : USUAL_STEPS,
                   .tables = files[0],
                   .headlines = files[1],
                   .json = files[2]};
    progress_open(&bench.progress, stderr);
    bool ok = prepare(&bench, model, recipe, options) &&
              measure(&bench, recipe->batch, options->only);
    for (int i = 0; i < 3; i++) {
        fclose(files[i]);
        ok = ok && write_text(options->output, names[i], texts[i], bytes[i]);
        free(texts[i]);
    }
    run_free(&bench.run);
    return ok;
}
