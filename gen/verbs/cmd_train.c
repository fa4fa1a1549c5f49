/* gen, train, eval, classify: the verbs that write a trainer, and those that run it. */
#include "gen/ptq/start.h"
#include "gen/run/build.h"
#include "gen/run/jit.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/parse.h"
#include "runtime/base/support.h"
#include "runtime/train/trainer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* out/<name> where one stands, unless -o says otherwise. */
static char *output_folder(const Options *options, const char *given)
{
    return given ? rt_format("%s", given) : rt_format("out/%s", options->config.name);
}

static bool generate(Options *options, const char *folder)
{
    /* Banners name what the files depend on, not the run they were made for. */
    char *command = rt_format("lathe gen %s%s", options->config.path,
                              options->compile.profile ? " --profile" : "");
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
    const char *folder = NULL, *profile = NULL;
    Flag flags[] = {
        {"-o", "DIR", "where to (default: out/<name>)", &folder},
        {"--profile", NULL, "a trainer that prints where its time goes", &profile},
    };
    const Verb verb = {
        "gen",
        "CONFIG [-o DIR] [--profile]",
        "Write train.c, network.c, Makefile and report.txt; `make -C DIR` builds\n"
        "DIR/trainer, a program of its own.",
        flags,
        2,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        options.compile.profile = profile != NULL;
        ok = options.rest_count == 0 ||
             rt_fail("gen: unexpected word %s", options.rest[0]);
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

/* Quantised training begins with ranges found from a float network: calibrate its
 * checkpoint to DIR/start.ckpt and start from that. */
static bool calibrate_start(Options *options, const char *folder, char **start)
{
    enum { IMAGES = 256 };
    const char **weights = rest_value(options, "--weights"),
               **data = rest_value(options, "--data");
    bool resumes = false, wanted = false;
    for (int i = 0; i < options->rest_count; i++)
        resumes = resumes || strcmp(options->rest[i], "--resume") == 0;
    if (!quant_used(&options->config.net) || resumes || data == NULL)
        return true;
    if (weights == NULL)
        return rt_fail(
            "%s: quantised training starts from a float network: want --weights FILE",
            options->config.path);
    if (!start_is_wanted(&options->config, *weights, &wanted) || !wanted)
        return rt_error()[0] == 0;
    const PtqOptions ranges = {0};
    PtqResult result;
    *start = rt_format("%s/start.ckpt", folder);
    if (!rt_make_directories(folder) || !start_quantise(&options->config, *weights, *data,
                                                        IMAGES, &ranges, *start, &result))
        return false;
    printf("ranges found on %d images: float %.4f, quantised %.4f of them right\n",
           IMAGES, result.float_accuracy, result.quantised_accuracy);
    *weights = *start;
    return true;
}

/* A verb that runs the trainer, and what its flags say. */
typedef struct {
    const char *mode;   /* the trainer's word for it */
    bool wants_folder;  /* it writes to one */
    const char *folder; /* -o */
    const char *jit, *switch_at, *profile;
    JitTier tier; /* as --jit and --switch-at say */
    Tiers tiers;
} Trainer;

/* The trainer's command line; free() the list. */
static const char **trainer_words(const Trainer *trainer, const Options *options,
                                  const char *program, const char *folder, int *count)
{
    const char **words = rt_alloc((options->rest_count + 5) * sizeof *words);
    *count = 0;
    words[(*count)++] = program;
    words[(*count)++] = trainer->mode;
    if (trainer->wants_folder) {
        words[(*count)++] = "-o";
        words[(*count)++] = folder;
    }
    for (int i = 0; i < options->rest_count; i++)
        words[(*count)++] = options->rest[i];
    return words;
}

/* Generate, build, and become the trainer with the words it was meant for. Only returns
 * when that failed. */
static int run_built(const Trainer *trainer, Options *options, const char *folder)
{
    char *program = generate(options, folder) ? build_trainer(folder) : NULL;
    char *start = NULL;
    if (program && (!trainer->wants_folder || calibrate_start(options, folder, &start))) {
        int count;
        const char **words = trainer_words(trainer, options, program, folder, &count);
        fflush(stdout);
        execv(program, (char **)words);
        rt_fail("%s: %s", program, strerror(errno));
        free(words);
    }
    free(start);
    free(program);
    return command_failed();
}

static bool move_jit(void *jit, bool wait)
{
    return jit_move(jit, wait);
}

/* How the run changes tiers, from --jit and --switch-at. */
static bool choose_tiers(Trainer *trainer)
{
    trainer->tiers.at = -1;
    if (!jit_tier(trainer->jit[0] ? trainer->jit : "auto", &trainer->tier))
        return false;
    if (trainer->tier == JIT_TIERED)
        trainer->tiers.move = move_jit;
    else if (trainer->switch_at)
        return rt_fail("--switch-at: --jit=%s has one tier only", trainer->jit);
    return !trainer->switch_at ||
           parse_long(trainer->switch_at, 0, LONG_MAX, &trainer->tiers.at) ||
           rt_fail("--switch-at: \"%s\", want a whole number of optimiser steps",
                   trainer->switch_at);
}

/* The trainer's verb inside this process, on code compiled in memory. */
static int run_jit(Trainer *trainer, Options *options, const char *folder)
{
    char *start = NULL;
    Jit *jit = jit_open(&options->config, &options->compile, trainer->tier);
    bool ok = jit && (!trainer->wants_folder || calibrate_start(options, folder, &start));
    if (!ok) {
        jit_close(jit);
        return command_failed();
    }
    int count;
    const char **words = trainer_words(trainer, options, "lathe", folder, &count);
    trainer->tiers.context = jit;
    int status = trainer_main(count, (char **)words, jit_model(jit), jit_recipe(jit),
                              trainer->tier == JIT_CC ? NULL : &trainer->tiers);
    jit_close(jit);
    free(start);
    free(words);
    return status;
}

/* Before anything is built. */
static bool check_flags(Trainer *trainer, const Options *options)
{
    if (trainer->switch_at && trainer->jit == NULL)
        return rt_fail("--switch-at: want --jit with it");
    if (trainer->jit && !choose_tiers(trainer))
        return false;
    if (trainer->profile && trainer->jit && trainer->tier == JIT_TIERED)
        return rt_fail(
            "--profile: --jit changes the code on the way; want --jit=tcc or --jit=cc");
    return rt_trainer_check(trainer->mode, options->rest_count, (char **)options->rest);
}

/* Does not return where the trainer is a program of its own. */
static int trainer_verb(const Verb *verb, int argc, char **argv, Trainer *trainer)
{
    Options options;
    trainer->mode = verb->name;
    bool ok = options_parse(&options, verb, argc, argv);
    options.compile.profile = trainer->profile != NULL;
    ok = ok &&
         (options.help || (check_flags(trainer, &options) && options_load(&options)));
    int status = ok ? 0 : command_failed();
    if (ok && !options.help) {
        char *folder = output_folder(&options, trainer->folder);
        status = trainer->jit ? run_jit(trainer, &options, folder)
                              : run_built(trainer, &options, folder);
        free(folder);
    }
    options_free(&options);
    return status;
}

#define JIT_FLAG(trainer)                                                                \
    {                                                                                    \
        "--jit", "[=TIER]", "compile in memory: auto (libtcc, then cc), tcc or cc",      \
            &(trainer).jit                                                               \
    }

int cmd_train(int argc, char **argv)
{
    Trainer trainer = {.wants_folder = true};
    Flag flags[] = {
        {"--data", "DIR", "images: CIFAR-10's folder, PNG sheets, or random:COUNT", NULL},
        {"-o", "DIR", "where everything goes (default: out/<name>)", &trainer.folder},
        {"--epochs", "N", "train that long", NULL},
        {"--weights", "FILE", "start from this checkpoint's weights", NULL},
        {"--resume", "[FILE]", "go on from last.ckpt (or FILE), to the same weights",
         NULL},
        {"--threads", "N", "threads to use (default: one for each core)", NULL},
        {"--seed", "N", "for weights, order and augmentation", NULL},
        {"--steps", "N", "stop after N optimiser steps", NULL},
        JIT_FLAG(trainer),
        {"--switch-at", "STEP",
         "--jit: change from libtcc's code to cc's there, as a log says",
         &trainer.switch_at},
        {"--profile", NULL, "at the end print where the time went, layer by layer",
         &trainer.profile},
    };
    const Verb verb = {
        "train",
        "CONFIG --data DIR [FLAG...]",
        "Generate and build the config's trainer, and train. Leaves last.ckpt,\n"
        "best.ckpt, log.csv and curve.png; Ctrl-C stops after the current step.",
        flags,
        sizeof flags / sizeof *flags,
        true};
    return trainer_verb(&verb, argc, argv, &trainer);
}

int cmd_eval(int argc, char **argv)
{
    Trainer trainer = {0};
    Flag flags[] = {
        {"--weights", "FILE", "the checkpoint", NULL},
        {"--data", "DIR", "images: CIFAR-10's folder, PNG sheets, or random:COUNT", NULL},
        {"--images", "N", "only the first N test images", NULL},
        {"--scores", "FILE.npy", "write all scores for NumPy", NULL},
        {"--threads", "N", "threads to use (default: one for each core)", NULL},
        JIT_FLAG(trainer),
    };
    const Verb verb = {"eval",
                       "CONFIG --weights FILE --data DIR [FLAG...]",
                       "Accuracy on the test images, in all and per class.",
                       flags,
                       sizeof flags / sizeof *flags,
                       true};
    return trainer_verb(&verb, argc, argv, &trainer);
}

int cmd_classify(int argc, char **argv)
{
    Trainer trainer = {0};
    Flag flags[] = {
        {"--weights", "FILE", "the checkpoint", NULL},
        {"--threads", "N", "threads to use (default: one for each core)", NULL},
    };
    const Verb verb = {"classify",
                       "CONFIG --weights FILE IMAGE.png...",
                       "The best classes of each picture, by name.",
                       flags,
                       2,
                       true};
    return trainer_verb(&verb, argc, argv, &trainer);
}
