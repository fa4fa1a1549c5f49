/* The optimiser: stochastic gradient descent over a network's flat arrays, the learning
 * rate of any moment of a run, and the initial weights. Results are the same for any
 * number of threads. */
#ifndef LATHE_OPTIM_H
#define LATHE_OPTIM_H

#include "runtime/rt.h"

/* The learning rate `epoch` epochs into the run, a fraction included. With e = epoch,
 * E = recipe->epochs, w = warmup_epochs, f = lr_final and p = peak * E it is
 *
 *     lr * min(e / w, shape(e))        or lr * shape(e) without warm-up
 *
 * step:       shape = decay_factor ^ (number of milestones <= e)
 * cosine:     shape = f + (1 - f) * (1 + cos(pi * (e - w) / (E - w))) / 2 for e > w
 * linear:     shape = 1 - (1 - f) * (e - w) / (E - w) for e > w
 * one-cycle:  shape = e / p up to p, from there 1 - (1 - f) * (e - p) / (E - p) */
double optim_rate(const Recipe *recipe, double epoch);

/* The decay of the averages after `steps` steps: recipe->ema, less at the start, when
 * there is little to average: min(ema, (1 + steps) / (10 + steps)). */
double optim_ema_decay(const Recipe *recipe, long steps);

typedef struct {
    size_t start, count;
    float decay, rate; /* times the recipe's weight decay and the step's rate */
} Slice;

/* Everything that training changes; laid out as Model.params and Model.stats say. */
typedef struct {
    const Model *model;
    float *params, *gradient, *momentum, *ema; /* [param_floats] */
    float *stats, *ema_stats;                  /* [stat_floats] */
    Slice *slices; /* of the params, without the gaps between them; the unit of work */
    int slice_count;
    bool averages; /* recipe->ema > 0; otherwise ema and ema_stats are NULL */
} Optim;

void optim_alloc(Optim *optim, const Model *model, const Recipe *recipe);
void optim_free(Optim *optim);

/* Initial weights and statistics from the seed; each array's numbers depend on its name,
 * not on the other arrays. */
void optim_initialise(Optim *optim, uint64_t seed);
/* Let the averages begin where the weights and statistics are. */
void optim_start_averages(Optim *optim);

/* One step, after `steps` earlier ones, in PyTorch's formulation: g += weight_decay * w
 * (of conv and dense kernels, and as the recipe says of BN's arrays and biases), v =
 * momentum * v + g, w -= rate * v (Nesterov: rate * (g + momentum * v)). Then ema = d *
 * ema + (1 - d) * w, and the same for the running statistics of batch normalisation, so
 * that averaged weights come with statistics averaged over the same steps. Leaves the
 * gradient zero. */
void optim_step(Optim *optim, const Recipe *recipe, double rate, long steps);

/* The first array with a value that is not finite, as "gradient of s1b0_conv1.weight", or
 * NULL; free() it. Weights and statistics come before gradients: they are the cause. */
char *optim_find_non_finite(const Optim *optim);

#endif
