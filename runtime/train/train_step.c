/* Steps of a training run: see train.h. No generator state is kept: order and
 * augmentation follow from seed, epoch and image alone, so that a resumed run takes the
 * very same steps. */
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/kernels/profile.h"
#include "runtime/peers/peers.h"
#include "runtime/train/budget.h"
#include "runtime/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ORDER = 1, KEY_AUGMENT = 2, KEY_MIX = 3, KEY_MIX_BATCH = 4, KEY_DROPOUT = 5 };

static uint64_t epoch_key(const Run *run, int purpose)
{
    return random_bits(random_bits(run->recipe.seed, (uint64_t)purpose),
                       (uint64_t)run->state.epoch);
}

/* ---- Which images are this process's ---- */

/* Of a pass of some images those first .. first + count - 1, and the one after them, to
 * be mixed into the last, where it is another process's. */
typedef struct {
    int first, count, next;
} Own;

static Own own_images(const Run *run, int images)
{
    const Peers *peers = run->peers;
    if (peers == NULL)
        return (Own){0, images, 0};
    long chunks = run->model->chunks, own = chunks / peers->count, at = own * peers->rank;
    int first = (int)(at * images / chunks), end = (int)((at + own) * images / chunks);
    return (Own){first, end - first, end > first && mixing_ever(&run->recipe)};
}

static int pass_images(const Run *run, int done)
{
    int left = run->recipe.batch - done, most = run->model->micro_batch;
    return left < most ? left : most;
}

/* Own images of a step's passes before image `done` of the batch; all of them with
 * done = batch. */
static int own_before(const Run *run, int done)
{
    int count = 0;
    for (int at = 0; at < done; at += pass_images(run, at)) {
        Own own = own_images(run, pass_images(run, at));
        count += own.count + own.next;
    }
    return count;
}

/* The epoch's order of own images, in which the loader has them. */
static const int *list_own(Run *run)
{
    const int batch = run->recipe.batch;
    if (run->peers == NULL)
        return run->order;
    int *list = run->own_order;
    for (int step = 0; step < run->steps_per_epoch; step++)
        for (int done = 0; done < batch; done += pass_images(run, done)) {
            int images = pass_images(run, done);
            Own own = own_images(run, images);
            const int *pass = run->order + step * batch + done;
            for (int i = 0; i < own.count + own.next; i++)
                *list++ = pass[(own.first + i) % images];
        }
    return run->own_order;
}

void train_begin_epoch(Run *run)
{
    int own = own_before(run, run->recipe.batch);
    random_permutation(epoch_key(run, KEY_ORDER), run->train.count, run->order);
    loader_start(run->loader, list_own(run), run->state.step * own,
                 run->steps_per_epoch * own, epoch_key(run, KEY_AUGMENT));
}

/* The pass's own images to their places in it; false everywhere when one is broken. */
static bool take_images(Run *run, int done, Own own)
{
    const size_t bytes = image_set_bytes(&run->train);
    Work *work = &run->work;
    Mixing *mixing = &run->mixing;
    int at = run->state.step * own_before(run, run->recipe.batch) + own_before(run, done);
    uint8_t *images = work->images + (size_t)own.first * bytes;
    bool ok =
        loader_take(run->loader, at, own.count, images, work->labels + own.first, NULL);
    if (ok && own.next)
        ok = loader_take(run->loader, at + own.count, 1, mixing->next,
                         &mixing->next_label, NULL);
    if (ok && !own.next && own.count > 0) {
        memcpy(mixing->next, images, bytes);
        mixing->next_label = work->labels[own.first];
    }
    return peers_all(run->peers, ok);
}

/* ---- One step ---- */

/* Epochs into the run, a fraction included. */
static double current_epoch(const Run *run)
{
    return run->state.epoch + (double)run->state.step / run->steps_per_epoch;
}

static double current_rate(const Run *run)
{
    return optim_rate(&run->recipe, current_epoch(run));
}

long train_steps_done(const Run *run)
{
    return (long)run->state.epoch * run->steps_per_epoch + run->state.step;
}

bool train_not_finite(const Run *run, const char *what, int step)
{
    char *array = optim_find_non_finite(&run->optim);
    rt_fail("epoch %d step %d: %s is not finite, at learning rate %g; %s%s",
            run->state.epoch + 1, step, what, current_rate(run),
            array ? "first array that is not: "
                  : "all weights, statistics and gradients are",
            array ? array : "");
    free(array);
    return false;
}

/* What passes of a step change before its optimiser does. */
static void keep_before(const Run *run)
{
    const Model *model = run->model;
    memcpy(run->before, run->optim.params, model->param_floats * sizeof(float));
    memcpy(run->before + model->param_floats, run->optim.stats,
           model->stat_floats * sizeof(float));
}

/* A broken image ends the run before its step, not within. */
static bool undo_step(Run *run, double loss, long correct)
{
    const Model *model = run->model;
    run->unreadable = true;
    run->state.loss = loss;
    run->state.correct = correct;
    if (run->before) {
        memcpy(run->optim.params, run->before, model->param_floats * sizeof(float));
        memcpy(run->optim.stats, run->before + model->param_floats,
               model->stat_floats * sizeof(float));
    }
    return false;
}

