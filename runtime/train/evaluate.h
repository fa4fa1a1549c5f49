/* Running a network forward over a whole set of images, and what that says about it. */
#ifndef LATHE_EVALUATE_H
#define LATHE_EVALUATE_H

#include "runtime/data/class_names.h"
#include "runtime/data/image_set.h"
#include "runtime/rt.h"
#include "runtime/train/train_options.h"

#include <signal.h>
#include <stdio.h>

/* Weights to be used: parameters and statistics, laid out as the Model says. */
typedef struct {
    float *params, *stats;
    ClassNames names; /* of the classes, kept with them; or none */
} Weights;

/* From a checkpoint whose architecture is the model's, averaged ones where it has them.
 */
bool weights_load(Weights *weights, const Model *model, const char *path);
void weights_free(Weights *weights);

/* Memory for one call of Model.train or Model.evaluate. */
typedef struct {
    uint8_t *images; /* [micro_batch] */
    int32_t *labels; /* [micro_batch] */
    float *logits;   /* [micro_batch][classes] */
    int64_t *scores; /* [micro_batch][classes] */
    char *arena;
} Work;
void work_alloc(Work *work, const Model *model);
void work_free(Work *work);

enum { TOP = 5 };
typedef struct {
    int images, correct;
    int among_top;                   /* label among the TOP best */
    double loss;                     /* sum of the cross-entropy, without smoothing */
    int *class_images, *class_right; /* [classes], or both NULL: not wanted */
} Score;

/* What else may be asked of an evaluation; NULL where it is not. */
typedef struct {
    FILE *scores; /* gets [count][classes]: float32, or int64 where they are integers */
    const volatile sig_atomic_t *stop; /* ends it when it becomes true */
    const Tiers *tiers;                /* to go over to between two passes */
    const char *shown; /* the images' name: on a terminal, tell how far it is */
} Evaluation;

/* The first `count` images of `set`, any number; processes share them, and all have the
 * score. Of those that stand in for broken ones
 * there are scores, but they do not count. False when stopped; with rt_fail, when an
 * image is broken, or integer constants cannot be represented. `asked` may be NULL. */
bool evaluate(const Model *model, const Weights *weights, const Work *work,
              const ImageSet *set, int count, const Evaluation *asked, Score *score);

/* Natural logarithm of the sum of e^score. */
double log_sum_exp(const float *scores, int count);
int best_class(const float *scores, int count);
/* The class of image `image` of a pass: the first largest of its scores, of the integers
 * where the network has them. */
int step_class(const Model *model, const Step *step, int image);

#endif
