/* Forward passes over a set of images: see evaluate.h. */
#include "runtime/train/evaluate.h"
#include "runtime/base/elementary.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/loader.h"
#include "runtime/data/watch.h"
#include "runtime/kernels/profile.h"

#include <math.h>
#include <stdlib.h>

bool weights_load(Weights *weights, const Model *model, const char *path)
{
    *weights = (Weights){0};
    Checkpoint checkpoint;
    if (!checkpoint_read(path, &checkpoint))
        return false;
    weights->params = rt_alloc_aligned(model->param_floats * sizeof(float));
    weights->stats = rt_alloc_aligned(model->stat_floats * sizeof(float));
    const CheckpointNet net = {model->arch,  model->config,      model->params,
                               model->stats, model->param_count, model->stat_count};
    bool ok = checkpoint_use(&checkpoint, path, &net, weights->params, weights->stats);
    if (ok)
        weights->names = class_names_read(checkpoint.progress, model->classes);
    checkpoint_free(&checkpoint);
    if (!ok)
        weights_free(weights);
    return ok;
}

void weights_free(Weights *weights)
{
    free(weights->params);
    free(weights->stats);
    class_names_free(&weights->names);
    *weights = (Weights){0};
}

void work_alloc(Work *work, const Model *model)
{
    size_t count = (size_t)model->micro_batch;
    size_t pixels = (size_t)model->height * (size_t)model->width;
    work->images = rt_alloc_aligned(count * pixels * (size_t)model->channels);
    work->labels = rt_alloc(count * sizeof *work->labels);
    work->logits = rt_alloc_aligned(count * (size_t)model->classes * sizeof(float));
    work->scores = rt_alloc(count * (size_t)model->classes * sizeof *work->scores);
    work->arena = rt_alloc_aligned(model->arena_bytes);
}

void work_free(Work *work)
{
    free(work->images);
    free(work->labels);
    free(work->logits);
    free(work->scores);
    free(work->arena);
    *work = (Work){0};
}

double log_sum_exp(const float *scores, int count)
{
    double most = scores[best_class(scores, count)], sum = 0;
    for (int i = 0; i < count; i++)
        sum += rt_exp(scores[i] - most);
    return most + rt_log(sum);
}

int best_class(const float *scores, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

int step_class(const Model *model, const Step *step, int image)
{
    size_t first = (size_t)image * model->classes;
    if (!model->scores_integers)
        return best_class(step->logits + first, model->classes);
    int best = 0;
    for (int i = 1; i < model->classes; i++)
        if (step->scores[first + i] > step->scores[first + best])
            best = i;
    return best;
}

/* Whether fewer than TOP scores of the image are better than its label's; of scores
 * alike, the first ones count as better, as for the best. */
static bool is_among_top(const Model *model, const Step *step, int image)
{
    size_t first = (size_t)image * (size_t)model->classes;
    const float *scores = step->logits + first;
    const int64_t *exact = model->scores_integers ? step->scores + first : NULL;
    int better = 0, label = step->labels[image];
    for (int i = 0; i < model->classes; i++) {
        bool higher = exact ? exact[i] > exact[label] : scores[i] > scores[label];
        bool alike = exact ? exact[i] == exact[label] : scores[i] == scores[label];
        better += higher || (alike && i < label);
    }
    return better < TOP;
}

static void count_image(const Model *model, const Step *step, int image, Score *score)
{
    const float *scores = step->logits + (size_t)image * model->classes;
    int label = step->labels[image];
    bool right = step_class(model, step, image) == label;
    score->images++;
    score->correct += right;
    score->among_top += is_among_top(model, step, image);
    score->loss += log_sum_exp(scores, model->classes) - scores[label];
    if (score->class_images) {
        score->class_images[label]++;
        score->class_right[label] += right;
    }
}

static void write_scores(const Model *model, const Step *step, FILE *file)
{
    size_t numbers = (size_t)step->count * (size_t)model->classes;
    if (model->scores_integers)
        fwrite(step->scores, sizeof *step->scores, numbers, file);
    else
        fwrite(step->logits, sizeof *step->logits, numbers, file);
}

/* The next images, up to a pass of them, through the network. */
static bool evaluate_pass(const Model *model, Loader *loader, int first, Step *step,
                          const Work *work, Score *score)
{
    uint64_t since = rt_profile_now();
    bool *stand_ins = rt_alloc((size_t)step->count);
    bool ok =
        loader_take(loader, first, step->count, work->images, work->labels, stand_ins);
    if (ok) {
        model->evaluate(step);
        since = profile_part(PART_EVALUATE, step->count, since);
        ok = !step->failed;
    }
    for (int i = 0; i < step->count && ok; i++)
        if (!stand_ins[i])
            count_image(model, step, i, score);
    profile_part(PART_SCORE, step->count, since);
    free(stand_ins);
    return ok;
}

bool evaluate(const Model *model, const Weights *weights, const Work *work,
              const ImageSet *set, int count, const Evaluation *asked, Score *score)
{
    static const Evaluation nothing;
    if (count == 0)
        return true;
    Loader *loader =
        loader_open(&(LoaderOptions){.set = set, .most = model->micro_batch});
    loader_start(loader, NULL, 0, count, 0);
    asked = asked ? asked : &nothing;
    bool ok = true;
    for (int done = 0; done < count && ok;) {
        int left = count - done;
        Step step = {.images = work->images,
                     .labels = work->labels,
                     .count = left < model->micro_batch ? left : model->micro_batch,
                     .params = weights->params,
                     .stats = weights->stats,
                     .arena = work->arena,
                     .logits = work->logits,
                     .scores = work->scores};
        if (asked->shown)
            watch_show(asked->shown, "images", done, count);
        if (asked->tiers && asked->tiers->move)
            asked->tiers->move(asked->tiers->context, false);
        ok = !(asked->stop && *asked->stop) &&
             evaluate_pass(model, loader, done, &step, work, score);
        if (ok && asked->scores)
            write_scores(model, &step, asked->scores);
        done += step.count;
    }
    watch_show(asked->shown, NULL, 0, 0);
    loader_close(loader);
    return ok;
}
