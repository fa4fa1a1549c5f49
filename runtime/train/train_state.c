/* Training state in checkpoints: see train_state.h. Numbers are printed with 17 digits,
 * so that reading gives the very same double. */
#include "runtime/train/train_state.h"
#include "runtime/base/parse.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void state_free(TrainState *state)
{
    free(state->data);
    free(state->weights);
    free(state->teaching);
    class_names_free(&state->classes);
    history_free(&state->history);
}

/* ---- Writing ---- */

static char *format_state(const TrainState *state, const char *made)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fputs(made, file);
    if (state->weights)
        fprintf(file, "weights=%s\n", rt_shown(state->weights));
    if (state->teaching)
        fprintf(file, "teaching=%s\n", rt_shown(state->teaching));
    fprintf(file,
            "epochs=%d\nseed=%llu\nimages=%d\nepoch=%d\nstep=%d\ncc_from=%ld\n"
            "loss=%.17g\ncorrect=%ld\nseconds=%.17g\n"
            "best_epoch=%d\nbest_correct=%d\nbest_loss=%.17g\n"
            "best_within=%d\n",
            state->epochs, (unsigned long long)state->seed, state->images, state->epoch,
            state->step, state->cc_from, state->loss, state->correct, state->seconds,
            state->best_epoch, state->best_correct, state->best_loss, state->best_within);
    for (int i = 0; i < state->history.count; i++) {
        char *row = history_format(&state->history.rows[i]);
        fprintf(file, "log.%d=%s\n", i + 1, row);
        free(row);
    }
    fclose(file);
    return text;
}

static void add_all(Checkpoint *checkpoint, const char *prefix, const Param *params,
                    int count, const float *values)
{
    for (int i = 0; i < count; i++)
        checkpoint_add(checkpoint, prefix, &params[i], values + params[i].offset);
}

bool state_save(const char *path, const TrainState *state, const Optim *optim,
                const char *config, const char *made)
{
    const Model *model = optim->model;
    Checkpoint checkpoint = {.arch = rt_format("%s", model->arch),
                             .config = rt_format("%s", config),
                             .progress = format_state(state, made)};
    add_all(&checkpoint, "", model->params, model->param_count, optim->params);
    add_all(&checkpoint, "", model->stats, model->stat_count, optim->stats);
    add_all(&checkpoint, "momentum/", model->params, model->param_count, optim->momentum);
    if (optim->averages) {
        add_all(&checkpoint, "ema/", model->params, model->param_count, optim->ema);
        add_all(&checkpoint, "ema/", model->stats, model->stat_count, optim->ema_stats);
    }
    bool ok = checkpoint_write(path, &checkpoint);
    checkpoint_free(&checkpoint);
    return ok;
}

bool state_save_for_use(const char *path, const Optim *optim, const char *config,
                        const char *made)
{
    const Model *model = optim->model;
    Checkpoint checkpoint = {.arch = rt_format("%s", model->arch),
                             .config = rt_format("%s", config),
                             .progress = rt_format("%s", made)};
    add_all(&checkpoint, "", model->params, model->param_count,
            optim->averages ? optim->ema : optim->params);
    add_all(&checkpoint, "", model->stats, model->stat_count,
            optim->averages ? optim->ema_stats : optim->stats);
    bool ok = checkpoint_write(path, &checkpoint);
    checkpoint_free(&checkpoint);
    return ok;
}

/* ---- Reading ---- */

/* The value behind `key` in "key=value" lines from *text on, which moves behind it;
 * free() it. NULL if there is none. */
static char *next_value(const char **text, const char *key)
{
    size_t length = strlen(key);
    while (**text) {
        const char *start = *text;
        size_t line = strcspn(start, "\n");
        *text += line + (start[line] == '\n');
        if (line > length && memcmp(start, key, length) == 0 && start[length] == '=')
            return rt_format("%.*s", (int)(line - length - 1), start + length + 1);
    }
    return NULL;
}

