/* Preparing a training run: see train.h. What can be refused is refused here, before
 * hours of work, and before a file is touched. */
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/train/events.h"
#include "runtime/train/run_folder.h"
#include "runtime/train/run_record.h"
#include "runtime/train/train.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every run sets the same images aside, so that weights handed from one run to the next
 * have not been trained on them. */
static const uint64_t held_out_seed = 0;

static void set_recipe(Run *run, const Recipe *recipe)
{
    run->recipe = *recipe;
    run->recipe.epochs = run->state.epochs;
    run->recipe.seed = run->state.seed;
    run->config = run_config(run->model->config, run->state.epochs, run->state.seed);
}

/* The folder of the run's files: as asked, or that of the checkpoint to go on from. */
static char *choose_folder(const Model *model, const TrainerOptions *options)
{
    if (options->output)
        return rt_format("%s", options->output);
    if (options->resume == NULL || *options->resume == 0)
        return rt_format("%s", model->name);
    char *copy = rt_format("%s", options->resume);
    char *folder = rt_format("%s", dirname(copy));
    free(copy);
    return folder;
}

static void set_paths(Run *run, const char *folder)
{
    run->last = rt_format("%s/last.ckpt", folder);
    run->best = rt_format("%s/best.ckpt", folder);
    run->log = rt_format("%s/log.csv", folder);
    run->report = rt_format("%s/report.txt", folder);
    run->events = rt_format("%s/%s", folder, EVENTS_NAME);
    run->curve = rt_format("%s/curve.png", folder);
    run->bits = rt_format("%s/bits.png", folder);
}

/* What libtcc's code did and what the compiler's differ by rounding: the run goes on with
 * the one it was stopped with. */
static bool resume_tier(TrainState *state, const Tiers *tiers, const char *path)
{
    if (state->cc_from < 0 && tiers == NULL)
        return rt_fail("%s: the run is still with libtcc's code; resume it with --jit",
                       path);
    if (state->cc_from < 0 || tiers == NULL)
        return true;
    if (tiers->move == NULL)
        return rt_fail(
            "%s: the run went over to the C compiler's code at step %ld; resume it "
            "without --jit=tcc",
            path, state->cc_from);
    return tiers->move(tiers->context, true);
}

/* A resumed run has the teachers it began with. */
static bool same_teaching(const char *begun, const char *asked, const char *path)
{
    begun = begun ? begun : "";
    asked = asked ? rt_shown(asked) : "";
    return strcmp(begun, asked) == 0 ||
           rt_fail("%s: the run to resume has%s%s, the command line%s%s", path,
                   *begun ? " " : " no --teacher", begun, *asked ? " " : " none", asked);
}

/* Epochs and seed go on as they were, whatever the config says by now. */
static bool resume_state(Run *run, const Recipe *recipe, const TrainerOptions *options,
                         const Checkpoint *checkpoint, const char *path)
{
    TrainState *state = &run->state;
    if (!checkpoint_match_arch(checkpoint, path, run->model->arch) ||
        !state_read(checkpoint, path, state))
        return false;
    if (options->seed.given && options->seed.value != state->seed)
        return rt_fail("%s: the run has seed %llu, --seed says %llu", path,
                       (unsigned long long)state->seed,
                       (unsigned long long)options->seed.value);
    if (!same_teaching(state->teaching, options->teaching, path))
        return false;
    if (options->epochs)
        state->epochs = (int)options->epochs;
    int begun = state->epoch + (state->step > 0);
    if (begun > state->epochs)
        return rt_fail("%s: already in epoch %d, --epochs says %d", path, begun,
                       state->epochs);
    state->classes = class_names_read(checkpoint->progress, run->model->classes);
    set_recipe(run, recipe);
    return checkpoint_match_config(checkpoint, path, run->config) &&
           resume_tier(state, options->tiers, path);
}

