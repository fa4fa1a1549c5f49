/* The command line shared by every verb that takes a CONFIG. */
#ifndef LATHE_OPTIONS_H
#define LATHE_OPTIONS_H

#include "gen/passes/compile.h"

/* A flag of a verb beyond the common ones: its value goes to *value (switches: "1"). */
typedef struct {
    const char *name;  /* "--weights" or "-o" */
    const char *value; /* what it takes, for help: "FILE", "[=WORD]"; NULL for a switch */
    const char *meaning;
    const char **target;
} Flag;

typedef struct {
    const char *name, *synopsis, *about;
    Flag *flags;
    int flag_count;
    bool passes_on; /* words, and flags without a target, go to the trainer */
} Verb;

typedef struct {
    const char *config_path;
    const char **sets; /* --set, in order */
    int set_count;
    const char *target;
    Lowering lowering;
    CompileOptions compile;
    const char **rest; /* positional words, or what goes to the trainer */
    int rest_count;
    bool help;
    char *command; /* the whole command as typed, for banners */
    Config config;
} Options;

/* Parse argv[1..]; prints help and sets options->help on --help. Does not load the
 * config. */
bool options_parse(Options *options, const Verb *verb, int argc, char **argv);
/* Load the config with its overrides, and the target. */
bool options_load(Options *options);
void options_free(Options *options);

/* Print "lathe: why it failed" to stderr; 1. */
int command_failed(void);

#endif
