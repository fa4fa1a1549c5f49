/* Networks trained by others, against what PyTorch computed from the same weights. The
 * files are not ours to ship: LATHE_SHARED names their folder, LATHE_CIFAR10 that of
 * CIFAR-10. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/ir/params.h"
#include "gen/run/build.h"
#include "gen/weights/import.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/train/evaluate.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels / 255, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225, in pixel units. */
static const char *const normalisation[] = {
    "data.mean={ 0.485 * 255, 0.456 * 255, 0.406 * 255 }",
    "data.std={ 0.229 * 255, 0.224 * 255, 0.225 * 255 }",
    "train.micro_batch=10",
    NULL,
};

/* A file of the folder that the variable names; NULL, and a line that says so, when the
 * variable is not set. free() it. */
static char *shared(const char *variable, const char *file)
{
    const char *folder = getenv(variable);
    if (folder == NULL)
        printf("skipped: %s: %s is not set\n", file, variable);
    return folder ? rt_format("%s/%s", folder, file) : NULL;
}

/* The file's weights under lathe's names. */
static void load_weights(const Net *net, const char *path, Weights *weights)
{
    Param *params = params_of(net, ROLE_PARAM), *stats = params_of(net, ROLE_STAT);
    int n = params_count(net, ROLE_PARAM), m = params_count(net, ROLE_STAT);
    ImportName *names = rt_alloc((n + m) * sizeof *names);
    for (int i = 0; i < n + m; i++) {
        names[i].param = i < n ? &params[i] : &stats[i - n];
        names[i].torch = params_torch(net, names[i].param);
    }
    Checkpoint checkpoint = {0};
    ck_assert_msg(import_weights(path, names, n + m, NULL, &checkpoint), "%s",
                  rt_error());
    *weights = (Weights){0};
    weights->params = rt_alloc_aligned(net->param_floats * sizeof(float));
    weights->stats = rt_alloc_aligned(net->stat_floats * sizeof(float));
    ck_assert(checkpoint_take(&checkpoint, path, "", params, n, weights->params));
    ck_assert(checkpoint_take(&checkpoint, path, "", stats, m, weights->stats));
    checkpoint_free(&checkpoint);
    free(names);
    free(params);
    free(stats);
}

/* Scores of the images by the config of that name with those weights. free() them. */
static float *score(const char *config, const char *weights_path, const ImageSet *set,
                    int count, Score *sum)
{
    BuiltNet built;
    Weights weights;
    Work work;
    char *path = rt_format("%s/configs/%s.lua", lathe_root(), config);
    built_make_from(
        &built, path,
        &(BuildHow){.target = target_find(NULL)->name, .sets = normalisation});
    load_weights(&built.config.net, weights_path, &weights);
    work_alloc(&work, built.model);
    FILE *file = fopen(in_folder("scores"), "wb");
    ck_assert(evaluate(built.model, &weights, &work, set, count,
                       &(Evaluation){.scores = file}, sum));
    ck_assert_int_eq(fclose(file), 0);
    weights_free(&weights);
    work_free(&work);
    built_free(&built);
    free(path);
    return (float *)(void *)rt_read_file(in_folder("scores"), NULL);
}

/* The file's array of scores, to within 1e-3. */
static void check_scores(const char *path, const float *scores)
{
    Array *arrays;
    int count;
    ck_assert_msg(weights_read(path, &arrays, &count), "%s", rt_error());
    ck_assert_int_eq(count, 1);
    for (size_t i = 0; i < arrays[0].count; i++)
        if (!(fabsf(scores[i] - arrays[0].values[i]) <= 1e-3f))
            ck_abort_msg("score %zu is %.7g, want %.7g", i, (double)scores[i],
                         (double)arrays[0].values[i]);
    arrays_free(arrays, count);
}

START_TEST(resnet20_on_cifar10)
{
    char *weights = shared("LATHE_SHARED", "resnet20_cifar10_published.th");
    char *logits = shared("LATHE_SHARED", "resnet20_cifar10_published_logits100.npy");
    const char *images = getenv("LATHE_CIFAR10");
    ImageSet train = {0}, test = {0};
    Score sum = {0};
    if (images == NULL)
        puts("skipped: LATHE_CIFAR10 is not set");
    if (weights && images) {
        ck_assert_msg(
            data_load(
                images, DATA_TEST,
                &(DataWant){.height = 32, .width = 32, .channels = 3, .classes = 10},
                &train, &test),
            "%s", rt_error());
        float *scores = score("resnet20_fp_cifar10", weights, &test, test.count, &sum);
        check_scores(logits, scores);
        ck_assert_int_eq(sum.images, 10000);
        ck_assert_int_eq(sum.correct, 9173);
        free(scores);
        data_free(&test);
    }
    free(weights);
    free(logits);
}
END_TEST

