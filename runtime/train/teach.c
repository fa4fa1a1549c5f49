/* Teachers' scores: see teach.h. */
#include "runtime/train/teach.h"

#include "runtime/base/elementary.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static bool same_names(const Model *a, const Model *b)
{
    for (int i = 0; a->class_names && b->class_names && i < a->classes; i++)
        if (strcmp(a->class_names[i], b->class_names[i]) != 0)
            return false;
    return true;
}

static bool check(const Teacher *teacher, const Model *model)
{
    const Model *it = teacher->model;
    if (it->height != model->height || it->width != model->width ||
        it->channels != model->channels || it->classes != model->classes)
        return rt_fail("%s: a teacher for %dx%dx%d and %d classes, the network has "
                       "%dx%dx%d and %d",
                       teacher->path, it->height, it->width, it->channels, it->classes,
                       model->height, model->width, model->channels, model->classes);
    return same_names(it, model) ||
           rt_fail("%s: a teacher whose classes are called otherwise than the network's",
                   teacher->path);
}

bool teaching_begin(Teaching *teaching, const Model *model, const Recipe *recipe,
                    const TrainerOptions *options)
{
    size_t count = (size_t)options->teacher_count;
    *teaching = (Teaching){.teachers = options->teachers,
                           .classes = model->classes,
                           .temperature = recipe->temperature};
    if (count == 0)
        return true;
    teaching->weights = rt_alloc(count * sizeof *teaching->weights);
    teaching->work = rt_alloc(count * sizeof *teaching->work);
    teaching->taught =
        rt_alloc((size_t)model->micro_batch * (size_t)model->classes * sizeof(float));
    for (; teaching->count < options->teacher_count; teaching->count++) {
        const Teacher *teacher = &options->teachers[teaching->count];
        if (!check(teacher, model) || !weights_load(&teaching->weights[teaching->count],
                                                    teacher->model, teacher->weights))
            return false;
        work_alloc(&teaching->work[teaching->count], teacher->model);
    }
    return true;
}

void teaching_free(Teaching *teaching)
{
    for (int i = 0; i < teaching->count; i++) {
        weights_free(&teaching->weights[i]);
        work_free(&teaching->work[i]);
    }
    free(teaching->weights);
    free(teaching->work);
    free(teaching->taught);
    *teaching = (Teaching){0};
}

/* Adds softmax(scores / temperature) / count. */
static void add_soft(const Teaching *teaching, const float *scores, float *taught)
{
    double most = scores[best_class(scores, teaching->classes)], total = 0;
    for (int k = 0; k < teaching->classes; k++)
        total += rt_exp((scores[k] - most) / teaching->temperature);
    for (int k = 0; k < teaching->classes; k++)
        taught[k] += (float)(rt_exp((scores[k] - most) / teaching->temperature) / total /
                             teaching->count);
}

/* In passes of as many images as the teacher takes. */
static bool add_teacher(Teaching *teaching, int index, const uint8_t *images, int count)
{
    const Model *model = teaching->teachers[index].model;
    const Work *work = &teaching->work[index];
    size_t bytes = (size_t)model->height * (size_t)model->width * (size_t)model->channels;
    for (int done = 0; done < count; done += model->micro_batch) {
        int left = count - done, most = model->micro_batch;
        Step step = {.images = images + (size_t)done * bytes,
                     .labels = work->labels,
                     .count = left < most ? left : most,
                     .params = teaching->weights[index].params,
                     .stats = teaching->weights[index].stats,
                     .arena = work->arena,
                     .logits = work->logits,
                     .scores = work->scores};
        model->evaluate(&step);
        if (step.failed)
            return false;
        for (int i = 0; i < step.count; i++)
            add_soft(teaching, work->logits + (size_t)i * (size_t)teaching->classes,
                     teaching->taught + (size_t)(done + i) * (size_t)teaching->classes);
    }
    return true;
}

const float *teaching_scores(Teaching *teaching, const uint8_t *images, int count)
{
    if (teaching->count == 0)
        return NULL;
    memset(teaching->taught, 0,
           (size_t)count * (size_t)teaching->classes * sizeof *teaching->taught);
    for (int i = 0; i < teaching->count; i++)
        if (!add_teacher(teaching, i, images, count))
            return NULL;
    return teaching->taught;
}