static void begin_state(Run *run, const Recipe *recipe, const TrainerOptions *options)
{
    run->state.epochs = options->epochs ? (int)options->epochs : recipe->epochs;
    run->state.seed = options->seed.given ? options->seed.value : recipe->seed;
    run->state.cc_from = options->tiers ? -1 : 0;
    run->state.teaching = options->teaching ? rt_format("%s", options->teaching) : NULL;
    run->state.weights = options->weights ? record_start(options->weights) : NULL;
    set_recipe(run, recipe);
}

/* After the state: a resumed one says how many images there were. */
static bool load_data(Run *run, const TrainerOptions *options)
{
    const Model *model = run->model;
    TrainState *state = &run->state;
    int held_out = run->recipe.held_out;
    DataWant want = data_want(model);
    want.whole = run->recipe.area > 0;
    want.found = model->class_names ? NULL : &state->classes;
    if (!data_load(options->data, DATA_TRAIN | DATA_TEST, &want, &run->train, &run->test))
        return false;
    if (run->train.unlabelled)
        return data_has_labels(options->data);
    if (held_out >= run->train.count)
        return rt_fail("%s: %d training images, want more than the %d to hold out",
                       options->data, run->train.count, held_out);
    if (!data_hold_out(&run->train, held_out, held_out_seed, &run->held_out))
        return false;
    run->steps_per_epoch = run->train.count / run->recipe.batch;
    if (run->steps_per_epoch == 0)
        return rt_fail("%s: %d images to train on, want at least a batch of %d",
                       options->data, run->train.count, run->recipe.batch);
    if (state->images && state->images != run->train.count)
        return rt_fail("%s: %d images to train on, the run to resume had %d",
                       options->data, run->train.count, state->images);
    if (state->step > run->steps_per_epoch)
        return rt_fail("%s: the run to resume stopped at step %d of %d", options->data,
                       state->step, run->steps_per_epoch);
    state->data = rt_format("%s", options->data);
    state->images = run->train.count;
    run->order = rt_alloc((size_t)run->train.count * sizeof *run->order);
    if (run->peers)
        run->own_order = rt_alloc(2 * (size_t)run->train.count * sizeof *run->own_order);
    run->loader = loader_open(&(LoaderOptions){.set = &run->train,
                                               .recipe = &run->recipe,
                                               .zero_pixel = model->zero_pixel,
                                               .most = model->micro_batch});
    if (!image_set_in_memory(&run->train) && run->recipe.batch > model->micro_batch)
        run->before =
            rt_alloc((model->param_floats + model->stat_floats) * sizeof(float));
    return true;
}

static bool begin_arrays(Run *run, const TrainerOptions *options)
{
    Optim *optim = &run->optim;
    optim_initialise(optim, run->state.seed);
    if (options->weights) {
        Weights weights;
        if (!weights_load(&weights, run->model, options->weights))
            return false;
        memcpy(optim->params, weights.params, run->model->param_floats * sizeof(float));
        memcpy(optim->stats, weights.stats, run->model->stat_floats * sizeof(float));
        if (run->state.classes.count == 0)
            class_names_set(&run->state.classes, (const char *const *)weights.names.items,
                            weights.names.count);
        weights_free(&weights);
    }
    optim_start_averages(optim);
    return true;
}

static bool take_folder(Run *run, const TrainerOptions *options, const char *folder)
{
    if (!peers_first(run->peers))
        return true;
    return (run->lock >= 0 || run_folder_take(folder, &run->lock)) &&
           run_folder_check(folder, run->model->arch, run->config, options);
}

/* The best epoch's weights may be in another folder than the one to write to. */
static bool bring_best(const Run *run, const char *resumed)
{
    if (run->state.best_epoch == 0 || !peers_first(run->peers))
        return true;
    char *copy = rt_format("%s", resumed);
    char *path = rt_format("%s/best.ckpt", dirname(copy));
    Checkpoint checkpoint;
    bool ok = checkpoint_read(path, &checkpoint);
    if (ok && strcmp(path, run->best) != 0)
        ok = checkpoint_write(run->best, &checkpoint);
    if (ok)
        checkpoint_free(&checkpoint);
    free(path);
    free(copy);
    return ok;
}

