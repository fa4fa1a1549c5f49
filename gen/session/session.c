/* A session's config, the changes to it and its weights: see session.h. The config is
 * loaded anew with all overrides after every change, so that it means what the same --set
 * means. */
#include "gen/session/session_state.h"

#include "gen/ptq/start.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"

#include <stdlib.h>
#include <string.h>

/* ---- Weights ---- */

static bool begins(const char *line, const char *const *words)
{
    for (; *words; words++)
        if (strncmp(line, *words, strlen(*words)) == 0)
            return true;
    return false;
}

char *session_signature(const Config *config)
{
    static const char *const training[] = {"train.",
                                           "quant.gradient=",
                                           "quant.gradient_scale=",
                                           "quant.steepness=",
                                           "quant.w_budget=",
                                           "quant.a_budget=",
                                           "quant.a_sum=",
                                           "quant.penalty=",
                                           "quant.descent=",
                                           NULL};
    char *text = rt_alloc(strlen(config->lines) + strlen(config->arch) + 1), *end = text;
    for (const char *line = config->lines; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if (!begins(line, training)) {
            memcpy(end, line, length);
            end += length;
        }
        line += length;
    }
    strcpy(end, config->arch);
    return text;
}

Stored *stored_new(Checkpoint *arrays, const char *origin, const char *fits)
{
    Stored *stored = rt_alloc(sizeof *stored);
    *stored = (Stored){.users = 1, .arrays = *arrays, .origin = rt_format("%s", origin)};
    if (fits)
        stored->fits = rt_format("%s", fits);
    *arrays = (Checkpoint){0};
    return stored;
}

void stored_free(Stored *stored)
{
    if (stored == NULL || --stored->users > 0)
        return;
    checkpoint_free(&stored->arrays);
    free(stored->origin);
    free(stored->fits);
    free(stored);
}

Stored *stored_share(Stored *stored)
{
    if (stored)
        stored->users++;
    return stored;
}

const Stored *session_ready(const Session *session)
{
    const State *state = &session->state;
    if (state->base == NULL || !quant_used(&session->config.net))
        return state->base;
    char *signature = session_signature(&session->config);
    const Stored *found = NULL;
    const Stored *const candidates[] = {state->base, state->tuned};
    for (int i = 0; i < 2; i++)
        if (candidates[i] && candidates[i]->fits &&
            strcmp(candidates[i]->fits, signature) == 0)
            found = candidates[i];
    free(signature);
    return found;
}

void session_describe_weights(const Session *session, char *text, size_t size)
{
    const Stored *ready = session_ready(session), *base = session->state.base;
    if (base == NULL)
        snprintf(text, size, "none yet");
    else if (ready)
        snprintf(text, size, "%s", ready->origin);
    else
        snprintf(text, size, "%s; quantised anew at the next evaluation", base->origin);
}

bool session_load_weights(Session *session, const char *path)
{
    Checkpoint arrays = {0};
    if (!checkpoint_read(path, &arrays))
        return false;
    if (!checkpoint_match_arch(&arrays, path, session->config.arch) ||
        !checkpoint_match_pixels(&arrays, path, session->config.lines)) {
        checkpoint_free(&arrays);
        return false;
    }
    bool fits =
        quant_used(&session->config.net) && start_is_quantised(&session->config, &arrays);
    char *signature = session_signature(&session->config);
    session_remember(session);
    stored_free(session->state.base);
    stored_free(session->state.tuned);
    session->state.base = stored_new(&arrays, path, fits ? signature : NULL);
    session->state.tuned = NULL;
    free(signature);
    return true;
}

/* ---- States ---- */

static State copy_state(const State *state)
{
    State copy = {.count = state->count,
                  .base = stored_share(state->base),
                  .tuned = stored_share(state->tuned)};
    copy.keys = rt_alloc((state->count + 1) * sizeof(char *));
    copy.sets = rt_alloc((state->count + 1) * sizeof(char *));
    for (int i = 0; i < state->count; i++) {
        copy.keys[i] = rt_format("%s", state->keys[i]);
        copy.sets[i] = rt_format("%s", state->sets[i]);
    }
    return copy;
}

static void free_state(State *state)
{
    for (int i = 0; i < state->count; i++) {
        free(state->keys[i]);
        free(state->sets[i]);
    }
    free(state->keys);
    free(state->sets);
    stored_free(state->base);
    stored_free(state->tuned);
    *state = (State){0};
}

