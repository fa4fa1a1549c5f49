/* The command line: the table of flags, help, errors. See options.h. */
#include "gen/verbs/options.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(Options, name)
#define WITH_CONFIG "gen train ptq eval classify emit verify bench show diff repl import"
#define IMAGES "images: a folder, .tar or .csv, see README; or random:COUNT"

static const char target_help[] = "one of"
#define TARGET(name, ...) " " #name
#include "gen/passes/target.def"
#undef TARGET
                                  " (default: the machine's best)";

static const Flag flags[] = {
    {"-o", "DIR", "gen", "where to (default: out/<name>)", FLAG_TEXT, FIELD(output), 0,
     0},
    {"-o", "FILE", "ptq! import", "the checkpoint to write", FLAG_TEXT, FIELD(output), 0,
     0},
    {"-o", "FILE.c", "emit!",
     "the file to write, FILE.h beside it; or a project's folder", FLAG_TEXT,
     FIELD(output), 0, 0},
    {"-o", "FILE.png", "compare", "a picture of the runs' curves", FLAG_TEXT,
     FIELD(output), 0, 0},
    {"-o", "FILE.npz", "export!", "the file to write; or FILE.safetensors", FLAG_TEXT,
     FIELD(output), 0, 0},
    {"--key", "NAME", "import", "the checkpoint's dictionary, where it has several",
     FLAG_TEXT, FIELD(key), 0, 0},
    {"--rename", "FROM=TO", "import",
     "in the file's names, TO for the Lua pattern FROM; repeat for more", FLAG_LIST,
     FIELD(renames), 0, 0},
    {"--explain", NULL, "import",
     "print which array goes where and what is left; write nothing", FLAG_SWITCH,
     FIELD(explain), 0, 0},
    {"--ignore-extra", NULL, "import",
     "leave out arrays that the network has no place for", FLAG_SWITCH,
     FIELD(ignore_extra), 0, 0},
    {"--weights", "FILE", "ptq!", "the float network's checkpoint", FLAG_TEXT,
     FIELD(weights), 0, 0},
    {"--weights", "FILE", "emit! verify! repl", "the checkpoint", FLAG_TEXT,
     FIELD(weights), 0, 0},
    {"--weights", "FILE", "show", "learned bits, steps and ranges as this checkpoint has",
     FLAG_TEXT, FIELD(weights), 0, 0},
    {"--data", "DIR", "ptq!", "training " IMAGES, FLAG_TEXT, FIELD(data), 0, 0},
    {"--data", "DIR", "verify! repl", IMAGES, FLAG_TEXT, FIELD(data), 0, 0},
    {"--images", "N", "ptq", "calibrate on N training images (default: 512)", FLAG_NUMBER,
     FIELD(images), 1, 100000},
    {"--images", "N", "verify", "only the first N test images", FLAG_NUMBER,
     FIELD(images), 1, 1L << 30},
    {"--plain", NULL, "ptq",
     "ranges only: no equalising, nearest rounding, no corrections", FLAG_SWITCH,
     FIELD(plain), 0, 0},
    {"--arena-budget", "BYTES", "emit", "fail, naming the layer, when more are needed",
     FLAG_NUMBER, FIELD(arena_budget), 1, 1L << 30},
    {"--name", "NAME", "emit", "what C names begin with (default: the config's name)",
     FLAG_TEXT, FIELD(c_name), 0, 0},
    {"--project", "KIND", "emit",
     "the build around it, in the folder that -o names: cmake, arduino, zephyr, cmsis,\n"
     "                       or mlperf, the calls of MLPerf Tiny's runner",
     FLAG_TEXT, FIELD(project), 0, 0},
    {"--input", "KIND", "emit", "images of uint8 (as in a file), int8 or rgb565",
     FLAG_TEXT, FIELD(input), 0, 0},
    {"--batch", "N", "emit", "also a function for images, N at a time layer by layer",
     FLAG_NUMBER, FIELD(batch), 1, 1L << 16},
    {"--split", NULL, "emit", "the constants in FILE_weights.c", FLAG_SWITCH,
     FIELD(split), 0, 0},
    {"--fetch", NULL, "emit",
     "the weights in FILE_weights.bin, which the program fetches", FLAG_SWITCH,
     FIELD(fetch), 0, 0},
    {"--prepare", NULL, "emit",
     "a function that makes once what kernels read of the weights", FLAG_SWITCH,
     FIELD(prepare), 0, 0},
    {"--jit", "[=TIER]", "train eval",
     "compile in memory: auto (libtcc, then cc), tcc or cc", FLAG_OPTIONAL, FIELD(jit), 0,
     0},
    {"--teacher", "CONFIG=FILE", "train",
     "learn from that config's network with that checkpoint too, see train.distill;\n"
     "                       several are averaged",
     FLAG_LIST, FIELD(teachers), 0, 0},
    {"--switch-at", "STEP", "train",
     "--jit: change from libtcc's code to cc's there, as a log says", FLAG_NUMBER,
     FIELD(switch_at), 0, 1L << 40},
    {"--profile", NULL, "gen train", "at the end print where the time went, by layer",
     FLAG_SWITCH, FIELD(profile), 0, 0},
    {"--mpi", NULL, "gen train",
     "make a trainer of several processes, and say how mpirun starts them", FLAG_SWITCH,
     FIELD(mpi), 0, 0},
    {"--batch", "N", "bench", "images of a step (default: the config's)", FLAG_NUMBER,
     FIELD(batch), 1, 1L << 20},
    {"--steps", "N", "bench",
     "optimiser steps to time (default: 20, or ten seconds' worth)", FLAG_NUMBER,
     FIELD(steps), 1, 1L << 20},
    {"--only", "PART", "bench", "train, evaluate or infer (default: all)", FLAG_TEXT,
     FIELD(only), 0, 0},
    {"--mpi-model", NULL, "bench",
     "and what it would train at on 2 to 64 machines, by a model", FLAG_SWITCH,
     FIELD(mpi_model), 0, 0},
    {"--json", NULL, "bench", "print JSON instead of tables", FLAG_SWITCH, FIELD(json), 0,
     0},
    {"--threads", "N", "bench", "threads to train and evaluate on (default: all cores)",
     FLAG_NUMBER, FIELD(threads), 1, RT_MAX_THREADS},
    {"--asm", NULL, "show",
     "the layer's machine code, and the share of vector instructions", FLAG_SWITCH,
     FIELD(assembly), 0, 0},
    {"--html", "FILE", "show", "all as one page: graph, memory, bits, size, source",
     FLAG_TEXT, FIELD(html), 0, 0},
    {"--dump", "PASS", "show", "the IR after a pass: " COMPILE_HELP, FLAG_TEXT,
     FIELD(dump), 0, 0},
    {"--fields", NULL, "show", "every field outside `net`, its default and meaning",
     FLAG_SWITCH, FIELD(fields), 0, 0},
    {"-e", "CHUNK", "repl", "run this instead of a prompt", FLAG_TEXT, FIELD(chunk), 0,
     0},
    {"--from", "SOURCE", "data", "an archive or folder to take the images from",
     FLAG_TEXT, FIELD(from), 0, 0},
    {"--side", "N", "data",
     "pack: the short side that larger pictures get (default: 256)", FLAG_NUMBER,
     FIELD(side), 1, 8192},
    {"--skip-broken", NULL, "data",
     "pack: go on where a picture is broken, and keep its place", FLAG_SWITCH,
     FIELD(skip_broken), 0, 0},
    {"--set", "PATH=VALUE", WITH_CONFIG,
     "override a config field with a Lua value; repeat for more", FLAG_LIST, FIELD(sets),
     0, 0},
    {"--target", "NAME", WITH_CONFIG, target_help, FLAG_TEXT, FIELD(target), 0, 0},
    {"--lower", "HOW", WITH_CONFIG,
     "heavy ops as `direct` kernels, `call`s of the runtime's, by OpenBLAS (`blas`), or\n"
     "                       convolutions of tiles transformed first (`winograd`)",
     FLAG_TEXT, FIELD(lower), 0, 0},
    {"--cache", "DIR", WITH_CONFIG,
     "where trainers are built and kept for the next time\n"
     "                       (default: of a checkout out/cache, else ~/.cache/lathe)",
     FLAG_TEXT, FIELD(cache), 0, 0},
};
enum { FLAGS = sizeof flags / sizeof *flags, TABLES = 2 };