/* "accuracy 0.8719 (8719/10000)": the image counts of eval. */
static int right_of(const char *config, const char *weights, const char *images)
{
    int right = 0, count = 0;
    LATHE_OK("eval", config, "--weights", weights, "--data", images);
    const char *line = strstr(out, "accuracy ");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "accuracy %*f (%d/%d)", &right, &count), 2);
    ck_assert_int_eq(count, 10000);
    return right;
}

/* MLPerf Tiny's: its score of 87.19 %, and what is left of it in integers. */
START_TEST(resnet8_on_cifar10)
{
    static const struct {
        const char *config;
        int least, most;
    } known[] = {{"int8", 8700, 8725}, {"int4", 8480, 8600}};
    char *weights = shared("LATHE_SHARED", "mlperf_tiny_resnet8.npz");
    const char *images = getenv("LATHE_CIFAR10");
    if (images == NULL)
        puts("skipped: LATHE_CIFAR10 is not set");
    if (weights && images) {
        const char *made = in_folder("r8.ckpt"), *quantised = in_folder("q8.ckpt");
        char *config = rt_format("%s/configs/resnet8_fp_cifar10.lua", lathe_root());
        LATHE_OK("import", weights, config, "-o", made);
        ck_assert_int_eq(right_of(config, made, images), 8719);
        free(config);
        for (int i = 0; i < 2; i++) {
            config = rt_format("%s/configs/resnet8_%s_cifar10.lua", lathe_root(),
                               known[i].config);
            LATHE_OK("ptq", config, "--weights", made, "--data", images, "-o", quantised);
            int right = right_of(config, quantised, images);
            ck_assert_msg(known[i].least <= right && right <= known[i].most,
                          "%s: %d right", known[i].config, right);
            free(config);
        }
    }
    free(weights);
}
END_TEST

START_TEST(resnet18_on_imagenet)
{
    char *weights = shared("LATHE_SHARED", "resnet18_imagenet_published.npz");
    char *logits = shared("LATHE_SHARED", "resnet18_imagenet_published_logits20.npy");
    char *images = shared("LATHE_SHARED", "resnet18_images20.npy");
    ImageSet train = {0}, test = {0};
    Score sum = {0};
    if (weights) {
        ck_assert_msg(
            data_load(
                images, DATA_TEST,
                &(DataWant){.height = 224, .width = 224, .channels = 3, .classes = 1000},
                &train, &test),
            "%s", rt_error());
        ck_assert_int_eq(test.count, 20);
        float *scores = score("resnet18_fp32", weights, &test, test.count, &sum);
        check_scores(logits, scores);
        free(scores);
        data_free(&test);
    }
    free(weights);
    free(logits);
    free(images);
}
END_TEST

/* All 500 validation images, from their archive: as they are, and resized first. */
START_TEST(resnet18_on_pictures)
{
    static const struct {
        int resize, right, among_top;
    } known[] = {{227, 376, 465}, {256, 384, 468}};
    char *weights = shared("LATHE_SHARED", "resnet18_imagenet_published.npz");
    char *images = shared("LATHE_SHARED", "imagenet_val_500.tar");
    ImageSet train = {0}, test = {0};
    for (int i = 0; i < 2 && weights; i++) {
        Score sum = {0};
        const DataWant want = {.height = 224,
                               .width = 224,
                               .channels = 3,
                               .classes = 1000,
                               .resize = known[i].resize,
                               .test_share = 1};
        ck_assert_msg(data_load(images, DATA_TEST, &want, &train, &test), "%s",
                      rt_error());
        ck_assert_int_eq(test.count, 500);
        free(score("resnet18_fp32", weights, &test, test.count, &sum));
        ck_assert_int_eq(sum.correct, known[i].right);
        ck_assert_int_eq(sum.among_top, known[i].among_top);
        data_free(&test);
    }
    free(weights);
    free(images);
}
END_TEST

Suite *published_suite(void)
{
    TCase *tests = tcase_create("published");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, resnet20_on_cifar10);
    tcase_add_test(tests, resnet8_on_cifar10);
    tcase_add_test(tests, resnet18_on_imagenet);
    tcase_add_test(tests, resnet18_on_pictures);
    Suite *suite = suite_create("published");
    suite_add_tcase(suite, tests);
    return suite;
}