static void drop_set(State *state, int index)
{
    free(state->keys[index]);
    free(state->sets[index]);
    for (int i = index; i < state->count; i++) {
        state->keys[i] = state->keys[i + 1];
        state->sets[i] = state->sets[i + 1];
    }
    state->count--;
}

static void add_set(State *state, const char *key, const char *set)
{
    for (int i = state->count - 1; i >= 0; i--)
        if (strcmp(state->keys[i], key) == 0)
            drop_set(state, i);
    state->keys = rt_grow(state->keys, (state->count + 2) * sizeof(char *));
    state->sets = rt_grow(state->sets, (state->count + 2) * sizeof(char *));
    state->keys[state->count] = rt_format("%s", key);
    state->sets[state->count++] = rt_format("%s", set);
    state->keys[state->count] = state->sets[state->count] = NULL;
}

void session_remember(Session *session)
{
    session->past = rt_grow(session->past, (session->depth + 1) * sizeof(State));
    session->past[session->depth++] = copy_state(&session->state);
}

static bool load_config(const Session *session, const State *state, Config *config)
{
    return config_load(session->path, (const char *const *)state->sets, state->count,
                       config);
}

bool session_set(Session *session, const char *key, const char *override)
{
    State changed = copy_state(&session->state);
    Config config;
    add_set(&changed, key, override);
    if (!load_config(session, &changed, &config)) {
        free_state(&changed);
        return false;
    }
    session_remember(session);
    free_state(&session->state);
    session->state = changed;
    config_free(&session->config);
    session->config = config;
    return true;
}

int session_depth(const Session *session)
{
    return session->depth;
}

bool session_back(Session *session, int depth)
{
    Config config;
    if (depth < 0 || depth >= session->depth)
        return depth == session->depth || rt_fail("there is nothing to undo");
    if (!load_config(session, &session->past[depth], &config))
        return false; /* the file has changed meanwhile */
    config_free(&session->config);
    session->config = config;
    free_state(&session->state);
    session->state = session->past[depth];
    for (int i = depth + 1; i < session->depth; i++)
        free_state(&session->past[i]);
    session->depth = depth;
    return true;
}

bool session_reset(Session *session, int depth)
{
    Config config;
    if (depth >= session->depth)
        return true;
    if (!load_config(session, &session->past[depth], &config))
        return false;
    session_remember(session);
    config_free(&session->config);
    session->config = config;
    free_state(&session->state);
    session->state = copy_state(&session->past[depth]);
    return true;
}

/* ---- The session ---- */

Session *session_open(const char *path, const char *const *sets, int count,
                      const CompileOptions *options, const volatile sig_atomic_t *stop)
{
    Session *session = rt_alloc(sizeof *session);
    const State none = {0};
    session->path = rt_format("%s", path);
    session->stop = stop;
    session->options = *options;
    session->state = copy_state(&none);
    for (int i = 0; i < count; i++) {
        size_t end = strcspn(sets[i], "=");
        bool append = end > 0 && sets[i][end - 1] == '+';
        char *key = rt_format("%.*s", (int)(append ? strlen(sets[i]) : end), sets[i]);
        add_set(&session->state, key, sets[i]);
        free(key);
    }
    if (load_config(session, &session->state, &session->config))
        return session;
    session_close(session);
    return NULL;
}

void session_close(Session *session)
{
    if (session == NULL)
        return;
    for (int i = 0; i < session->depth; i++)
        free_state(&session->past[i]);
    free(session->past);
    free_state(&session->state);
    stored_free(session->ranges);
    stored_free(session->ranges_of);
    config_free(&session->config);
    data_free(&session->test);
    data_free(&session->calibration);
    jit_close(session->jit);
    work_free(&session->work);
    free(session->compiled);
    free(session->path);
    free(session->data);
    free(session);
}

const Config *session_config(const Session *session)
{
    return &session->config;
}

const char *const *session_sets(const Session *session)
{
    return (const char *const *)session->state.sets;
}

bool session_use_data(Session *session, const char *data)
{
    if (!data_exists(data))
        return false;
    free(session->data);
    session->data = rt_format("%s", data);
    data_free(&session->test);
    data_free(&session->calibration);
    session->calibration_wanted = 0;
    return true;
}
