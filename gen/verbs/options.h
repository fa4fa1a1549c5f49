/* The command line of every verb: one table of flags, in options.c. */
#ifndef LATHE_OPTIONS_H
#define LATHE_OPTIONS_H

#include "gen/passes/compile.h"
#include "gen/show/inspect.h"
#include "runtime/base/flags.h"
#include "runtime/train/trainer.h"

/* Whether a verb works on a config. */
typedef enum { CONFIG_NEEDED, CONFIG_OPTIONAL, CONFIG_NONE } ConfigWord;

typedef struct {
    const char *name, *synopsis, *about;
    ConfigWord config;
    int most_words; /* beside CONFIG; -1: any number */
    bool trains;    /* the flags of the trainer's verb of that name are its, too */
} Verb;

/* What the command line says; 0 or NULL where it says nothing. */
typedef struct {
    const char *config_path;
    FlagWords words; /* beside the config and flags */
    FlagWords sets;  /* --set, in order */
    const char *target, *lower, *cache;
    const char *weights, *data, *output;
    long images, batch, steps, threads, switch_at; /* switch_at: -1 */
    const char *jit;                               /* "" for --jit alone */
    const char *dump, *html, *from, *chunk;
    long side; /* of a pack's pictures; 0: not given */
    bool skip_broken;
    const char *only, *key;
    FlagWords renames, teachers;
    bool ignore_extra, explain;
    const char *c_name;  /* of an emitted file; NULL: the config's */
    const char *input;   /* of it: what images are, or NULL */
    const char *project; /* of it: the build around it, or NULL */
    long arena_budget;   /* of it; 0: none */
    bool profile, mpi, mpi_model, split, fetch, prepare, plain, assembly, fields, json;
    TrainerOptions trainer; /* of a verb that trains */

    char *command; /* the whole command as typed, for banners */
    bool help;     /* was asked for, and is printed */
    Lowering lowering;
    CompileOptions compile;
    Config config;
} Options;

/* Read argv[1..]. False and rt_fail: a flag, a missing CONFIG, then what else is missing.
 * Does not load the config. */
bool options_parse(Options *options, const Verb *verb, int argc, char **argv);
/* Override a config field as --set does; the text outlives the options. */
void options_add_set(Options *options, const char *set);
/* Load the config with its overrides, and the target. */
bool options_load(Options *options);
/* The same for verbs that work on weights to be shipped: when the network is quantised
 * but cannot be emitted in integers, say on stderr which layer is why. */
bool options_load_to_ship(Options *options);
void options_free(Options *options);

/* What show and diff look at. */
Subject options_subject(const Options *options);

/* A trainer's command line for these flags, ended by NULL; the items and the list are the
 * caller's to free(). */
FlagWords options_trainer_words(const Options *options, const Verb *verb,
                                const char *program);

/* Print "lathe: why it failed" to stderr; 1. */
int command_failed(void);

#endif
