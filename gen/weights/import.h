/* Weights from other programs, given to lathe's own arrays. */
#ifndef LATHE_IMPORT_H
#define LATHE_IMPORT_H

#include <stdio.h>

#include "runtime/checkpoint/checkpoint.h"

typedef struct {
    const Param *param; /* its name is lathe's: "s1b0_conv1.weight" */
    const char *torch;  /* PyTorch's, "layer1.0.conv1.weight", or several, any of which
                           will  do, "fc.weight|linear.weight"; or NULL */
} ImportName;

typedef struct {
    const char *key; /* of the checkpoint's dictionary; NULL: there is but one */
    const char *const
        *renames; /* "FROM=TO": in the file's names, before all else, replace
                                   what the Lua pattern FROM matches by TO */
    int rename_count;
    bool ignore_extra; /* arrays of the file that find no place are no error */
} ImportHow;

/* Read the file and find each array under lathe's name (in lathe's layout, the averaged
 * "ema/" one first) or under PyTorch's (in PyTorch's layout), behind whatever all names
 * in the file begin with. Fails unless every array is there with its shape and with
 * values that can be used, and no other arrays are. `how` may be NULL. Fills out->arrays;
 * arch, config and progress are left to the caller. */
bool import_weights(const char *path, const ImportName *names, int n_names,
                    const ImportHow *how, Checkpoint *out);

/* Print the match as a table: each array of the file, its shape and where it goes, then
 * the arrays that are missing. No values are read. False and rt_fail where import_weights
 * would fail for a name or shape. */
bool import_explain(const char *path, const ImportName *names, int n_names,
                    const ImportHow *how, FILE *out);

#endif
