/* The loss against its definition in real numbers, and its gradient against differences
 * of it: of labels alone, of mixed images, and with teachers. */
#include "tests/suites.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "runtime/train/teach.h"
#include "tests/tools/folder.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES = 5, IMAGES = 3 };

static float logits[IMAGES * CLASSES], taught[IMAGES * CLASSES];
static const int32_t labels[IMAGES] = {2, 0, 4};
static const int32_t others[IMAGES] = {1, 0, 3}; /* the second is of its own class */
static const float shares[IMAGES] = {0.25f, 0.5f, 1};
static Step step;

static void make_step(void)
{
    for (int i = 0; i < IMAGES; i++) {
        double total = 0;
        for (int k = 0; k < CLASSES; k++) {
            uint64_t at = (uint64_t)(i * CLASSES + k);
            logits[at] = (float)(2 * random_normal(1, at));
            taught[at] = (float)random_between(2, at, 0.01, 1);
            total += (double)taught[at];
        }
        for (int k = 0; k < CLASSES; k++)
            taught[i * CLASSES + k] /= (float)total;
    }
    step = (Step){.labels = labels,
                  .count = IMAGES,
                  .logits = logits,
                  .label_smoothing = 0.1f,
                  .distill = 0.7f,
                  .temperature = 3,
                  .loss_scale = 0.25f};
}

/* As cross-entropy and divergence are defined. */
static double share(const float *scores, int k, double temperature)
{
    double total = 0;
    for (int j = 0; j < CLASSES; j++)
        total += exp((double)scores[j] / temperature);
    return exp((double)scores[k] / temperature) / total;
}

static double defined_loss(int image)
{
    const float *scores = logits + image * CLASSES, *p = taught + image * CLASSES;
    double hard = 0, soft = 0, t = (double)step.temperature;
    for (int k = 0; k < CLASSES; k++) {
        double share_of_label = step.shares ? (double)shares[image] : 1;
        double target = 0.1 / CLASSES + (k == labels[image] ? 0.9 * share_of_label : 0);
        if (step.shares && k == others[image])
            target += 0.9 * (1 - share_of_label);
        hard -= target * log(share(scores, k, 1));
        soft += (double)p[k] * log((double)p[k] / share(scores, k, t));
    }
    return step.taught ? 0.3 * hard + 0.7 * t * t * soft : hard;
}

START_TEST(loss_and_gradient)
{
    step.taught = _i & 1 ? taught : NULL;
    step.others = _i & 2 ? others : NULL;
    step.shares = _i & 2 ? shares : NULL;
    for (int i = 0; i < IMAGES; i++) {
        float dy[CLASSES], *scores = logits + i * CLASSES;
        double sums[2] = {0};
        rt_softmax_loss(&step, i, CLASSES, dy, sums);
        ck_assert_double_eq_tol(sums[0], defined_loss(i), 1e-6);
        for (int k = 0; k < CLASSES; k++) {
            const float h = 0x1p-7f;
            float at = scores[k];
            scores[k] = at + h;
            double above = defined_loss(i);
            scores[k] = at - h;
            double below = defined_loss(i);
            scores[k] = at;
            ck_assert_double_eq_tol((double)dy[k],
                                    0.25 * (above - below) / (2 * (double)h), 2e-4);
        }
    }
}
END_TEST

/* A network that scores as its teacher does has nothing to learn from it. */
START_TEST(nothing_left_to_learn)
{
    step.taught = taught;
    step.distill = 1;
    for (int k = 0; k < CLASSES; k++)
        taught[k] = (float)share(logits, k, 3);
    float dy[CLASSES];
    double sums[2] = {0};
    rt_softmax_loss(&step, 0, CLASSES, dy, sums);
    ck_assert_double_eq_tol(sums[0], 0, 1e-5);
    for (int k = 0; k < CLASSES; k++)
        ck_assert_double_eq_tol((double)dy[k], 0, 1e-6);
}
END_TEST

/* A teacher that is sure to the last digit of a float gives no infinity. */
START_TEST(sure_teachers)
{
    step.taught = taught;
    for (int k = 0; k < CLASSES; k++)
        taught[k] = k == 1;
    float dy[CLASSES];
    double sums[2] = {0};
    rt_softmax_loss(&step, 0, CLASSES, dy, sums);
    ck_assert(isfinite(sums[0]));
    for (int k = 0; k < CLASSES; k++)
        ck_assert(isfinite(dy[k]));
}
END_TEST

/* The mean of what several teachers make of the images, in passes of their own size. */
START_TEST(teachers_are_averaged)
{
    enum { COUNT = 7 };
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "1"), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--epochs", "1", "--seed", "9"), 0);
    Model small = model;
    small.micro_batch = 2;
    const Teacher teachers[] = {{&model, in_folder("a/best.ckpt"), "a.lua"},
                                {&small, in_folder("b/best.ckpt"), "b.lua"}};
    const TrainerOptions options = {.teachers = teachers, .teacher_count = 2};
    Recipe soft = recipe;
    soft.temperature = 2;
    Model learner = model;
    learner.micro_batch = COUNT;
    Teaching teaching;
    ck_assert_msg(teaching_begin(&teaching, &learner, &soft, &options), "%s", rt_error());
    uint8_t images[COUNT * TINY_INPUTS];
    for (int i = 0; i < COUNT * TINY_INPUTS; i++)
        images[i] = (uint8_t)random_bits(3, (uint64_t)i);
    const float *got = teaching_scores(&teaching, images, COUNT);
    for (int i = 0; i < COUNT; i++) {
        double want[TINY_CLASSES] = {0};
        for (int t = 0; t < 2; t++) {
            float scores[TINY_CLASSES];
            double total = 0;
            Step one = {.images = images + i * TINY_INPUTS,
                        .count = 1,
                        .params = teaching.weights[t].params,
                        .stats = teaching.weights[t].stats,
                        .logits = scores};
            model.evaluate(&one);
            for (int k = 0; k < TINY_CLASSES; k++)
                total += exp((double)scores[k] / 2);
            for (int k = 0; k < TINY_CLASSES; k++)
                want[k] += exp((double)scores[k] / 2) / total / 2;
        }
        for (int k = 0; k < TINY_CLASSES; k++)
            ck_assert_double_eq_tol((double)got[i * TINY_CLASSES + k], want[k], 1e-6);
    }
    teaching_free(&teaching);
}
END_TEST

Suite *loss_suite(void)
{
    Suite *suite = suite_create("loss");
    TCase *tests = tcase_create("loss");
    tcase_add_checked_fixture(tests, make_step, NULL);
    tcase_add_loop_test(tests, loss_and_gradient, 0, 4);
    tcase_add_test(tests, nothing_left_to_learn);
    tcase_add_test(tests, sure_teachers);
    suite_add_tcase(suite, tests);
    tests = tcase_create("teachers");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, teachers_are_averaged);
    suite_add_tcase(suite, tests);
    return suite;
}
