/* A network somebody works on: its config and the changes to it, weights, images, and the
 * code in memory, each made anew only when something it depends on changed. A call that
 * fails (false, rt_fail) leaves the session as it was. */
#ifndef LATHE_SESSION_H
#define LATHE_SESSION_H

#include "gen/passes/compile.h"
#include "gen/ptq/ptq.h"
#include "runtime/train/trainer.h"

typedef struct Session Session;

/* The config at `path` with overrides ("path=value"), compiled as `options` say where a C
 * compiler does it. `stop` ends evaluation and quantisation once it is true. NULL and
 * rt_fail when the config cannot be used. */
Session *session_open(const char *path, const char *const *sets, int count,
                      const CompileOptions *options, const volatile sig_atomic_t *stop);
void session_close(Session *session); /* NULL is fine */

/* As it is now; valid until the next change. */
const Config *session_config(const Session *session);
/* The overrides it was made with, in order; ended by NULL. */
const char *const *session_sets(const Session *session);

/* Add an override. It takes the place of an earlier one with the same key, which names
 * what is set, such as "quant.w_bits". */
bool session_set(Session *session, const char *key, const char *override);
/* Use a checkpoint's weights. They stay as they are until quantisation changes: then
 * ranges are found anew from them. */
bool session_load_weights(Session *session, const char *path);
/* Use the images there, see data_load; read when they are needed. False when there is
 * nothing of that name. */
bool session_use_data(Session *session, const char *data);

/* Which weights are in use, in words. */
void session_describe_weights(const Session *session, char *text, size_t size);

/* Whether they are those of a network without quantisers. */
bool session_float_weights(const Session *session);

/* How many changes can be undone: sets, weights, ptq, training. */
int session_depth(const Session *session);
/* Go back to where so many of them were done. */
bool session_back(Session *session, int depth);
/* The same as a change of its own, which can be undone. */
bool session_reset(Session *session, int depth);

typedef struct {
    long images, correct;
    double bytes;   /* of conv and dense weights and biases, at their bits */
    double seconds; /* in all, of which: */
    double calibrating, compiling;
    char weights[256]; /* which: "ranges only", "ptq", or where they came from */
} SessionScore;

/* Accuracy on the first `images` test images (0: all), with ranges found on `calibration`
 * training images where the weights have none that fit. */
bool session_evaluate(Session *session, long images, int calibration,
                      SessionScore *score);

/* Post-training quantisation with learned rounding, on `images` training images. */
bool session_ptq(Session *session, int images, FILE *report, PtqResult *result);

/* Train from the weights in use, or from random ones when there are none; options->output
 * is the folder, options->data and weights are filled in. *signal is the one that stopped
 * it, or 0; its weights are in use then, too. With `sets`, overrides for this run
 * alone. */
bool session_train(Session *session, const char *const *sets, int count,
                   TrainerOptions options, int *signal);

/* Write the config as it is now: one that requires the original when that is in the same
 * folder, otherwise with the texts of all it requires in it. *bundled says which. */
bool session_save(Session *session, const char *path, bool *bundled);
/* Write the weights in use as a checkpoint, or the standalone inference file of them. */
bool session_save_weights(Session *session, const char *path);
bool session_emit(Session *session, const char *path);

/* Print the table of layers, and the C of one of them in a program: "evaluate", "train"
 * or "infer". */
void session_print(const Session *session, FILE *file);
bool session_source(const Session *session, const char *layer, const char *program,
                    FILE *file);

#endif
