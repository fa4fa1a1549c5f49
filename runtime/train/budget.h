/* Learned bitwidths (Uhlich et al. 2019): steps and ranges are trained in logarithms, and
 * a penalty on the network's size takes them down to a budget. */
#ifndef LATHE_BUDGET_H
#define LATHE_BUDGET_H

#include "runtime/train/optim.h"
#include "runtime/train/size.h"

/* What weights and activations may take, in KiB, `share` (0..1) into the run: from their
 * size at the first bits it falls in a straight line to the recipe's budget, over the
 * recipe's descent; 0 without a budget. */
typedef struct {
    double weights, activations;
} Budgets;
Budgets budget_now(const Model *model, const Recipe *recipe, double share);

/* One optimiser step lies between begin and end.
 *
 * begin turns the gradients of learned steps and ranges into what the optimiser takes. They
 * are scales, so their logarithms are what is trained: with h = x dL/dx, the derivative by log
 * x, the optimiser gets x h, and moves x by h's share of it. To h comes that of the penalty,
 * penalty * relu(KiB - budget)^2, bits = log2(range / step + 1) with straight-through
 * rounding. h is kept within 0.1; the penalty's are scaled down together until the
 * largest is within 0.1, so that a layer is asked for bits in proportion to what they save.
 *
 * end keeps the numbers in their bounds, takes back, once the descent is over, those steps and
 * ranges that grew beyond the budget, and puts them among the averages as they are: an average
 * of two networks within a budget need not be within it. */
typedef struct {
    const Recipe *recipe;
    Budgets budgets;
    bool down;     /* the descent is over */
    float *before; /* learned steps and ranges, layer by layer */
} Budget;
Budget budget_begin(Optim *optim, const Recipe *recipe, double share);
void budget_end(Budget *budget, Optim *optim);

#endif
