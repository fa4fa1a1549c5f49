/* The training loop: epochs, what is written after each, and stopping. Steps are in
 * train_step.c. */
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/kernels/profile.h"
#include "runtime/peers/peers.h"
#include "runtime/train/bits_picture.h"
#include "runtime/train/curve.h"
#include "runtime/train/events.h"
#include "runtime/train/profile_report.h"
#include "runtime/train/run_record.h"
#include "runtime/train/size.h"
#include "runtime/train/train.h"
#include "runtime/train/trainer.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What asks a run to stop, a terminal that is closed included. */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOPS = sizeof stops / sizeof stops[0] };

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* The first signal asks to stop; a second one kills, unless the program around the run
 * catches that signal itself. A hang-up that is ignored stays so: nohup. */
static void catch_signals(struct sigaction before[STOPS])
{
    for (int i = 0; i < STOPS; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigaction(stops[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_DFL)
            action.sa_flags |= (int)SA_RESETHAND;
        if (stops[i] != SIGHUP || before[i].sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
    }
}

static void restore_signals(const struct sigaction before[STOPS])
{
    for (int i = 0; i < STOPS; i++)
        sigaction(stops[i], &before[i], NULL);
}

/* ---- Going over to faster code ---- */

/* Before a step: the JIT's compiler may be ready, or is to be waited for. */
static bool move_on(Run *run)
{
    const Tiers *tiers = run->tiers;
    long done = train_steps_done(run);
    if (tiers == NULL || tiers->move == NULL || run->state.cc_from >= 0 ||
        done < tiers->at)
        return true;
    bool wait = tiers->at >= 0;
    if (!tiers->move(tiers->context, wait))
        return !wait;
    run->state.cc_from = done;
    progress_clear(&run->progress);
    printf("step %ld: from here on with the C compiler's code\n", done);
    return true;
}

/* ---- One epoch ---- */

/* Before they are written: a broken last.ckpt would be the end of the run. */
static bool check_weights(const Run *run)
{
    char *broken = optim_find_non_finite(&run->optim);
    bool ok = broken == NULL;
    free(broken);
    return ok || train_not_finite(run, "a weight", run->state.step);
}

static Moment moment_of(const Run *run)
{
    const TrainState *state = &run->state;
    long images = (long)state->step * run->recipe.batch;
    double share = images ? 1.0 / (double)images : 0;
    return (Moment){.epoch = state->epoch + 1,
                    .epochs = state->epochs,
                    .images = images,
                    .epoch_images = (long)run->steps_per_epoch * run->recipe.batch,
                    .loss = state->loss * share,
                    .accuracy = (double)state->correct * share};
}

/* True while the epoch's steps are not done and nothing asks to stop, in any process. */
static bool may_step(const Run *run, long steps_left)
{
    stop_signal = peers_largest(run->peers, stop_signal);
    return run->state.step < run->steps_per_epoch && !stop_signal && steps_left > 0;
}

static bool train_epoch(Run *run, long *steps_left)
{
    Moment moment = moment_of(run);
    train_begin_epoch(run);
    progress_start_epoch(&run->progress, &moment);
    double before = run->state.seconds, start = seconds_now();
    bool ok = true;
    while (ok && may_step(run, *steps_left)) {
        ok = move_on(run) && train_step(run);
        run->state.seconds = before + seconds_now() - start;
        --*steps_left;
        moment = moment_of(run);
        progress_show(&run->progress, &moment);
    }
    progress_clear(&run->progress);
    return ok;
}

static EpochRow row_of(const Run *run, const Score *held_out, const Score *test)
{
    const TrainState *state = &run->state;
    Moment moment = moment_of(run);
    double images = held_out->images > 0 ? (double)held_out->images : (double)NAN;
    double tested = test->images > 0 ? (double)test->images : (double)NAN;
    double last = state->epoch + (run->steps_per_epoch - 1.0) / run->steps_per_epoch;
    bool quantised = run->model->sized_count > 0;
    Sizes sizes = quantised ? size_of(run->model, run->optim.params)
                            : (Sizes){(double)NAN, (double)NAN, (double)NAN};
    return (EpochRow){
        .epoch = state->epoch + 1,
        .lr = optim_rate(&run->recipe, last),
        .train_loss = moment.loss,
        .train_accuracy = moment.accuracy,
        .held_out_loss = held_out->loss / images,
        .held_out_accuracy = held_out->correct / images,
        .seconds = state->seconds,
        .images_per_s = (double)moment.images / fmax(state->seconds, 1e-9),
        .cc_from = state->cc_from < 0 ? (double)NAN : (double)state->cc_from,
        .weights_kib = sizes.weights,
        .activations_kib = sizes.activations,
        .largest_kib = sizes.largest_activation,
        .test_loss = test->loss / tested,
        .test_accuracy = test->correct / tested,
        .bits = size_bits_text(run->model, run->optim.params),
    };
}

static void print_row(const Run *run, const EpochRow *row, bool best)
{
    printf("epoch %d/%d: loss %.4f, accuracy %.4f", row->epoch, run->state.epochs,
           row->train_loss, row->train_accuracy);
    if (!isnan(row->held_out_loss))
        printf("; held out: loss %.4f, accuracy %.4f%s", row->held_out_loss,
               row->held_out_accuracy, best ? " (best)" : "");
    if (!isnan(row->test_loss))
        printf("; test: loss %.4f, accuracy %.4f", row->test_loss, row->test_accuracy);
    printf("; lr %.4g, %.1f s, %.0f images/s\n", row->lr, row->seconds,
           row->images_per_s);
    size_print(run->model, &run->recipe, run->optim.params);
    fflush(stdout);
}

/* A network within its budgets is better than any that is not. Without held-out images
 * the last epoch is the best. */
static bool is_best(const TrainState *state, const Score *score, bool within)
{
    if (state->best_epoch > 0 && within != state->best_within)
        return within;
    return state->best_epoch == 0 || score->images == 0 ||
           score->correct > state->best_correct ||
           (score->correct == state->best_correct && score->loss < state->best_loss);
}

/* best.ckpt comes before last.ckpt: killed between the two, a resumed run repeats the
 * epoch and writes the same again. Log and curve are drawn from the state. */
static bool write_files(const Run *run, bool best)
{
    if (!peers_first(run->peers))
        return true;
    char *made = record_lines(run->model, &run->state);
    bool ok = (!best || state_save_for_use(run->best, &run->optim, run->config, made)) &&
              state_save(run->last, &run->state, &run->optim, run->config, made);
    free(made);
    return ok && history_write(&run->state.history, run->log) &&
           events_append(run->events, run->model, &run->state.history) &&
           curve_write(run->curve, run->model->name, &run->state.history) &&
           bits_picture_write(run->bits, run->model, run->optim.params);
}

/* Scores of the epoch's weights: on the held-out images, and on the test images where the
 * config asks for it, which choose nothing. *done is false if a signal came first. */
static bool score_epoch(Run *run, const Weights *weights, Score *held_out, Score *test,
                        bool *done)
{
    int every = run->recipe.test_every;
    bool tests = every > 0 && (run->state.epoch + 1) % every == 0;
    const Evaluation asked = {.stop = &stop_signal};
    *done = evaluate(run->model, weights, &run->work, &run->held_out, run->held_out.count,
                     &asked, held_out) &&
            (!tests || evaluate(run->model, weights, &run->work, &run->test,
                                run->test.count, &asked, test));
    run->unreadable = !*done && rt_error()[0];
    return !run->unreadable;
}

/* Evaluate, then move on to the next epoch. *done is false if a signal came first: a
 * resumed run evaluates again. */
static bool finish_epoch(Run *run, bool *done)
{
    const Optim *optim = &run->optim;
    TrainState *state = &run->state;
    if (!check_weights(run))
        return false;
    Weights weights = {.params = optim->averages ? optim->ema : optim->params,
                       .stats = optim->averages ? optim->ema_stats : optim->stats};
    Score score = {0}, test = {0};
    bool last = state->epoch + 1 == state->epochs;
    if (last && run->recipe.bn_batches > 0 &&
        (!train_renew_statistics(run, &weights, &stop_signal, done) || !*done))
        return rt_error()[0] == 0;
    if (!score_epoch(run, &weights, &score, &test, done) || !*done)
        return rt_error()[0] == 0;
    EpochRow row = row_of(run, &score, &test);
    bool within = size_within(run->model, &run->recipe, weights.params);
    bool best = is_best(state, &score, within);
    history_add(&state->history, &row);
    state->epoch++;
    if (best) {
        state->best_epoch = state->epoch;
        state->best_correct = score.correct;
        state->best_loss = score.loss;
        state->best_within = within;
    }
    state->step = 0;
    state->loss = state->seconds = 0;
    state->correct = 0;
    print_row(run, &row, best);
    return peers_all(run->peers, write_files(run, best));
}

/* ---- The whole run ---- */

static void print_header(const Run *run)
{
    size_t floats = 0; /* the network's own, without those of quantisers */
    for (int i = 0; i < run->model->param_count; i++) {
        const Param *it = &run->model->params[i];
        floats += it->kind == PARAM_STEP || it->kind == PARAM_RANGE ? 0 : it->count;
    }
    printf(
        "%s: %zu parameters, %d training images (%d held out, %d to test), %d thread%s, "
        "seed %llu\n",
        run->model->name, floats, run->train.count, run->held_out.count, run->test.count,
        rt_threads(), rt_threads() == 1 ? "" : "s", (unsigned long long)run->state.seed);
    fflush(stdout);
}

/* last.ckpt for --resume, also where a broken image ends the run. */
static bool stop(const Run *run, int *status)
{
    char *made = record_lines(run->model, &run->state);
    stop_signal = peers_largest(run->peers, stop_signal);
    bool ok = check_weights(run) &&
              (!peers_first(run->peers) ||
               state_save(run->last, &run->state, &run->optim, run->config, made));
    ok = peers_all(run->peers, ok);
    free(made);
    if (!ok)
        return false;
    if (run->state.seconds > 0)
        printf("%.0f images/s\n",
               (double)moment_of(run).images / fmax(run->state.seconds, 1e-9));
    printf("stopped at epoch %d step %d; %s\n", run->state.epoch + 1, run->state.step,
           run->go_on);
    *status = stop_signal ? 128 + stop_signal : 0;
    return true;
}

/* What the best epoch's weights are, in report.txt. */
static bool write_report(const Run *run, const Score *score)
{
    Checkpoint best;
    if (!checkpoint_read(run->best, &best))
        return false;
    bool ok =
        record_report(run->report, best.progress, (double)score->correct / score->images);
    checkpoint_free(&best);
    return ok;
}

/* The best epoch's weights, in every process from the first one's file. */
static bool load_best(const Run *run, Weights *weights)
{
    const Model *model = run->model;
    const size_t params = model->param_floats * sizeof(float);
    const size_t stats = model->stat_floats * sizeof(float);
    if (peers_first(run->peers)) {
        if (!peers_all(run->peers, weights_load(weights, model, run->best)))
            return false;
    } else {
        *weights = (Weights){rt_alloc_aligned(params), rt_alloc_aligned(stats), {0}};
        if (!peers_all(run->peers, true)) {
            weights_free(weights);
            return false;
        }
    }
    if (run->peers) {
        peers_send(run->peers, 0, weights->params, params);
        peers_send(run->peers, 0, weights->stats, stats);
    }
    return true;
}

/* What the run came to: the best epoch's weights on images that chose nothing. */
static bool conclude(const Run *run, int *status)
{
    Weights weights;
    Score score = {0};
    if (!load_best(run, &weights))
        return false;
    bool done = evaluate(run->model, &weights, &run->work, &run->test, run->test.count,
                         &(Evaluation){.stop = &stop_signal}, &score);
    if (done)
        printf("test accuracy %.4f (%d/%d) with the weights of epoch %d\n",
               (double)score.correct / score.images, score.correct, score.images,
               run->state.best_epoch);
    else if (rt_error()[0])
        return false;
    else
        *status = 128 + (stop_signal = peers_largest(run->peers, stop_signal));
    size_print_layers(run->model, weights.params);
    size_print(run->model, &run->recipe, weights.params);
    printf("files: %s, %s, %s, %s\n", rt_shown(run->best), rt_shown(run->last),
           rt_shown(run->log), rt_shown(run->curve));
    image_set_say_broken(&run->train);
    if (!size_print_verdict(run->model, &run->recipe, weights.params) && *status == 0)
        *status = OVER_BUDGET;
    weights_free(&weights);
    return !done ||
           peers_all(run->peers, !peers_first(run->peers) || write_report(run, &score));
}

static bool run_epochs(Run *run, long steps, int *status)
{
    long steps_left = steps ? steps : LONG_MAX;
    Moment moment = moment_of(run);
    progress_start(&run->progress, stdout, &moment);
    while (run->state.epoch < run->state.epochs) {
        bool done = false;
        bool ok = train_epoch(run, &steps_left);
        if (ok && run->state.step == run->steps_per_epoch)
            ok = finish_epoch(run, &done);
        if (!ok && run->unreadable)
            stop(run, status);
        if (!ok)
            return false;
        if (!done)
            return stop(run, status);
    }
    return conclude(run, status);
}

bool train_run(const Model *model, const Recipe *recipe, const TrainerOptions *options,
               int *status)
{
    Run run;
    struct sigaction before[STOPS];
    *status = 0;
    stop_signal = 0;
    bool ok = run_prepare(&run, model, recipe, options);
    if (ok) {
        run.go_on = options->go_on ? options->go_on : "continue with --resume";
        print_header(&run);
        catch_signals(before);
        profile_begin(model);
        /* What ends it ends it in all processes, which know why. */
        ok = peers_all(run.peers, run_epochs(&run, options->steps, status));
        if (ok)
            profile_print_all(stdout, model);
        profile_end();
        restore_signals(before);
    }
    run_free(&run);
    return ok;
}
