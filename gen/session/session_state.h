/* Inside a session: what its parts share, and what it keeps: weights and states. */
#ifndef LATHE_SESSION_STATE_H
#define LATHE_SESSION_STATE_H

#include "gen/passes/compile.h"
#include "gen/run/jit.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/evaluate.h"

#include <signal.h>

/* Weights by name; states share them. */
typedef struct {
    int users;
    Checkpoint arrays;
    char *origin; /* how they came about, in words */
    char *fits; /* Config.signature of the config their quantisers are for; NULL: none */
} Stored;

/* What a change replaces. */
typedef struct {
    char **keys, **sets; /* sets ended by NULL */
    int count;
    Stored *base;  /* ranges are found from these; NULL: no weights yet */
    Stored *tuned; /* what ptq made of them, or NULL */
} State;

typedef struct Session {
    char *path, *data;
    Config config;
    State state, *past;
    int depth;
    ImageSet test, calibration;
    DataWant test_for, calibration_for; /* what they were read for */
    int calibration_wanted;             /* as many were asked for; there may be fewer */
    Stored *ranges;                     /* base with ranges for the config */
    Stored *ranges_of;                  /* that base */
    int ranges_images;
    Jit *jit;
    char *compiled; /* the config's hash */
    Work work;      /* of the last evaluation; for a model with these sizes */
    size_t work_bytes[3];
    CompileOptions options;
    const volatile sig_atomic_t *stop;
} Session;

/* Everything weights of a quantised network depend on, as text; free() it. */

Stored *stored_new(Checkpoint *arrays, const char *origin, const char *fits);
Stored *stored_share(Stored *stored); /* one user more; NULL is fine */
void stored_free(Stored *stored);     /* one user less; NULL is fine */

State session_state_copy(const State *state);
void session_state_free(State *state);
/* Add an override, in the place of one with the same key. */
void session_state_set(State *state, const char *key, const char *set);

/* Before a change that cannot fail any more: what is now can be gone back to. */
void session_remember(Session *session);

/* Weights for the config as it is that need no calibration, or NULL. */
const Stored *session_ready(const Session *session);

/* The same, or with ranges found on `calibration` training images; NULL and rt_fail when
 * there are no weights. */
const Stored *session_in_use(Session *session, int calibration);

#endif
