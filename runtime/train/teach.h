/* Teachers: trained networks that look at the very images a network is trained on. */
#ifndef LATHE_TEACH_H
#define LATHE_TEACH_H

#include "runtime/train/evaluate.h"
#include "runtime/train/train_options.h"

/* Their weights, and memory for their passes. */
typedef struct {
    const Teacher *teachers;
    int count, classes;
    double temperature;
    Weights *weights; /* [count] */
    Work *work;       /* [count] */
    float *taught;    /* [micro_batch][classes] of the network that learns */
} Teaching;

/* Load the teachers of `options` for a network; nothing where there are none. False and
 * rt_fail, with the teacher's config: other images or classes than the network's, or
 * weights that are not its own. teaching_free() it in any case. */
bool teaching_begin(Teaching *teaching, const Model *model, const Recipe *recipe,
                    const TrainerOptions *options);
void teaching_free(Teaching *teaching);

/* What they make of `count` images, at most the network's micro_batch: the mean of
 * softmax(scores / temperature), [count][classes], good until the next call; NULL where
 * nobody teaches, and, with rt_fail, where a teacher's integers cannot be represented. */
const float *teaching_scores(Teaching *teaching, const uint8_t *images, int count);

#endif
