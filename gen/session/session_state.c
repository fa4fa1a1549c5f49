/* What a session keeps: weights that states share, and states to go back to: see
 * session_state.h. */
#include "gen/session/session_state.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* ---- Weights ---- */

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
    const Stored *found = NULL;
    const Stored *const candidates[] = {state->base, state->tuned};
    for (int i = 0; i < 2; i++)
        if (candidates[i] && candidates[i]->fits &&
            strcmp(candidates[i]->fits, session->config.signature) == 0)
            found = candidates[i];
    return found;
}

/* ---- States ---- */

State session_state_copy(const State *state)
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

void session_state_free(State *state)
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

void session_state_set(State *state, const char *key, const char *set)
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
    session->past[session->depth++] = session_state_copy(&session->state);
}
