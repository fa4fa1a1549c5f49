/* What differs between two configs, or two generated programs, layer by layer. */
#ifndef LATHE_COMPARE_H
#define LATHE_COMPARE_H

#include "gen/show/inspect.h"

/* Fields, layers (added, removed, changed: shape, bits, quantiser, how each op is done,
 * cost) and totals that differ, or "identical". */
void compare_configs(const Inspection *a, const Inspection *b, FILE *file);

/* The same for folders that hold network.c or infer.c, or for two such files: functions
 * that differ, by layer, as unified diffs; constants by name. False and rt_fail when one
 * cannot be read or is not generated. */
bool compare_code(const char *a, const char *b, FILE *file);

#endif
