/* A config: a Lua file that describes a network and how to train it, run in a sandbox and
 * read into typed fields. */
#ifndef LATHE_CONFIG_H
#define LATHE_CONFIG_H

#include "gen/ir/ir.h"
#include "runtime/data/want.h"

typedef struct {
    char *path, *name;
    double mean[4], std[4]; /* per channel, in pixel units */
    int resize;             /* of pictures: their short side; 0: as small as may be */
    double test_share;      /* where data does not say which images are for testing */
    bool skip_broken;       /* pass over broken pictures */
    char **class_names;     /* as many as the network has classes */
    int class_count;
    bool names_classes; /* else these are "class 0" and so on */
    Recipe recipe;
    Quant quant;     /* the default; each layer has its own */
    int micro_batch; /* images per pass, at most recipe.batch */
    int lower;       /* training's and evaluation's: 0, or a Lowering + 1 */
    Net net;         /* the layers, shapes inferred */
    int output;      /* the tensor of the scores */
    char *lines;     /* every field as sorted "path=value" lines */
    char *record;    /* kept with weights: lines, and of each layer that is quantised what
                        its weights are made for */
    char *signature; /* all that quantised weights come of: how ranges are found, too */
    char *arch;      /* every layer as a "name=description" line */
    char *origin;    /* the file and the overrides, as words of a command */
    char *required;  /* a line for each file it required, by name */
    char hash[65];   /* SHA-256 of lines and arch */
} Config;

/* Run the file at `path` with the given overrides ("path=value", a Lua value each). False
 * and rt_fail with file, line or field when it cannot be used. */
bool config_load(const char *path, const char *const *overrides, int count,
                 Config *config);
void config_free(Config *config);

/* What its images are. */
DataWant config_data(const Config *config);

/* The stem's input step in a quantised network, 1 / mean deviation; and what is left of
 * the channel's own deviation, mean deviation / deviation, which goes into the stem's
 * weights. */
float config_image_step(const Config *config);
float config_image_factor(const Config *config, int channel);

/* Describe every field outside `net`, its default and meaning. */
void config_print_fields(FILE *file);

#endif
