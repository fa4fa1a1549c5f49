/* The verbs that use weights: eval, on the test images, and classify, on pictures. */
#include "runtime/base/elementary.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/data/pictures.h"
#include "runtime/peers/peers.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int choose_count(const ImageSet *test, const TrainerOptions *options)
{
    if (options->images <= test->count)
        return options->images ? (int)options->images : test->count;
    rt_fail("%s: %d test images, --images says %ld", options->data, test->count,
            options->images);
    return 0;
}

/* NumPy's format 1.0: magic, header length, a Python dictionary padded with spaces so
 * that the data begin at a multiple of 64. */
static void write_npy_header(FILE *out, const char *type, int rows, int columns)
{
    enum { FIXED = 10, ALIGN = 64 };
    char *text = rt_format("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }",
                           type, rows, columns);
    size_t length = strlen(text) + 1;
    length += (ALIGN - (FIXED + length) % ALIGN) % ALIGN;
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    fputc((int)(length & 255), out);
    fputc((int)(length >> 8), out);
    fprintf(out, "%-*s\n", (int)length - 1, text);
    free(text);
}

static bool evaluate_to(const TrainerOptions *options, const Model *model,
                        const Weights *weights, const Work *work, const ImageSet *set,
                        int count, Score *score)
{
    Evaluation asked = {.tiers = options->tiers, .shown = options->data};
    if (options->scores == NULL)
        return evaluate(model, weights, work, set, count, &asked, score);
    Replacement r;
    if (!rt_replace_begin(&r, options->scores))
        return false;
    write_npy_header(r.file, model->scores_integers ? "<i8" : "<f4", count,
                     model->classes);
    asked.scores = r.file;
    if (evaluate(model, weights, work, set, count, &asked, score))
        return rt_replace_commit(&r);
    rt_replace_abandon(&r);
    return false;
}

static void print_score(const Model *model, const Score *score, const ClassNames *names)
{
    int widest = 0;
    for (int i = 0; i < model->classes; i++)
        widest = (int)fmax(widest, (double)strlen(rt_shown(names->items[i])));
    printf("accuracy %.4f (%d/%d)", (double)score->correct / score->images,
           score->correct, score->images);
    if (model->classes > 2 * TOP)
        printf(", top-%d %.4f (%d/%d)", TOP, (double)score->among_top / score->images,
               score->among_top, score->images);
    putchar('\n');
    for (int i = 0; i < model->classes; i++) {
        int right = score->class_right[i], images = score->class_images[i];
        printf("%-*s %5d/%d", widest, rt_shown(names->items[i]), right, images);
        if (images > 0)
            printf("  %.4f", (double)right / images);
        putchar('\n');
    }
}

/* The data's own names are for its numbers, those kept with the weights for the
 * others. */
static void print_named(const Model *model, const Score *score, const ClassNames *data,
                        const ClassNames *kept)
{
    ClassNames names = class_names_choose(model->classes, model->class_names, data, kept);
    print_score(model, score, &names);
    class_names_free(&names);
}

/* Whether several processes are to do the same. */
static bool same_evaluation(const Model *model, const Weights *weights,
                            const ImageSet *test, int count)
{
    PeerThing things[] = {{.another = "other weights"},
                          {.another = "other statistics"},
                          {.another = "other test images"},
                          {.another = "another --images"}};
    if (rt_peers() == NULL)
        return true;
    rt_sha256(weights->params, model->param_floats * sizeof(float), things[0].hash);
    rt_sha256(weights->stats, model->stat_floats * sizeof(float), things[1].hash);
    image_set_hash(test, things[2].hash);
    rt_sha256(&count, sizeof count, things[3].hash);
    return peers_alike(rt_peers(), things, sizeof things / sizeof *things);
}

bool eval_run(const Model *model, const TrainerOptions *options)
{
    ImageSet none = {0}, test = {0};
    Weights weights;
    if (!weights_load(&weights, model, options->weights))
        return peers_all(rt_peers(), false);
    ClassNames found = {0};
    DataWant want = data_want(model);
    want.found = &found;
    if (want.class_names == NULL && weights.names.count > 0)
        want.class_names = (const char *const *)weights.names.items;
    size_t classes = (size_t)model->classes;
    Score score = {.class_images = rt_alloc(classes * sizeof(int)),
                   .class_right = rt_alloc(classes * sizeof(int))};
    Work work;
    work_alloc(&work, model);
    int count = 0;
    bool ok = data_load(options->data, DATA_TEST, &want, &none, &test) &&
              (count = choose_count(&test, options)) > 0;
    ok = peers_all(rt_peers(), ok) && same_evaluation(model, &weights, &test, count) &&
         evaluate_to(options, model, &weights, &work, &test, count, &score) &&
         (score.images > 0 || rt_fail("%s: every image is broken", options->data));
    if (ok && test.unlabelled)
        printf("%d images without labels\n", count);
    else if (ok)
        print_named(model, &score, &found, &weights.names);
    class_names_free(&found);
    image_set_say_broken(&test);
    data_free(&test);
    work_free(&work);
    weights_free(&weights);
    free(score.class_images);
    free(score.class_right);
    return ok;
}

/* ---- classify ---- */

/* PATH: cat 0.9312, dog 0.0410, ... */
static void print_best(const ClassNames *names, const char *path, int first,
                       float *scores)
{
    enum { BEST = 5 };
    int classes = names->count;
    double total = log_sum_exp(scores, classes);
    printf("%s:", rt_shown(path));
    for (int i = 0; i < BEST && i < classes; i++) {
        int best = i == 0 ? first : best_class(scores, classes);
        printf("%s %s %.4f", i ? "," : "", rt_shown(names->items[best]),
               rt_exp(scores[best] - total));
        scores[best] = -INFINITY; /* taken */
    }
    putchar('\n');
}

/* One that is broken is named, counted, and does not stop the others. */
static bool classify_picture(const Model *model, const Weights *weights, const Work *work,
                             const ClassNames *names, const char *path, int *broken)
{
    const DataWant want = data_want(model);
    if (!picture_read_image(path, &want, work->images)) {
        fprintf(stderr, "%s: %s\n", model->name, rt_error());
        rt_error_clear();
        ++*broken;
        return true;
    }
    Step step = {.images = work->images,
                 .count = 1,
                 .params = weights->params,
                 .stats = weights->stats,
                 .arena = work->arena,
                 .logits = work->logits,
                 .scores = work->scores};
    model->evaluate(&step);
    if (!step.failed)
        print_best(names, path, step_class(model, &step, 0), work->logits);
    return !step.failed;
}

bool classify_run(const Model *model, const TrainerOptions *options)
{
    if (model->channels != 1 && model->channels != 3)
        return rt_fail("%s: reads images of %d channels, pictures have 1 or 3",
                       model->name, model->channels);
    Weights weights;
    if (!weights_load(&weights, model, options->weights))
        return false;
    Work work;
    work_alloc(&work, model);
    bool ok = true;
    int broken = 0;
    const ClassNames none = {0};
    ClassNames names =
        class_names_choose(model->classes, model->class_names, &weights.names, &none);
    for (int i = 0; i < options->picture_count && ok; i++)
        ok = classify_picture(model, &weights, &work, &names, options->pictures[i],
                              &broken);
    class_names_free(&names);
    work_free(&work);
    weights_free(&weights);
    return ok && (broken == 0 || rt_fail("%d of %d pictures could not be read", broken,
                                         options->picture_count));
}
