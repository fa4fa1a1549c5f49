/* Post-training quantisation: ranges, rounding and corrections found layer by layer from
 * a few training images, the float network beside the quantised one. */
#ifndef LATHE_PTQ_H
#define LATHE_PTQ_H

#include "gen/config/config.h"
#include "runtime/data/image_set.h"

#include <signal.h>

typedef struct {
    bool equalise; /* first, see equalise.h */
    bool round;    /* learn the rounding of weights of few bits */
    bool correct; /* move BN statistics and the dense bias to where the errors put them */
    bool floats;  /* refuse weights that are quantised already */
    const char *made; /* start_quantise: lines kept with the weights, or NULL */
    FILE *report;     /* one line per layer, or NULL */
    const volatile sig_atomic_t *stop; /* ends it between two layers once true, or NULL */
} PtqOptions;

/* Accuracy on the calibration images, 0..1, and the layer that lost most. Without labels
 * it is the share of images on which a network agrees with the float one. */
typedef struct {
    bool labelled;
    int images; /* calibrated on */
    double float_accuracy, quantised_accuracy, worst_decibels;
    char worst[NAME_SIZE];
} PtqResult;

/* params and stats (of config->net's layout) hold the float network's values; sets those
 * of the quantisers, and, as the options say, weights (to quantised values), BN
 * statistics and the dense bias. False and rt_fail when stopped. */
bool ptq_run(const Config *config, const PtqOptions *options, const ImageSet *images,
             float *params, float *stats, PtqResult *result);

#endif
