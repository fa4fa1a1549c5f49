/* A training run in memory: train_setup.c makes one, train_loop.c drives it. */
#ifndef LATHE_TRAIN_H
#define LATHE_TRAIN_H

#include "runtime/data/loader.h"
#include "runtime/peers/peers.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/mix.h"
#include "runtime/train/optim.h"
#include "runtime/train/progress.h"
#include "runtime/train/teach.h"
#include "runtime/train/train_options.h"
#include "runtime/train/train_state.h"

#include <signal.h>

typedef struct {
    const Model *model;
    Recipe recipe; /* in effect: with the command line's epochs and seed */
    char *config;  /* Model.config, with the same */
    int lock;      /* of the output folder; -1: not taken yet */
    char *last, *best, *log, *report, *events, *curve,
        *bits; /* paths of the files it writes */
    ImageSet train, held_out, test;
    int steps_per_epoch; /* of whole batches; the images left over sit this epoch out */
    int *order;          /* [train.count], of the current epoch */
    Peers *peers;        /* the processes that take the same steps; NULL: there is one */
    int *own_order;      /* of the images that this one reads; NULL: of all */
    Loader *loader;      /* of training images */
    bool unreadable;     /* an image was broken; the run stands where it last did well */
    float *before;       /* params and stats before the step, where it may have to be
                            undone; or NULL */
    Optim optim;
    float *pass_gradient; /* where several processes take steps of several passes */
    Work work;
    Teaching teaching;
    Mixing mixing;
    TrainState state;
    Progress progress;
    const char *go_on;  /* how, if it is stopped */
    const Tiers *tiers; /* or NULL */
} Run;

/* Read, check and allocate everything; begin anew or where the checkpoint stopped. Free
 * it even when this fails. */
bool run_prepare(Run *run, const Model *model, const Recipe *recipe,
                 const TrainerOptions *options);
void run_free(Run *run);

/* Shuffle the training images for the current epoch, and go on where its steps stand. */
void train_begin_epoch(Run *run);
/* One optimiser step on the next batch of the epoch; false and rt_fail when the loss is
 * not finite, or when an image is broken: then it is as if the step had not begun. */
bool train_step(Run *run);
/* BN's running statistics anew, into weights->stats: the means of those of
 * recipe.bn_batches batches of an epoch behind the last one, through the network with
 * weights->params. *done is false where *stop, in any process, came first: then all is as
 * it was. False and rt_fail when an image is broken. */
bool train_renew_statistics(Run *run, const Weights *weights,
                            const volatile sig_atomic_t *stop, bool *done);
/* Optimiser steps of the run so far. */
long train_steps_done(const Run *run);
/* rt_fail: what is not finite, at that step of the epoch, and the first array that is
 * not; false. */
bool train_not_finite(const Run *run, const char *what, int step);

#endif
