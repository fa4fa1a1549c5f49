/* The command line of a trainer. One table of flags serves parsing, help and suggestions;
 * what the verbs do is behind trainer.h. */
#include "runtime/train/trainer.h"
#include "runtime/base/parse.h"
#include "runtime/base/streams.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/kernels/gemm.h"
#include "runtime/train/bench.h"

#include <stdlib.h>
#include <string.h>

typedef enum { TRAIN = 1, EVAL = 2, CLASSIFY = 4, BENCH = 8 } VerbBit;

static const struct {
    const char *name, *arguments, *help;
    VerbBit bit;
} verbs[] = {
    {"train", "--data DIR [FLAG...]",
     "Train the network. Writes into the output folder, after every epoch: best.ckpt\n"
     "(weights of the best epoch by held-out accuracy, for use), last.ckpt (all that\n"
     "--resume needs), log.csv and curve.png. Ctrl-C stops after the current step and\n"
     "writes last.ckpt; a resumed run ends with the very same weights as one that was\n"
     "not stopped. An epoch's last images that do not fill a batch are left out of it.",
     TRAIN},
    {"eval", "--weights FILE --data DIR [FLAG...]",
     "Print the accuracy on the test images, then one line for each class: name, right\n"
     "answers of how many, share.",
     EVAL},
    {"classify", "--weights FILE IMAGE.png...",
     "Print the five likeliest classes of each picture with their probabilities. The\n"
     "pictures must have the size of the network's input.",
     CLASSIFY},
    {"bench", "-o DIR [FLAG...]",
     "Time training and evaluation on random images, layer by layer; writes tables.txt "
     "and\n"
     "headlines.txt. For trainers generated with --profile.",
     BENCH},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

/* How a flag's value is read, and into which type of field. */
typedef enum {
    VALUE_TEXT,   /* const char * */
    VALUE_COUNT,  /* long, 1..most */
    VALUE_SEED,   /* uint64_t; sets has_seed */
    VALUE_RESUME, /* const char *, may be absent; sets resume */
} ValueKind;

static const struct {
    const char *name, *value, *help;
    unsigned verbs;
    ValueKind kind;
    size_t field;
    long most;
} flags[] = {
    {"--data", "DIR", "images: the CIFAR-10 binary folder, PNG sheets, or random:COUNT",
     TRAIN | EVAL, VALUE_TEXT, offsetof(TrainerOptions, data), 0},
    {"-o", "DIR", "output folder (default: the network's name)", TRAIN | BENCH,
     VALUE_TEXT, offsetof(TrainerOptions, output), 0},
    {"--weights", "FILE", "a checkpoint: start from its weights, or use them",
     TRAIN | EVAL | CLASSIFY | BENCH, VALUE_TEXT, offsetof(TrainerOptions, weights), 0},
    {"--resume", "[FILE]", "go on from a stopped run (default: last.ckpt in -o's folder)",
     TRAIN, VALUE_RESUME, offsetof(TrainerOptions, resume_file), 0},
    {"--epochs", "N", "train that long (default: what the config or resumed run says)",
     TRAIN, VALUE_COUNT, offsetof(TrainerOptions, epochs), 1000000},
    {"--steps", "N", "take N optimiser steps and stop", TRAIN | BENCH, VALUE_COUNT,
     offsetof(TrainerOptions, steps), 1L << 40},
    {"--seed", "N", "for weights, order and augmentation (default: the config's)", TRAIN,
     VALUE_SEED, offsetof(TrainerOptions, seed), 0},
    {"--images", "N", "only the first N test images", EVAL, VALUE_COUNT,
     offsetof(TrainerOptions, images), 1L << 30},
    {"--scores", "FILE.npy", "write the scores, float32 [images][classes], for NumPy",
     EVAL, VALUE_TEXT, offsetof(TrainerOptions, scores), 0},
    {"--threads", "N", "threads to use (default: one for each core)",
     TRAIN | EVAL | CLASSIFY | BENCH, VALUE_COUNT, offsetof(TrainerOptions, threads),
     RT_MAX_THREADS},
};
enum { FLAGS = sizeof flags / sizeof flags[0] };

/* ---- Help ---- */

static void print_verb_help(const char *program, int verb)
{
    printf("%s %s %s\n%s\n", program, verbs[verb].name, verbs[verb].arguments,
           verbs[verb].help);
    for (int i = 0; i < FLAGS; i++)
        if (flags[i].verbs & verbs[verb].bit)
            printf("  %-10s%-9s %s\n", flags[i].name, flags[i].value, flags[i].help);
}

static void print_help(const char *program, const Model *model)
{
    printf(
        "Trains and runs %s: images of %d x %d x %d, %d classes.\n"
        "Without a verb, train is meant. Exit status: 0, 1 after an error, 128\n"
        "and the signal's number when stopped by Ctrl-C (130), SIGTERM or SIGHUP.\n",
        model->name, model->height, model->width, model->channels, model->classes);
    for (int verb = 0; verb < VERBS; verb++) {
        putchar('\n');
        print_verb_help(program, verb);
    }
}

/* ---- Parsing ---- */

static bool fail_unknown(const char *what, const char *word, const char *nearest)
{
    if (nearest)
        return rt_fail("%s: unknown %s; did you mean %s?", word, what, nearest);
    return rt_fail("%s: unknown %s; see --help", word, what);
}

/* Index of the verb, -1 if there is none by that name. */
static int find_verb(const char *word)
{
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(word, names[i]) == 0)
            return i;
    }
    fail_unknown("command", word, rt_nearest(word, names, VERBS));
    return -1;
}

