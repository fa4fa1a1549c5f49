/* Weights of Keras models, .h5, given to lathe's arrays. */
#ifndef LATHE_IMPORT_KERAS_H
#define LATHE_IMPORT_KERAS_H

#include <stdio.h>

#include "runtime/checkpoint/checkpoint.h"

/* An array of the network, and where it is. */
typedef struct {
    const Param *param;
    const char *layer;  /* its layer */
    const char *kernel; /* the array of the kernel in that layer, or in the one that a
                           normalisation comes behind; NULL: there is none */
    double eps;         /* what the layer adds to variances */
} KerasPlace;

/* Keras numbers its layers as it makes them, so their names say nothing of the place:
 * each kernel of the network, in order, gets the first layer left of its kind and shape,
 * or the one that has its layer's name; a normalisation gets the one behind that layer.
 * What the file has and the network has not is brought over: a convolution's bias into
 * the mean behind it, or, where the file has no normalisation there, into one that does
 * nothing else; other eps into variances. Fails as import_weights does. */
bool import_keras(const char *path, const KerasPlace *names, int n_names,
                  bool ignore_extra, Checkpoint *out);

/* The match as a table; see import_explain. */
bool import_keras_explain(const char *path, const KerasPlace *names, int n_names,
                          bool ignore_extra, FILE *out);

#endif
