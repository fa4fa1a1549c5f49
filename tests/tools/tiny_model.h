/* A network by hand, to test what drives networks: logistic regression on pixels whose
 * channel means are taken out as batch normalisation does, by the micro-batch's in
 * training, by tracked ones in evaluation. 4 images at a time, in steps of 10. */
#ifndef LATHE_TINY_MODEL_H
#define LATHE_TINY_MODEL_H

#include "runtime/data/want.h"
#include "runtime/rt.h"

enum {
    TINY_SIDE = 2,
    TINY_CHANNELS = 3,
    TINY_INPUTS = TINY_SIDE * TINY_SIDE * TINY_CHANNELS,
    TINY_CLASSES = 3,
    TINY_MICRO = 4,
    TINY_BIAS = 48 /* its offset: 12 floats behind the weights are nobody's */
};

extern const Model tiny_model;
extern const DataWant tiny_data; /* its images */
extern const Recipe tiny_recipe;

/* What the model is to do besides; counts are of calls from 1, 0 is never. */
typedef struct {
    int train_calls, evaluate_calls; /* out */
    int counts[1000];                /* out: images of each call of train */
    int raise_in_train, raise_in_evaluate, signal;
    int nan_in_train; /* loss and one gradient of the bias are NAN */
} TinyHooks;
extern TinyHooks tiny_hooks;

#endif
