/* The command line of a trainer: its verbs and its flags. What the verbs do is behind
 * trainer.h. */
#include "runtime/train/trainer.h"
#include "runtime/base/streams.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/kernels/gemm.h"
#include "runtime/peers/peers.h"
#include "runtime/train/bench.h"
#include "runtime/train/seeds.h"

#include <stdlib.h>
#include <string.h>

static bool run_train(const Model *model, const Recipe *recipe,
                      const TrainerOptions *options, int *status)
{
    return options->seeds ? seeds_run(train_run, model, recipe, options, status)
                          : train_run(model, recipe, options, status);
}

static bool run_eval(const Model *model, const Recipe *recipe,
                     const TrainerOptions *options, int *status)
{
    (void)recipe;
    (void)status;
    return eval_run(model, options);
}

static bool run_classify(const Model *model, const Recipe *recipe,
                         const TrainerOptions *options, int *status)
{
    (void)recipe;
    (void)status;
    return classify_run(model, options);
}

static bool run_bench(const Model *model, const Recipe *recipe,
                      const TrainerOptions *options, int *status)
{
    (void)status;
    return bench_run(model, recipe, options);
}

static const struct {
    const char *name, *arguments, *help;
    bool (*run)(const Model *model, const Recipe *recipe, const TrainerOptions *options,
                int *status);
} verbs[] = {
    {"train", "--data DIR [FLAG...]",
     "Train the network. Writes into the output folder, after every epoch: best.ckpt\n"
     "(weights of the best epoch by held-out accuracy, for use), last.ckpt (all that\n"
     "--resume needs), log.csv, curve.png, and TensorBoard's events. Ctrl-C stops after\n"
     "the current step and writes last.ckpt; a resumed run ends with the very same\n"
     "weights as one that was not stopped. An epoch's last images that do not fill a\n"
     "batch are left out of it.",
     run_train},
    {"eval", "--weights FILE --data DIR [FLAG...]",
     "Print the accuracy on the test images, then one line for each class: name, right\n"
     "answers of how many, share.",
     run_eval},
    {"classify", "--weights FILE IMAGE.png...",
     "Print the five likeliest classes of each picture with their probabilities. The\n"
     "pictures must have the size of the network's input.",
     run_classify},
    {"bench", "-o DIR [FLAG...]",
     "Time training and evaluation on random images, layer by layer, for some seconds\n"
     "each; writes tables.txt, headlines.txt and profiles.json. For trainers generated\n"
     "with --profile.",
     run_bench},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

#define FIELD(name) offsetof(TrainerOptions, name)

const Flag trainer_flags[] = {
    {"--data", "DIR", "train! eval!",
     "images: a folder, .tar or .csv, see README; or random:COUNT", FLAG_TEXT,
     FIELD(data), 0, 0},
    {"-o", "DIR", "train bench!",
     "where everything goes (default: the network's name; lathe: in out/)", FLAG_TEXT,
     FIELD(output), 0, 0},
    {"--weights", "FILE", "train eval! classify! bench",
     "a checkpoint: start from its weights, or use them", FLAG_TEXT, FIELD(weights), 0,
     0},
    {"--resume", "[FILE]", "train",
     "go on from a stopped run (default: last.ckpt in -o's folder)", FLAG_OPTIONAL,
     FIELD(resume), 0, 0},
    {"--force", NULL, "train", "replace the files of another run in -o's folder",
     FLAG_SWITCH, FIELD(force), 0, 0},
    {"--epochs", "N", "train",
     "train that long (default: what the config or resumed run says)", FLAG_NUMBER,
     FIELD(epochs), 1, 1000000},
    {"--steps", "N", "train bench", "take N optimiser steps and stop", FLAG_NUMBER,
     FIELD(steps), 1, 1L << 40},
    {"--seed", "N", "train",
     "for weights, order and augmentation (default: the config's)", FLAG_SEED,
     FIELD(seed), 0, 0},
    {"--seeds", "N,N,...", "train",
     "a run with each seed, in -o's folder; then mean and range of their accuracies",
     FLAG_TEXT, FIELD(seeds), 0, 0},
    {"--images", "N", "eval", "only the first N test images", FLAG_NUMBER, FIELD(images),
     1, 1L << 30},
    {"--scores", "FILE.npy", "eval",
     "write the scores [images][classes] for NumPy: float32, or the integers", FLAG_TEXT,
     FIELD(scores), 0, 0},
    {"--only", "PART", "bench", "train or evaluate (default: both)", FLAG_TEXT,
     FIELD(only), 0, 0},
    {"--mpi-model", NULL, "bench",
     "print what it would train at on 2 to 64 machines, by a model", FLAG_SWITCH,
     FIELD(mpi_model), 0, 0},
    {"--threads", "N", "train eval classify bench",
     "threads to use (default: one for each core)", FLAG_NUMBER, FIELD(threads), 1,
     RT_MAX_THREADS},
};
const int trainer_flag_count = sizeof trainer_flags / sizeof trainer_flags[0];

/* ---- Help ---- */

static FlagTable table_for(const char *verb, TrainerOptions *options)
{
    return (FlagTable){trainer_flags, trainer_flag_count, verb, options};
}

static void print_verb_help(const char *program, int verb)
{
    const FlagTable table = table_for(verbs[verb].name, NULL);
    printf("%s %s %s\n%s\n", program, verbs[verb].name, verbs[verb].arguments,
           verbs[verb].help);
    flags_print(&table, 1);
}

static void print_help(const char *program, const Model *model)
{
    printf(
        "Trains and runs %s: images of %d x %d x %d, %d classes.\n"
        "Without a verb, train is meant. Exit status: 0, 1 after an error, 3\n"
        "after a run whose learned bits ended over their budget, 128 and the signal's\n"
        "number when stopped by Ctrl-C (130), SIGTERM or SIGHUP.\n",
        model->name, model->height, model->width, model->channels, model->classes);
    for (int verb = 0; verb < VERBS; verb++) {
        putchar('\n');
        print_verb_help(program, verb);
    }
}

/* ---- Reading ---- */

/* Index of the verb, -1 and rt_fail if there is none by that name. */
static int find_verb(const char *word)
{
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(word, names[i]) == 0)
            return i;
    }
    const char *nearest = rt_nearest(word, names, VERBS);
    if (nearest)
        rt_fail("%s: unknown command; did you mean %s?", word, nearest);
    else
        rt_fail("%s: unknown command; see --help", word);
    return -1;
}

