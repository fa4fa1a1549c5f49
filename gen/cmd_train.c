/* gen, train, eval, classify: the verbs that write a trainer, and those that run it. */
#include "build.h"
#include "commands.h"
#include "options.h"
#include "paths.h"
#include "start.h"
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* out/<name> below lathe's root, unless -o says otherwise. */
static char *output_folder(const Options *options, const char *given)
{
    return given ? rt_format("%s", given)
                 : rt_format("%s/out/%s", lathe_root(), options->config.name);
}

static bool generate(Options *options, const char *folder)
{
    /* Banners name what the files depend on, not the run they were made for. */
    char *command = rt_format("lathe gen %s", options->config.path);
    for (int i = 0; i < options->set_count; i++) {
        char *longer = rt_format("%s --set '%s'", command, options->sets[i]);
        free(command);
        command = longer;
    }
    bool ok = build_write(&options->config, &options->compile, command, folder);
    free(command);
    return ok;
}

int cmd_gen(int argc, char **argv)
{
    const char *folder = NULL;
    Flag flags[] = {{"-o", "DIR", "where to (default: out/<name>)", &folder}};
    const Verb verb = {"gen", "CONFIG [-o DIR]",
                       "Write train.c, network.c, Makefile and report.txt; `make -C DIR` builds\n"
                       "DIR/trainer, a program of its own.",
                       flags, 1, false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.rest_count == 0 || rt_fail("gen: unexpected word %s", options.rest[0]);
        ok = ok && options_load(&options);
        char *path = ok ? output_folder(&options, folder) : NULL;
        ok = ok && generate(&options, path);
        if (ok)
            printf("%s: train.c, network.c, Makefile, report.txt; make -C %s builds the "
                   "trainer\n",
                   path, path);
        free(path);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}

/* The word behind a flag among those for the trainer, or NULL. */
static const char **rest_value(Options *options, const char *flag)
{
    for (int i = 0; i + 1 < options->rest_count; i++)
        if (strcmp(options->rest[i], flag) == 0)
            return &options->rest[i + 1];
    return NULL;
}

/* Quantised training begins with ranges found from a float network: calibrate its checkpoint
 * to DIR/start.ckpt and start from that. */
static bool calibrate_start(Options *options, const char *folder, char **start)
{
    enum { IMAGES = 256 };
    const char **weights = rest_value(options, "--weights"), **data = rest_value(options, "--data");
    bool resumes = false, is_float = false;
    for (int i = 0; i < options->rest_count; i++)
        resumes = resumes || strcmp(options->rest[i], "--resume") == 0;
    if (!quant_used(&options->config.net) || resumes || data == NULL)
        return true;
    if (weights == NULL)
        return rt_fail("%s: quantised training starts from a float network: want --weights FILE",
                       options->config.path);
    if (!start_is_float(&options->config, *weights, &is_float) || !is_float)
        return rt_error()[0] == 0;
    const PtqOptions ranges = {0};
    PtqResult result;
    *start = rt_format("%s/start.ckpt", folder);
    if (!start_quantise(&options->config, *weights, *data, IMAGES, &ranges, *start, &result))
        return false;
    printf("ranges found on %d images: float %.4f, quantised %.4f of them right\n", IMAGES,
           result.float_accuracy, result.quantised_accuracy);
    *weights = *start;
    return true;
}

/* Generate, build, and become the trainer with the words it was meant for. */
static bool run_trainer(Options *options, const char *mode, const char *folder,
                        bool wants_folder)
{
    if (!options_load(options))
        return false;
    char *path = output_folder(options, folder);
    char *trainer = generate(options, path) ? build_trainer(path) : NULL;
    char *start = NULL;
    if (trainer && (!wants_folder || calibrate_start(options, path, &start))) {
        const char **words = rt_alloc((options->rest_count + 5) * sizeof *words);
        int count = 0;
        words[count++] = trainer;
        words[count++] = mode;
        if (wants_folder) {
            words[count++] = "-o";
            words[count++] = path;
        }
        for (int i = 0; i < options->rest_count; i++)
            words[count++] = options->rest[i];
        fflush(stdout);
        execv(trainer, (char **)words);
        rt_fail("%s: %s", trainer, strerror(errno));
        free(words);
    }
    free(start);
    free(trainer);
    free(path);
    return false;
}

/* Only returns when the trainer could not be run, or for help. */
static int trainer_verb(const Verb *verb, int argc, char **argv, const char **folder,
                        bool wants_folder)
{
    Options options;
    bool ok = options_parse(&options, verb, argc, argv);
    if (ok && !options.help)
        ok = run_trainer(&options, verb->name, *folder, wants_folder);
    options_free(&options);
    return ok ? 0 : command_failed();
}

int cmd_train(int argc, char **argv)
{
    const char *folder = NULL;
    Flag flags[] = {
        {"--data", "DIR", "images: CIFAR-10's folder, PNG sheets, or random:COUNT", NULL},
        {"-o", "DIR", "where everything goes (default: out/<name>)", &folder},
        {"--epochs", "N", "train that long", NULL},
        {"--weights", "FILE", "start from this checkpoint's weights", NULL},
        {"--resume", "[FILE]", "go on from last.ckpt (or FILE), to the same weights", NULL},
        {"--threads", "N", "threads to use (default: one for each core)", NULL},
        {"--seed", "N", "for weights, order and augmentation", NULL},
        {"--steps", "N", "stop after N optimiser steps", NULL},
    };
    const Verb verb = {"train", "CONFIG --data DIR [FLAG...]",
                       "Generate and build the config's trainer, and train. Leaves last.ckpt,\n"
                       "best.ckpt, log.csv and curve.png; Ctrl-C stops after the current step.",
                       flags, sizeof flags / sizeof *flags, true};
    return trainer_verb(&verb, argc, argv, &folder, true);
}

int cmd_eval(int argc, char **argv)
{
    const char *folder = NULL;
    Flag flags[] = {
        {"--weights", "FILE", "the checkpoint", NULL},
        {"--data", "DIR", "images: CIFAR-10's folder, PNG sheets, or random:COUNT", NULL},
        {"--images", "N", "only the first N test images", NULL},
        {"--scores", "FILE.npy", "write all scores for NumPy", NULL},
        {"--threads", "N", "threads to use (default: one for each core)", NULL},
    };
    const Verb verb = {"eval", "CONFIG --weights FILE --data DIR [FLAG...]",
                       "Accuracy on the test images, in all and per class.", flags,
                       sizeof flags / sizeof *flags, true};
    return trainer_verb(&verb, argc, argv, &folder, false);
}

int cmd_classify(int argc, char **argv)
{
    const char *folder = NULL;
    Flag flags[] = {{"--weights", "FILE", "the checkpoint", NULL}};
    const Verb verb = {"classify", "CONFIG --weights FILE IMAGE.png...",
                       "The best classes of each picture, by name.", flags, 1, true};
    return trainer_verb(&verb, argc, argv, &folder, false);
}