/* The trainer's flags, then lathe's own. */
static void set_tables(FlagTable tables[TABLES], Options *options, const Verb *verb)
{
    tables[0] = (FlagTable){trainer_flags, trainer_flag_count,
                            verb->trains ? verb->name : NULL, &options->trainer};
    tables[1] = (FlagTable){flags, FLAGS, verb->name, options};
}

static bool is_config(const char *word)
{
    size_t length = strlen(word);
    return length > 4 && strcmp(word + length - 4, ".lua") == 0;
}

static bool has_config(const Options *options)
{
    return options->config_path ||
           rt_fail("want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua");
}

/* The first word that names a config is taken out of the words. */
static bool sort_words(Options *options, const Verb *verb)
{
    FlagWords *words = &options->words;
    int kept = 0;
    for (int i = 0; i < words->count; i++)
        if (verb->config != CONFIG_NONE && !options->config_path &&
            is_config(words->items[i]))
            options->config_path = words->items[i];
        else
            words->items[kept++] = words->items[i];
    words->count = kept;
    if (verb->config == CONFIG_NEEDED && !has_config(options))
        return false;
    return verb->most_words < 0 || kept <= verb->most_words ||
           rt_fail("%s: unexpected word %s", verb->name, words->items[verb->most_words]);
}