static bool prepare_resumed(Run *run, const Recipe *recipe, const TrainerOptions *options,
                            const char *folder)
{
    const char *path = *options->resume ? options->resume : run->last;
    Checkpoint checkpoint;
    if (!checkpoint_read(path, &checkpoint))
        return false;
    bool ok =
        resume_state(run, recipe, options, &checkpoint, path) && load_data(run, options);
    if (ok) {
        optim_alloc(&run->optim, run->model, &run->recipe);
        ok = state_take_arrays(&checkpoint, path, &run->optim);
    }
    checkpoint_free(&checkpoint);
    return ok && take_folder(run, options, folder) && bring_best(run, path);
}

static bool prepare_new(Run *run, const Recipe *recipe, const TrainerOptions *options,
                        const char *folder)
{
    begin_state(run, recipe, options);
    if (!load_data(run, options))
        return false;
    optim_alloc(&run->optim, run->model, &run->recipe);
    return begin_arrays(run, options) && take_folder(run, options, folder);
}

/* ---- Several processes ---- */

/* Whether every process runs the same on the same data, from the same start. */
static bool same_run(const Run *run, const TrainerOptions *options)
{
    PeerThing things[] = {{.another = "another config or flag"},
                          {.another = "other training images"},
                          {.another = "other test images"},
                          {.another = "other weights"}};
    if (run->peers == NULL)
        return true;
    char *flags = rt_format("%s\nsteps=%ld\n", run->config, options->steps);
    rt_sha256(flags, strlen(flags), things[0].hash);
    free(flags);
    image_set_hash(&run->train, things[1].hash);
    image_set_hash(&run->test, things[2].hash);
    rt_sha256(run->optim.params, run->model->param_floats * sizeof(float),
              things[3].hash);
    return peers_alike(run->peers, things, sizeof things / sizeof *things);
}

bool run_prepare(Run *run, const Model *model, const Recipe *recipe,
                 const TrainerOptions *options)
{
    *run =
        (Run){.model = model, .tiers = options->tiers, .lock = -1, .peers = rt_peers()};
    char *folder = choose_folder(model, options);
    set_paths(run, folder);
    bool first = peers_first(run->peers);            /* the others write nothing */
    bool there = first && access(folder, F_OK) == 0; /* else made once all is well */
    bool ok = (!there || run_folder_take(folder, &run->lock)) &&
              (options->resume ? prepare_resumed(run, recipe, options, folder)
                               : prepare_new(run, recipe, options, folder));
    free(folder);
    if (ok) {
        work_alloc(&run->work, model);
        mixing_alloc(&run->mixing, model);
    }
    if (ok && run->peers && recipe->batch > model->micro_batch)
        run->pass_gradient = rt_alloc_aligned(model->param_floats * sizeof(float));
    ok = ok && teaching_begin(&run->teaching, model, &run->recipe, options);
    ok = peers_all(run->peers, ok) && same_run(run, options);
    /* Rows behind the checkpoint go, and so does the log of an earlier run. */
    if (ok && first)
        ok = history_write(&run->state.history, run->log) &&
             events_write(run->events, model, &run->state.history);
    return peers_all(run->peers, ok);
}

void run_free(Run *run)
{
    free(run->config);
    free(run->last);
    free(run->best);
    free(run->log);
    free(run->report);
    free(run->events);
    free(run->curve);
    free(run->bits);
    loader_close(run->loader);
    free(run->before);
    data_free(&run->train);
    data_free(&run->held_out);
    data_free(&run->test);
    free(run->order);
    free(run->own_order);
    free(run->pass_gradient);
    optim_free(&run->optim);
    work_free(&run->work);
    teaching_free(&run->teaching);
    mixing_free(&run->mixing);
    state_free(&run->state);
    run_folder_leave(run->lock);
}
