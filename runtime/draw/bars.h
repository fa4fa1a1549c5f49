/* A picture of named numbers: a row for each, with a bar. */
#ifndef LATHE_BARS_H
#define LATHE_BARS_H

#include <stdbool.h>

typedef struct {
    const char *name;
    int value; /* at least 0 */
    int kind;  /* index into `kinds` */
} Bar;

/* A PNG with a bar's value at its end, and a legend of the kinds. More rows than fit into
 * a picture are drawn thinner, at last without their names. Whole or not at all. */
bool bars_write(const char *path, const char *title, const char *const *kinds,
                int kind_count, const Bar *bars, int count);

#endif
