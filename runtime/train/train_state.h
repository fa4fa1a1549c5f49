/* Where a training run stands, apart from the arrays; and how it is kept in last.ckpt,
 * from which the run goes on as if it had not been interrupted. */
#ifndef LATHE_TRAIN_STATE_H
#define LATHE_TRAIN_STATE_H

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/class_names.h"
#include "runtime/train/history.h"
#include "runtime/train/optim.h"

typedef struct {
    int epochs; /* of the whole run */
    uint64_t seed;
    ClassNames classes; /* as the data has them; of a config without names */
    char *data;         /* as the command line has it */
    char *weights;      /* those that the run began with, or NULL */
    char *teaching;     /* the flags that name its teachers, or NULL */
    int images;         /* in the training set, without those held out */
    int epoch;          /* finished ones */
    int step;           /* optimiser steps of the current epoch */
    long
        cc_from; /* the run's first step done by a C compiler's code, not libtcc's; -1: none */
    double loss; /* sums over the current epoch */
    long correct;
    double seconds;
    int best_epoch; /* 0: none yet; its row of the history tells accuracy and loss */
    int best_correct;
    double best_loss; /* sum over the held-out images */
    bool best_within; /* its budgets */
    History history;  /* of the finished epochs */
} TrainState;

void state_free(TrainState *state);

/* last.ckpt: weights, statistics, momentum, averages, state, the config in effect, and
 * the same `made` lines. */
bool state_save(const char *path, const TrainState *state, const Optim *optim,
                const char *config, const char *made);
/* The state of a checkpoint, before anything is allocated for the run. */
bool state_read(const Checkpoint *checkpoint, const char *path, TrainState *state);
/* The arrays of the same checkpoint; the architecture must match. */
bool state_take_arrays(const Checkpoint *checkpoint, const char *path, Optim *optim);

/* best.ckpt: weights and statistics for use, the averaged ones if there are, under their
 * plain names; with `made` lines that say what they are (see run_record.h), or "". */
bool state_save_for_use(const char *path, const Optim *optim, const char *config,
                        const char *made);

#endif
