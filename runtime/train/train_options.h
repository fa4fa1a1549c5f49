/* What a trainer is asked to do, by a command line or by a program around it. */
#ifndef LATHE_TRAIN_OPTIONS_H
#define LATHE_TRAIN_OPTIONS_H

#include "runtime/base/flags.h"
#include "runtime/rt.h"

/* A faster compilation of the same network, which a run goes over to between two steps:
 * the JIT's second tier. */
typedef struct {
    /* Change the functions of the run's Model, if there are others by now (`wait`: once
     * there are). True when this call did; with `wait`, false and rt_fail. NULL:
     * never. */
    bool (*move)(void *context, bool wait);
    void *context;
    long at; /* the optimiser step to go over at; -1: as soon as it can */
} Tiers;

/* A trained network whose scores the loss goes by as well. */
typedef struct {
    const Model *model;  /* in this process */
    const char *weights; /* its checkpoint */
    const char *path;    /* of its config, for messages */
} Teacher;

/* What the command line says; 0 or NULL where it says nothing. */
typedef struct {
    const char *data;   /* see data_load */
    const char *output; /* folder; NULL: where the resumed checkpoint is, or Model.name */
    const char *weights; /* checkpoint to start from or to use */
    const char *resume;  /* checkpoint to go on from; "": last.ckpt in output */
    bool force;          /* replace another run in the output folder */
    long epochs;         /* instead of the recipe's, or of the resumed run's */
    long steps;          /* stop after that many in this call */
    long threads;
    FlagSeed seed;      /* instead of the recipe's */
    const char *seeds;  /* "1,2,3": a run with each; NULL: one run */
    long images;        /* evaluate on the first of them only */
    const char *scores; /* .npy file */
    const char *only;   /* of bench: "train" or "evaluate"; NULL: both */
    bool mpi_model;     /* of bench: print what several machines would do */
    const char *const *pictures;
    int picture_count;
    const char *go_on;       /* how a stopped run is gone on with; NULL: by --resume */
    const Teacher *teachers; /* their scores are averaged; NULL: none */
    int teacher_count;
    const char *teaching; /* the flags that name them, as a text; NULL: none */
    const Tiers *tiers;   /* NULL: the model is compiled for good */
} TrainerOptions;

#endif