bool trainer_check(const char *verb, const TrainerOptions *options)
{
    bool classifies = strcmp(verb, "classify") == 0;
    if (classifies && options->picture_count == 0)
        return rt_fail("classify: no picture to classify");
    if (!classifies && options->picture_count > 0)
        return rt_fail("%s: unexpected word %s", verb, options->pictures[0]);
    if (strcmp(verb, "train") == 0 && options->data && !data_has_labels(options->data))
        return false;
    if (options->seeds && !seeds_check(options))
        return false;
    return !(options->resume && options->weights) ||
           rt_fail("%s: --resume and --weights: want one of them", verb);
}

/* The pictures are the caller's to free(). */
static bool parse(const char *verb, int argc, char **argv, FlagWords *pictures,
                  TrainerOptions *options)
{
    const FlagTable table = table_for(verb, options);
    if (!flags_read(&table, 1, verb, argc, argv, pictures))
        return false;
    options->pictures = pictures->items;
    options->picture_count = pictures->count;
    return trainer_check(verb, options) && flags_complete(&table, 1, verb);
}

/* ---- Running ---- */

/* What all processes know is told once. */
static int failed(const Model *model)
{
    const Peers *peers = rt_peers();
    if (peers == NULL || peers->rank == 0 || !peers->ended)
        fprintf(stderr, "%s: %s\n", model->name, rt_error());
    return 1;
}

int trainer_run(const char *verb, const Model *model, const Recipe *recipe,
                const TrainerOptions *options)
{
    int index = find_verb(verb), status = 0;
    bool ok = index >= 0 && (model->abi == LATHE_ABI ||
                             rt_fail("%s: made for version %d of the runtime, this is %d",
                                     model->name, model->abi, LATHE_ABI));
    if (ok) {
        rt_set_threads((int)options->threads);
        ok = verbs[index].run(model, recipe, options, &status);
    }
    return ok && streams_end() ? status : failed(model);
}

/* What several processes do together. */
static bool shared_verb(int verb, const TrainerOptions *options)
{
    const char *name = verbs[verb].name;
    if (rt_peers() == NULL)
        return true;
    if (strcmp(name, "train") != 0 && strcmp(name, "eval") != 0)
        return rt_fail("%s: want one process", name);
    if (options->seeds)
        return rt_fail("train: --seeds: want one process");
    return options->scores == NULL || rt_fail("eval: --scores: want one process");
}

int trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe)
{
    bool named = argc > 1 && argv[1][0] != '-';
    int verb = named ? find_verb(argv[1]) : 0;
    if (!peers_all(rt_peers(), verb >= 0))
        return failed(model);
    if (flags_ask_help(argc, argv)) {
        if (named)
            print_verb_help(argv[0], verb);
        else
            print_help(argv[0], model);
        return streams_end() ? 0 : failed(model);
    }
    TrainerOptions options = {0};
    FlagWords pictures = {0};
    int first = 1 + named;
    bool ok = parse(verbs[verb].name, argc - first, argv + first, &pictures, &options);
    int status = peers_all(rt_peers(), ok && shared_verb(verb, &options))
                     ? trainer_run(verbs[verb].name, model, recipe, &options)
                     : failed(model);
    free(pictures.items);
    return status;
}

int rt_trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe)
{
    streams_begin();
    rt_prepare_process(argv);
    return trainer_main(argc, argv, model, recipe);
}