/* The own images of a pass, before it goes through. */
static void mix(Run *run, Own own, Step *step)
{
    const TrainState *state = &run->state;
    uint64_t batch = random_bits(epoch_key(run, KEY_MIX_BATCH), (uint64_t)state->step);
    if (!mixing_wanted(&run->recipe, state->epoch, batch))
        return;
    Mixing part = run->mixing;
    part.others += own.first;
    part.shares += own.first;
    mix_images(&part, run->model, &run->recipe, epoch_key(run, KEY_MIX),
               step->indices + own.first, run->work.labels + own.first, own.count,
               run->work.images + (size_t)own.first * image_set_bytes(&run->train));
    step->others = run->mixing.others;
    step->shares = run->mixing.shares;
}

/* A pass over images from `done` on of the step's batch. */
static Step pass_of(const Run *run, int done)
{
    const Recipe *recipe = &run->recipe;
    return (Step){.images = run->work.images,
                  .labels = run->work.labels,
                  .count = pass_images(run, done),
                  .peers = run->peers,
                  .indices = run->order + run->state.step * recipe->batch + done,
                  .dropout_key = epoch_key(run, KEY_DROPOUT),
                  .params = run->optim.params,
                  .gradient =
                      run->pass_gradient ? run->pass_gradient : run->optim.gradient,
                  .stats = run->optim.stats,
                  .arena = run->work.arena,
                  .logits = run->work.logits,
                  .label_smoothing = (float)recipe->label_smoothing,
                  .distill = (float)recipe->distill,
                  .temperature = (float)recipe->temperature,
                  .loss_scale = 1.0f / (float)recipe->batch};
}

/* Processes add up what the pass alone gives. */
static void add_gradient(const Run *run)
{
    float *sum = run->optim.gradient, *own = run->pass_gradient;
    for (size_t i = 0; own && i < run->model->param_floats; i++) {
        sum[i] += own[i];
        own[i] = 0;
    }
}

/* Gradients add up over micro-batches, all of them full but the last. */
bool train_step(Run *run)
{
    uint64_t since = rt_profile_now();
    TrainState *state = &run->state;
    const Recipe *recipe = &run->recipe;
    double rate = current_rate(run), loss = state->loss;
    long correct = state->correct;
    if (run->before)
        keep_before(run);
    for (int done = 0; done < recipe->batch;) {
        Own own = own_images(run, pass_images(run, done));
        Step step = pass_of(run, done);
        if (!take_images(run, done, own))
            return undo_step(run, loss, correct);
        since = profile_part(PART_AUGMENT, step.count, since);
        mix(run, own, &step);
        step.taught = teaching_scores(&run->teaching, run->work.images, step.count);
        if (step.taught == NULL && run->teaching.count > 0)
            return false;
        run->model->train(&step);
        add_gradient(run);
        since = profile_part(PART_TRAIN, step.count, since);
        if (!isfinite(step.loss))
            return train_not_finite(run, "the loss", state->step + 1);
        state->loss += step.loss;
        state->correct += step.correct;
        done += step.count;
    }
    Budget budget =
        budget_begin(&run->optim, recipe, current_epoch(run) / recipe->epochs);
    optim_step(&run->optim, recipe, rate, train_steps_done(run));
    budget_end(&budget, &run->optim);
    profile_part(PART_OPTIMISER, recipe->batch, since);
    state->step++;
    return true;
}

/* ---- Statistics anew ---- */

/* Without what BN tracks; ranges of quantisers that were found once stay. */
static void clear_statistics(const Model *model, float *stats)
{
    for (int i = 0; i < model->stat_count; i++) {
        const Param *it = &model->stats[i];
        if (it->kind == PARAM_BN_MEAN || it->kind == PARAM_BN_VAR)
            memset(stats + it->offset, 0, it->count * sizeof *stats);
    }
}

/* One batch through the network, whose passes move `stats` to the mean of all of them. */
static bool renew_by_batch(Run *run, float *params, float *stats, long *passes)
{
    for (int done = 0; done < run->recipe.batch;) {
        Step step = pass_of(run, done);
        if (!take_images(run, done, own_images(run, step.count)))
            return false;
        step.params = params;
        step.stats = stats;
        step.gradient = run->optim.gradient;
        step.bn_share = 1.0 / (double)++*passes;
        run->model->train(&step);
        done += step.count;
    }
    run->state.step++;
    return true;
}

bool train_renew_statistics(Run *run, const Weights *weights,
                            const volatile sig_atomic_t *stop, bool *done)
{
    TrainState *state = &run->state;
    const int epoch = state->epoch, step = state->step;
    const size_t params = run->model->param_floats * sizeof(float);
    const size_t stats = run->model->stat_floats * sizeof(float);
    int batches = run->recipe.bn_batches;
    batches = batches < run->steps_per_epoch ? batches : run->steps_per_epoch;
    float *copy = memcpy(rt_alloc_aligned(params), weights->params, params);
    float *fresh = memcpy(rt_alloc_aligned(stats), weights->stats, stats);
    clear_statistics(run->model, fresh);
    long passes = 0;
    bool ok = true, stopped = false;
    state->epoch = state->epochs;
    state->step = 0;
    train_begin_epoch(run);
    while (ok && !stopped && state->step < batches) {
        ok = renew_by_batch(run, copy, fresh, &passes);
        stopped = peers_largest(run->peers, *stop);
    }
    state->epoch = epoch;
    state->step = step;
    run->unreadable = !ok;
    *done = ok && !stopped;
    if (*done)
        memcpy(weights->stats, fresh, stats);
    memset(run->optim.gradient, 0, params);
    free(copy);
    free(fresh);
    return ok;
}
