/* A session's config, the changes to it and its weights: see session.h. The config is
 * loaded anew with all overrides after every change, so that it means what the same --set
 * means. */
#include "gen/session/session.h"

#include "gen/ptq/start.h"
#include "gen/session/session_state.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"

#include <stdlib.h>
#include <string.h>

/* ---- Weights ---- */

void session_describe_weights(const Session *session, char *text, size_t size)
{
    const Stored *ready = session_ready(session), *base = session->state.base;
    if (base == NULL)
        snprintf(text, size, "none yet");
    else if (ready)
        snprintf(text, size, "%s", ready->origin);
    else
        snprintf(text, size, "%s%s; %s at the next evaluation", base->origin,
                 session_float_weights(session) ? ", float weights" : "",
                 session_float_weights(session) ? "ranges are found" : "quantised anew");
}

bool session_float_weights(const Session *session)
{
    return session->state.base && session->state.base->fits == NULL;
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
    session_remember(session);
    stored_free(session->state.base);
    stored_free(session->state.tuned);
    session->state.base =
        stored_new(&arrays, path, fits ? session->config.signature : NULL);
    session->state.tuned = NULL;
    return true;
}

/* ---- Changes ---- */

static bool load_config(const Session *session, const State *state, Config *config)
{
    return config_load(session->path, (const char *const *)state->sets, state->count,
                       config);
}

bool session_set(Session *session, const char *key, const char *override)
{
    State changed = session_state_copy(&session->state);
    Config config;
    session_state_set(&changed, key, override);
    if (!load_config(session, &changed, &config)) {
        session_state_free(&changed);
        return false;
    }
    session_remember(session);
    session_state_free(&session->state);
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
    session_state_free(&session->state);
    session->state = session->past[depth];
    for (int i = depth + 1; i < session->depth; i++)
        session_state_free(&session->past[i]);
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
    session_state_free(&session->state);
    session->state = session_state_copy(&session->past[depth]);
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
    session->state = session_state_copy(&none);
    for (int i = 0; i < count; i++) {
        size_t end = strcspn(sets[i], "=");
        bool append = end > 0 && sets[i][end - 1] == '+';
        char *key = rt_format("%.*s", (int)(append ? strlen(sets[i]) : end), sets[i]);
        session_state_set(&session->state, key, sets[i]);
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
        session_state_free(&session->past[i]);
    free(session->past);
    session_state_free(&session->state);
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
