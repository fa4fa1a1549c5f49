/* Forward passes over a set of images: see evaluate.h. */
#include "runtime/train/evaluate.h"
#include "runtime/base/elementary.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/loader.h"
#include "runtime/data/watch.h"
#include "runtime/kernels/profile.h"
#include "runtime/peers/peers.h"

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

/* What an image came to; an image whose process is another has zeros. */
typedef struct {
    double loss, counts, right, among_top;
} Mark;

static Mark mark_image(const Model *model, const Step *step, int image)
{
    const float *scores = step->logits + (size_t)image * model->classes;
    int label = step->labels[image];
    return (Mark){log_sum_exp(scores, model->classes) - scores[label], 1,
                  step_class(model, step, image) == label,
                  is_among_top(model, step, image)};
}

/* In the images' order, whoever marked them. */
static void count_marks(const ImageSet *set, const Mark *marks, int count, Score *score)
{
    for (int i = 0; i < count; i++) {
        if (marks[i].counts == 0)
            continue;
        score->images++;
        score->correct += marks[i].right > 0;
        score->among_top += marks[i].among_top > 0;
        score->loss += marks[i].loss;
        if (score->class_images) {
            score->class_images[set->labels[i]]++;
            score->class_right[set->labels[i]] += marks[i].right > 0;
        }
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

/* An evaluation on its way: images at .. end - 1 are still to do. */
typedef struct {
    const Model *model;
    const Weights *weights;
    const Work *work;
    const Evaluation *asked;
    Peers *peers;
    Loader *loader;
    Mark *marks; /* [count] */
    int count, at, end;
    int most; /* images of a pass */
} Evaluating;

/* The next images, up to a pass of them, through the network. */
static bool evaluate_pass(Evaluating *it, Step *step)
{
    uint64_t since = rt_profile_now();
    const Work *work = it->work;
    bool *stand_ins = rt_alloc((size_t)step->count);
    bool ok = loader_take(it->loader, it->at, step->count, work->images, work->labels,
                          stand_ins);
    if (ok) {
        it->model->evaluate(step);
        since = profile_part(PART_EVALUATE, step->count, since);
        ok = !step->failed;
    }
    for (int i = 0; i < step->count && ok; i++)
        if (!stand_ins[i])
            it->marks[it->at + i] = mark_image(it->model, step, i);
    profile_part(PART_SCORE, step->count, since);
    free(stand_ins);
    return ok;
}

/* False when stopped, or with rt_fail. */
static bool next_pass(Evaluating *it)
{
    const Evaluation *asked = it->asked;
    const Work *work = it->work;
    int left = it->end - it->at;
    Step step = {.images = work->images,
                 .labels = work->labels,
                 .count = left < it->most ? left : it->most,
                 .params = it->weights->params,
                 .stats = it->weights->stats,
                 .arena = work->arena,
                 .logits = work->logits,
                 .scores = work->scores};
    if (asked->shown)
        watch_show(asked->shown, "images", it->at, it->count);
    if (asked->tiers && asked->tiers->move)
        asked->tiers->move(asked->tiers->context, false);
    bool ok =
        !(asked->stop && *asked->stop) && (step.count == 0 || evaluate_pass(it, &step));
    if (ok && asked->scores)
        write_scores(it->model, &step, asked->scores);
    it->at += step.count;
    return ok;
}

/* Each process does its part, in as many rounds as all: one that cannot go on ends it for
 * all of them. */
static bool evaluate_part(Evaluating *it)
{
    const int processes = it->peers ? it->peers->count : 1;
    const int largest = (it->count + processes - 1) / processes;
    bool ok = true, failed = false;
    for (int done = 0; done < largest && ok; done += it->most) {
        ok = next_pass(it);
        failed = !ok && rt_error()[0];
        ok = !peers_largest(it->peers, !ok);
    }
    return peers_all(it->peers, !failed) && ok;
}

bool evaluate(const Model *model, const Weights *weights, const Work *work,
              const ImageSet *set, int count, const Evaluation *asked, Score *score)
{
    static const Evaluation nothing;
    if (count == 0)
        return true;
    Peers *peers = rt_peers();
    long rank = peers ? peers->rank : 0, processes = peers ? peers->count : 1;
    Evaluating it = {.model = model,
                     .weights = weights,
                     .work = work,
                     .asked = asked ? asked : &nothing,
                     .peers = peers,
                     .marks = rt_alloc((size_t)count * sizeof(Mark)),
                     .count = count,
                     .at = (int)(count * rank / processes),
                     .end = (int)(count * (rank + 1) / processes),
                     .most = (model->micro_batch - 1) / (int)processes + 1};
    it.loader = loader_open(&(LoaderOptions){.set = set, .most = it.most});
    loader_start(it.loader, NULL, it.at, it.end, 0);
    bool ok = evaluate_part(&it);
    watch_show(it.asked->shown, NULL, 0, 0);
    loader_close(it.loader);
    if (ok && peers)
        peers_total(peers, &it.marks->loss, count * (int)(sizeof(Mark) / sizeof(double)));
    if (ok)
        count_marks(set, it.marks, count, score);
    free(it.marks);
    return ok;
}
