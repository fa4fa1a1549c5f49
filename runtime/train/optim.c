/* Learning rate, SGD, averages and initial weights: see optim.h. */
#include "runtime/train/optim.h"
#include "runtime/base/elementary.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_FLOATS = 16384 }; /* its five arrays fit a core's L2 */

static double step_shape(const Recipe *recipe, double epoch)
{
    double shape = 1;
    for (int i = 0; i < recipe->milestone_count; i++)
        if (epoch >= recipe->milestones[i])
            shape *= recipe->decay_factor;
    return shape;
}

static double cosine_shape(const Recipe *recipe, double epoch)
{
    double start = recipe->warmup_epochs;
    if (epoch <= start)
        return 1;
    double turn = acos(-1) * (epoch - start) / (recipe->epochs - start);
    return recipe->lr_final + (1 - recipe->lr_final) * (1 + rt_cos(turn)) / 2;
}

static double one_cycle_shape(const Recipe *recipe, double epoch)
{
    double peak = recipe->peak * recipe->epochs;
    if (epoch < peak)
        return epoch / peak;
    if (epoch >= recipe->epochs)
        return recipe->lr_final;
    return 1 - (1 - recipe->lr_final) * (epoch - peak) / (recipe->epochs - peak);
}

static double linear_shape(const Recipe *recipe, double epoch)
{
    double start = recipe->warmup_epochs;
    if (epoch <= start)
        return 1;
    return 1 - (1 - recipe->lr_final) * (epoch - start) / (recipe->epochs - start);
}

double optim_rate(const Recipe *recipe, double epoch)
{
    double shape = recipe->schedule == SCHEDULE_STEP     ? step_shape(recipe, epoch)
                   : recipe->schedule == SCHEDULE_COSINE ? cosine_shape(recipe, epoch)
                   : recipe->schedule == SCHEDULE_LINEAR ? linear_shape(recipe, epoch)
                                                         : one_cycle_shape(recipe, epoch);
    if (epoch < recipe->warmup_epochs)
        shape = fmin(shape, epoch / recipe->warmup_epochs);
    return recipe->lr * shape;
}

double optim_ema_decay(const Recipe *recipe, long steps)
{
    return fmin(recipe->ema, (1.0 + (double)steps) / (10.0 + (double)steps));
}

static bool is_quantiser(const Param *param)
{
    return param->kind == PARAM_STEP || param->kind == PARAM_RANGE;
}

static bool decays(const Param *param, const Recipe *recipe)
{
    if (param->kind == PARAM_BIAS)
        return recipe->decay_biases;
    if (param->kind == PARAM_BN_SCALE || param->kind == PARAM_BN_SHIFT)
        return recipe->decay_norms;
    return !is_quantiser(param);
}

static void cut_slices(Optim *optim, const Recipe *recipe)
{
    const Model *model = optim->model;
    size_t most = (size_t)model->param_count + model->param_floats / SLICE_FLOATS;
    optim->slices = rt_alloc(most * sizeof *optim->slices);
    for (int i = 0; i < model->param_count; i++) {
        const Param *param = &model->params[i];
        float decay = decays(param, recipe);
        float rate = is_quantiser(param) ? (float)recipe->quantizer_lr : 1;
        for (size_t done = 0; done < param->count; done += SLICE_FLOATS) {
            size_t left = param->count - done;
            optim->slices[optim->slice_count++] =
                (Slice){param->offset + done, left < SLICE_FLOATS ? left : SLICE_FLOATS,
                        decay, rate};
        }
    }
}

void optim_alloc(Optim *optim, const Model *model, const Recipe *recipe)
{
    size_t param_bytes = model->param_floats * sizeof(float);
    size_t stat_bytes = model->stat_floats * sizeof(float);
    *optim = (Optim){.model = model, .averages = recipe->ema > 0};
    optim->params = rt_alloc_aligned(param_bytes);
    optim->gradient = rt_alloc_aligned(param_bytes);
    optim->momentum = rt_alloc_aligned(param_bytes);
    optim->stats = rt_alloc_aligned(stat_bytes);
    if (optim->averages) {
        optim->ema = rt_alloc_aligned(param_bytes);
        optim->ema_stats = rt_alloc_aligned(stat_bytes);
    }
    cut_slices(optim, recipe);
}

