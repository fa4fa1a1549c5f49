/* A model as Keras' .h5 keeps it: layers with weights, and which comes behind which. */
#ifndef LATHE_KERAS_MODEL_H
#define LATHE_KERAS_MODEL_H

#include "gen/weights/hdf5_file.h"

typedef enum { KERAS_CONV, KERAS_DEPTHWISE, KERAS_DENSE, KERAS_BN } KerasKind;

/* A layer with weights; arrays that it does not have are NULL. */
typedef struct {
    char *name;
    KerasKind kind;
    int behind; /* the layer with weights whose output it reads; -1: another */
    double eps; /* KERAS_BN */
    const Array *kernel, *bias;                  /* [kh][kw][c][k] or [c][k]; [k] */
    const Array *gamma, *beta, *mean, *variance; /* KERAS_BN: [k] */
} KerasLayer;

typedef struct {
    KerasLayer *layers; /* in the model's order: each behind those it reads */
    int count;
    const Array **others; /* arrays that belong to none of them */
    int other_count;
    Hdf5 *file;
} KerasModel;

/* Read a file of model.save, which holds weights and the model's description; false and
 * rt_fail: no such file, or one with weights alone. keras_free() it in any case. */
bool keras_read(const char *path, KerasModel *model);
void keras_free(KerasModel *model);

#endif
