/* Learning bitwidths within a budget: see budget.h. */
#include "runtime/train/budget.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double kib = 8 * 1024; /* bits */
static const double most = 0.1;     /* of a derivative by a logarithm */

static double first_size(const RtSized *sized)
{
    return (double)sized->numbers * sized->quant.bits / kib;
}

static double fall(double from, double to, double share, double descent)
{
    double done = share < descent ? share / descent : 1;
    return to > 0 ? to + fmax(from - to, 0) * (1 - done) : 0;
}

Budgets budget_now(const Model *model, const Recipe *recipe, double share)
{
    double weights = 0, activations = 0;
    for (int i = 0; i < model->sized_count; i++) {
        double size = first_size(&model->sized[i]);
        if (!model->sized[i].is_activation)
            weights += size;
        else
            activations = recipe->a_sum ? activations + size : fmax(activations, size);
    }
    return (Budgets){fall(weights, recipe->w_budget, share, recipe->descent),
                     fall(activations, recipe->a_budget, share, recipe->descent)};
}

/* Derivative of penalty * relu(size - budget)^2. */
static double slope_of(double penalty, double size, double budget)
{
    return budget > 0 && size > budget ? 2 * penalty * (size - budget) : 0;
}

/* The penalty's derivative by the KiB of each tensor, [sized_count]. Of activations held
 * to a maximum, those that have it are asked. */
static void find_slopes(const Model *model, const Budget *budget, const float *params,
                        double *slopes)
{
    const Recipe *recipe = budget->recipe;
    Sizes sizes = size_of(model, params);
    double activations = recipe->a_sum ? sizes.activations : sizes.largest_activation;
    double by_weights = slope_of(recipe->penalty, sizes.weights, budget->budgets.weights);
    double by_activations =
        slope_of(recipe->penalty, activations, budget->budgets.activations);
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        bool counts = !sized->is_activation || recipe->a_sum ||
                      size_one(sized, params) >= sizes.largest_activation * (1 - 1e-12);
        slopes[i] = !counts ? 0 : sized->is_activation ? by_activations : by_weights;
    }
}

/* Derivative of the tensor's KiB by the logarithm of range i; by that of the step, it is
 * the negative. 0 where there are no fewer bits. */
static double pull_of(const RtSized *sized, const float *params, int i)
{
    float step = params[sized->step + i], range = params[sized->range + i];
    int largest, least = sized->quant.is_signed ? 2 : 1;
    if (rt_quant_bits(&sized->quant, step, range) <= least)
        return 0;
    double levels = range / rt_quant_step(&sized->quant, step, range, &largest);
    return sized->numbers / (sized->steps * kib * log(2)) * levels / (levels + 1);
}

/* x dL/dx within bounds, plus the penalty's; times x. */
static void by_logarithm(float *gradient, float x, double penalty)
{
    double task = fmin(fmax((double)x * *gradient, -most), most);
    *gradient = (float)(x * (task + penalty));
}

static void change_gradients(const RtSized *sized, double slope, const float *params,
                             float *gradient)
{
    for (int i = 0; i < sized->steps; i++) {
        double penalty = slope * pull_of(sized, params, i);
        by_logarithm(&gradient[sized->step + i], params[sized->step + i], -penalty);
        by_logarithm(&gradient[sized->range + i], params[sized->range + i], penalty);
    }
}

static void copy_numbers(const Model *model, float *before, const float *params)
{
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        if (!size_learns(sized))
            continue;
        memcpy(before, params + sized->step, sized->steps * sizeof(float));
        memcpy(before + sized->steps, params + sized->range,
               sized->steps * sizeof(float));
        before += 2 * sized->steps;
    }
}

Budget budget_begin(Optim *optim, const Recipe *recipe, double share)
{
    const Model *model = optim->model;
    Budget budget = {recipe, budget_now(model, recipe, share), share >= recipe->descent,
                     NULL};
    double *slopes = rt_alloc((model->sized_count + 1) * sizeof(double));
    double largest[2] = {0}; /* of weights, of activations */
    size_t numbers = 0;
    find_slopes(model, &budget, optim->params, slopes);
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        if (!size_learns(sized))
            continue;
        double *top = &largest[sized->is_activation];
        for (int k = 0; k < sized->steps; k++)
            *top = fmax(*top, slopes[i] * pull_of(sized, optim->params, k));
        numbers += 2 * sized->steps;
    }
    for (int i = 0; i < model->sized_count; i++) {
        double top = largest[model->sized[i].is_activation];
        if (size_learns(&model->sized[i]))
            change_gradients(&model->sized[i], slopes[i] * (top > most ? most / top : 1),
                             optim->params, optim->gradient);
    }
    free(slopes);
    budget.before = rt_alloc((numbers + 1) * sizeof(float));
    copy_numbers(model, budget.before, optim->params);
    return budget;
}

/* Whether the tensor, which took `before` KiB, grew where there is no room: `over` what
 * all weights, or all activations, may take; or alone over a maximum. */
static bool grew(const Budget *budget, const RtSized *sized, double before, double after,
                 const bool over[2])
{
    bool alone = sized->is_activation && !budget->recipe->a_sum;
    bool beyond =
        alone ? budget->budgets.activations > 0 && after > budget->budgets.activations
              : over[sized->is_activation];
    return after > before && beyond;
}

static void take_back(const Budget *budget, const Model *model, float *params)
{
    Sizes sizes = size_of(model, params);
    const Budgets *most_kib = &budget->budgets;
    const bool over[2] = {most_kib->weights > 0 && sizes.weights > most_kib->weights,
                          most_kib->activations > 0 &&
                              sizes.activations > most_kib->activations};
    const float *before = budget->before;
    for (int i = 0; i < model->sized_count; i++) {
        RtSized was = model->sized[i];
        if (!size_learns(&was))
            continue;
        float *step = params + was.step, *range = params + was.range;
        double after = size_one(&was, params);
        was.step = 0;
        was.range = was.steps;
        if (grew(budget, &was, size_one(&was, before), after, over)) {
            memcpy(step, before, was.steps * sizeof(float));
            memcpy(range, before + was.steps, was.steps * sizeof(float));
        }
        before += 2 * was.steps;
    }
}

void budget_end(Budget *budget, Optim *optim)
{
    const Model *model = optim->model;
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        if (size_learns(sized))
            rt_quant_clamp(&sized->quant, sized->steps, optim->params + sized->step,
                           optim->params + sized->range);
    }
    if (budget->down)
        take_back(budget, model, optim->params);
    for (int i = 0; i < model->sized_count && optim->averages; i++) {
        const RtSized *sized = &model->sized[i];
        if (!size_learns(sized))
            continue;
        size_t bytes = sized->steps * sizeof(float);
        memcpy(optim->ema + sized->step, optim->params + sized->step, bytes);
        memcpy(optim->ema + sized->range, optim->params + sized->range, bytes);
    }
    free(budget->before);
    budget->before = NULL;
}