static bool parse_lowering(Options *options)
{
    const char *value = options->lower;
    if (value == NULL)
        return true;
    for (int i = 0; i < LOWERING_COUNT; i++) {
        if (strcmp(value, lowering_names[i]) != 0)
            continue;
        options->lowering = (Lowering)i;
        options->compile.lowering = &options->lowering;
        return true;
    }
    return rt_fail("--lower %s: want direct, call, blas or winograd", value);
}

static char *join(int argc, char **argv)
{
    char *text = rt_format("lathe");
    for (int i = 0; i < argc; i++) {
        char *longer = rt_format("%s %s", text, argv[i]);
        free(text);
        text = longer;
    }
    for (char *p = text; *p; p++) /* it is printed inside a C comment */
        if ((unsigned char)*p < ' ' || (*p == '*' && p[1] == '/') ||
            (*p == '/' && p[1] == '*'))
            *p = ' ';
    return text;
}

bool options_parse(Options *options, const Verb *verb, int argc, char **argv)
{
    FlagTable tables[TABLES];
    *options = (Options){.switch_at = -1, .command = join(argc, argv)};
    set_tables(tables, options, verb);
    if (flags_ask_help(argc - 1, argv + 1)) {
        printf("usage: lathe %s %s\n\n%s\n\n", verb->name, verb->synopsis, verb->about);
        flags_print(tables, TABLES);
        options->help = true;
        return true;
    }
    bool ok =
        flags_read(tables, TABLES, verb->name, argc - 1, argv + 1, &options->words) &&
        sort_words(options, verb) && parse_lowering(options) &&
        (options->cache == NULL || cache_choose(options->cache)) &&
        flags_complete(tables, TABLES, verb->name);
    options->trainer.pictures = options->words.items;
    options->trainer.picture_count = options->words.count;
    return ok && (!verb->trains || trainer_check(verb->name, &options->trainer));
}

void options_add_set(Options *options, const char *set)
{
    flags_add_word(&options->sets, set);
}

bool options_load(Options *options)
{
    options->compile.target = target_find(options->target);
    return options->compile.target != NULL && has_config(options) &&
           config_load(options->config_path, options->sets.items, options->sets.count,
                       &options->config);
}

bool options_load_to_ship(Options *options)
{
    if (!options_load(options))
        return false;
    if (!compile_ships(&options->config)) {
        fprintf(stderr, "warning: %s\n", rt_error());
        rt_error_clear();
    }
    return true;
}

Subject options_subject(const Options *options)
{
    return (Subject){&options->config, options->config_path, options->sets.items,
                     options->sets.count, &options->compile};
}

FlagWords options_trainer_words(const Options *options, const Verb *verb,
                                const char *program)
{
    TrainerOptions values = options->trainer;
    const FlagTable table = {trainer_flags, trainer_flag_count, verb->name, &values};
    FlagWords words = {0};
    flags_add_word(&words, rt_format("%s", program));
    flags_add_word(&words, rt_format("%s", verb->name));
    flags_write(&table, &words);
    for (int i = 0; i < values.picture_count; i++)
        flags_add_word(&words, rt_format("%s", values.pictures[i]));
    flags_add_word(&words, NULL);
    return words;
}

void options_free(Options *options)
{
    free(options->sets.items);
    free(options->renames.items);
    free(options->teachers.items);
    free(options->words.items);
    free(options->command);
    config_free(&options->config);
}

int command_failed(void)
{
    fprintf(stderr, "lathe: %s\n", rt_error());
    return 1;
}