void optim_free(Optim *optim)
{
    free(optim->params);
    free(optim->gradient);
    free(optim->momentum);
    free(optim->ema);
    free(optim->stats);
    free(optim->ema_stats);
    free(optim->slices);
    *optim = (Optim){0};
}

/* ---- Initial weights ---- */

typedef struct {
    const Param *params;
    uint64_t seed;
    float *values;
} Initialiser;

/* FNV-1a */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash;
}

static void initialise_one(void *context, int index, int worker)
{
    (void)worker;
    const Initialiser *job = context;
    const Param *param = &job->params[index];
    float *values = job->values + param->offset;
    uint64_t key = random_bits(job->seed, hash_name(param->name));
    double gain = param->init == INIT_HE_NORMAL ? 2 : 1;
    double deviation = sqrt(gain / (param->fan_in > 0 ? param->fan_in : 1));
    bool constant = param->init == INIT_ZERO || param->init == INIT_ONE;
    for (size_t i = 0; i < param->count; i++)
        values[i] = constant ? param->init == INIT_ONE
                             : (float)(deviation * random_normal(key, i));
}

void optim_initialise(Optim *optim, uint64_t seed)
{
    const Model *model = optim->model;
    rt_parallel_for(model->param_count, initialise_one,
                    &(Initialiser){model->params, seed, optim->params});
    rt_parallel_for(model->stat_count, initialise_one,
                    &(Initialiser){model->stats, seed, optim->stats});
}

void optim_start_averages(Optim *optim)
{
    if (!optim->averages)
        return;
    memcpy(optim->ema, optim->params, optim->model->param_floats * sizeof(float));
    memcpy(optim->ema_stats, optim->stats, optim->model->stat_floats * sizeof(float));
}

/* ---- One step ---- */

typedef struct {
    Optim *optim;
    float rate, momentum, weight_decay, ema_share;
    bool nesterov;
} Update;

static void average(float *restrict ema, const float *restrict now, size_t count,
                    float share)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        ema[i] += share * (now[i] - ema[i]);
}

static void update_slice(void *context, int index, int worker)
{
    (void)worker;
    const Update *update = context;
    const Slice *slice = &update->optim->slices[index];
    float *restrict weight = update->optim->params + slice->start;
    float *restrict velocity = update->optim->momentum + slice->start;
    float *restrict gradient = update->optim->gradient + slice->start;
    float decay = slice->decay * update->weight_decay;
    float rate = slice->rate * update->rate, momentum = update->momentum;
    bool nesterov = update->nesterov;
#pragma omp simd
    for (size_t i = 0; i < slice->count; i++) {
        float g = gradient[i] + decay * weight[i];
        float v = momentum * velocity[i] + g;
        weight[i] -= rate * (nesterov ? g + momentum * v : v);
        velocity[i] = v;
        gradient[i] = 0;
    }
    if (update->optim->averages)
        average(update->optim->ema + slice->start, weight, slice->count,
                update->ema_share);
}

void optim_step(Optim *optim, const Recipe *recipe, double rate, long steps)
{
    Update update = {optim,
                     (float)rate,
                     (float)recipe->momentum,
                     (float)recipe->weight_decay,
                     (float)(1 - optim_ema_decay(recipe, steps)),
                     recipe->nesterov};
    rt_parallel_for(optim->slice_count, update_slice, &update);
    if (optim->averages)
        average(optim->ema_stats, optim->stats, optim->model->stat_floats,
                update.ema_share);
}

/* ---- Looking for what went wrong ---- */

static const Param *find_in(const Param *params, int count, const float *values)
{
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < params[i].count; k++)
            if (!isfinite(values[params[i].offset + k]))
                return &params[i];
    return NULL;
}

char *optim_find_non_finite(const Optim *optim)
{
    const Model *model = optim->model;
    const Param *found = find_in(model->params, model->param_count, optim->params);
    if (found == NULL)
        found = find_in(model->stats, model->stat_count, optim->stats);
    if (found)
        return rt_format("%s", found->name);
    found = find_in(model->params, model->param_count, optim->gradient);
    return found ? rt_format("gradient of %s", found->name) : NULL;
}