static char *find_value(const char *text, const char *key)
{
    return next_value(&text, key);
}

/* Looks up one number after the other; the first bad one ends it. */
typedef struct {
    const char *text, *path;
    bool ok;
} Lookup;

static bool good(Lookup *lookup, const char *key, bool parsed)
{
    if (!parsed && lookup->ok)
        lookup->ok =
            rt_fail("%s: the training state lacks a good \"%s\"", lookup->path, key);
    return parsed;
}

static long find_long(Lookup *lookup, const char *key, long least, long most)
{
    char *value = find_value(lookup->text, key);
    long number = least;
    if (!good(lookup, key, value && parse_long(value, least, most, &number)))
        number = least;
    free(value);
    return number;
}

static double find_double(Lookup *lookup, const char *key)
{
    char *value = find_value(lookup->text, key);
    double number = 0;
    good(lookup, key, value && parse_double(value, &number));
    free(value);
    return number;
}

/* Rows are in order: each is looked for behind the one before. */
static void find_history(Lookup *lookup, int count, History *history)
{
    const char *at = lookup->text;
    for (int i = 1; i <= count && lookup->ok; i++) {
        char *key = rt_format("log.%d", i), *value = next_value(&at, key);
        EpochRow row = {0};
        if (good(lookup, key, value && history_parse(value, &row) && row.epoch == i))
            history_add(history, &row);
        else
            free(row.bits);
        free(value);
        free(key);
    }
}

bool state_read(const Checkpoint *checkpoint, const char *path, TrainState *state)
{
    *state = (TrainState){0};
    char *epochs = find_value(checkpoint->progress, "epochs");
    free(epochs);
    if (epochs == NULL)
        return rt_fail("%s: weights for use, no training state; start from them with "
                       "--weights",
                       path);
    Lookup lookup = {checkpoint->progress, path, true};
    char *seed = find_value(lookup.text, "seed");
    good(&lookup, "seed", seed && parse_u64(seed, &state->seed));
    free(seed);
    state->weights = find_value(lookup.text, "weights");
    state->teaching = find_value(lookup.text, "teaching");
    state->epochs = (int)find_long(&lookup, "epochs", 1, INT_MAX);
    state->images = (int)find_long(&lookup, "images", 1, INT_MAX);
    state->epoch = (int)find_long(&lookup, "epoch", 0, state->epochs);
    state->step = (int)find_long(&lookup, "step", 0, state->images);
    state->cc_from = find_long(&lookup, "cc_from", -1, LONG_MAX);
    state->loss = find_double(&lookup, "loss");
    state->correct = find_long(&lookup, "correct", 0, state->images);
    state->seconds = find_double(&lookup, "seconds");
    state->best_epoch = (int)find_long(&lookup, "best_epoch", 0, state->epoch);
    state->best_correct = (int)find_long(&lookup, "best_correct", 0, INT_MAX);
    state->best_loss = find_double(&lookup, "best_loss");
    state->best_within = find_long(&lookup, "best_within", 0, 1);
    find_history(&lookup, state->epoch, &state->history);
    if (!lookup.ok)
        state_free(state);
    return lookup.ok;
}

bool state_take_arrays(const Checkpoint *checkpoint, const char *path, Optim *optim)
{
    const Model *model = optim->model;
    const Param *params = model->params, *stats = model->stats;
    int param_count = model->param_count, stat_count = model->stat_count;
    return checkpoint_take(checkpoint, path, "", params, param_count, optim->params) &&
           checkpoint_take(checkpoint, path, "", stats, stat_count, optim->stats) &&
           checkpoint_take(checkpoint, path, "momentum/", params, param_count,
                           optim->momentum) &&
           (!optim->averages ||
            (checkpoint_take(checkpoint, path, "ema/", params, param_count, optim->ema) &&
             checkpoint_take(checkpoint, path, "ema/", stats, stat_count,
                             optim->ema_stats)));
}