/* Index of the flag that `argument` begins with, alone or before "=". */
static int find_flag(const char *argument, VerbBit verb)
{
    const char *names[FLAGS];
    int count = 0;
    char *word = rt_format("%.*s", (int)strcspn(argument, "="), argument);
    for (int i = 0; i < FLAGS; i++) {
        if (!(flags[i].verbs & verb))
            continue;
        names[count++] = flags[i].name;
        if (strcmp(word, flags[i].name) == 0) {
            free(word);
            return i;
        }
    }
    fail_unknown("flag", word, rt_nearest(word, names, count));
    free(word);
    return -1;
}

static bool set_value(TrainerOptions *options, int flag, const char *value)
{
    void *field = (char *)options + flags[flag].field;
    switch (flags[flag].kind) {
    case VALUE_RESUME:
        options->resume = true;
        /* fall through */
    case VALUE_TEXT:
        *(const char **)field = value;
        return value == NULL || *value ||
               rt_fail("%s: want %s", flags[flag].name, flags[flag].value);
    case VALUE_SEED:
        options->has_seed = true;
        return parse_u64(value, field) ||
               rt_fail("%s: \"%s\", want a whole number below 2^64", flags[flag].name,
                       value);
    case VALUE_COUNT:
        return parse_long(value, 1, flags[flag].most, field) ||
               rt_fail("%s: \"%s\", want a whole number from 1 to %ld", flags[flag].name,
                       value, flags[flag].most);
    }
    return false;
}

/* One flag at argv[*index], with its value there or in the next argument. */
static bool parse_flag(char **argv, int *index, VerbBit verb, TrainerOptions *options)
{
    const char *argument = argv[*index], *equals = strchr(argument, '=');
    int flag = find_flag(argument, verb);
    if (flag < 0)
        return false;
    const char *value = equals ? equals + 1 : NULL, *next = argv[*index + 1];
    bool optional = flags[flag].kind == VALUE_RESUME;
    if (value == NULL && next && !(optional && *next == '-')) {
        value = next;
        ++*index;
    }
    if (value == NULL && !optional)
        return rt_fail("%s: want %s behind it", flags[flag].name, flags[flag].value);
    return set_value(options, flag, value);
}

static bool check_needed(VerbBit verb, const TrainerOptions *options)
{
    if (verb & (TRAIN | EVAL) && options->data == NULL)
        return rt_fail("--data DIR is missing; see --help");
    if (verb == TRAIN && !data_has_labels(options->data))
        return false;
    if (verb == BENCH && options->output == NULL)
        return rt_fail("-o DIR is missing; see --help");
    if (verb & (EVAL | CLASSIFY) && options->weights == NULL)
        return rt_fail("--weights FILE is missing; see --help");
    if (verb == CLASSIFY && options->picture_count == 0)
        return rt_fail("no picture to classify; see --help");
    if (options->resume && options->weights)
        return rt_fail("--resume and --weights: want one of them");
    return true;
}

/* `pictures` has room for argc words, which do not begin with a dash. */
static bool parse(int argc, char **argv, int start, VerbBit verb, const char **pictures,
                  TrainerOptions *options)
{
    for (int i = start; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (!parse_flag(argv, &i, verb, options))
                return false;
        } else if (verb == CLASSIFY) {
            pictures[options->picture_count++] = argv[i];
        } else {
            return rt_fail("%s: unexpected; see --help", argv[i]);
        }
    }
    options->pictures = pictures;
    return check_needed(verb, options);
}

/* ---- Running ---- */

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static bool run(int argc, char **argv, const Model *model, const Recipe *recipe,
                const Tiers *tiers, int *status)
{
    bool named = argc > 1 && argv[1][0] != '-';
    int verb = named ? find_verb(argv[1]) : 0;
    if (verb < 0)
        return false;
    if (wants_help(argc, argv)) {
        if (named)
            print_verb_help(argv[0], verb);
        else
            print_help(argv[0], model);
        return true;
    }
    VerbBit bit = verbs[verb].bit;
    TrainerOptions options = {.tiers = tiers};
    const char **pictures = rt_alloc((size_t)argc * sizeof *pictures);
    bool ok = parse(argc, argv, 1 + named, bit, pictures, &options);
    if (ok) {
        rt_set_threads((int)options.threads);
        ok = bit == TRAIN   ? train_run(model, recipe, &options, status)
             : bit == EVAL  ? eval_run(model, &options)
             : bit == BENCH ? bench_run(model, recipe, &options)
                            : classify_run(model, &options);
    }
    free(pictures);
    return ok;
}

bool rt_trainer_check(const char *name, int count, char **words)
{
    int verb = find_verb(name);
    TrainerOptions options = {0};
    const char **pictures = rt_alloc((size_t)(count + 1) * sizeof *pictures);
    bool ok = verb >= 0 && parse(count, words, 0, verbs[verb].bit, pictures, &options);
    free(pictures);
    return ok;
}

int trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe,
                 const Tiers *tiers)
{
    int status = 0;
    bool ok = model->abi == LATHE_ABI
                  ? run(argc, argv, model, recipe, tiers, &status)
                  : rt_fail("%s: made for version %d of the runtime, this is %d",
                            model->name, model->abi, LATHE_ABI);
    if (ok && streams_end())
        return status;
    fprintf(stderr, "%s: %s\n", model->name, rt_error());
    return 1;
}

int rt_trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe)
{
    streams_begin();
    rt_prepare_process(argv);
    return trainer_main(argc, argv, model, recipe, NULL);
}
