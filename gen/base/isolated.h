/* Work in a process of its own, for libraries that a file may bring down. */
#ifndef LATHE_ISOLATED_H
#define LATHE_ISOLATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the work writes to `out`; false and rt_fail where it cannot be done. */
typedef bool IsolatedWork(const void *context, FILE *out);

/* Do the work in a process of its own, which may take `seconds` of its processor, and
 * return what it wrote, a 0 behind it; free() it. NULL and rt_fail: the work's own error,
 * or, where it crashed or took too long, one that says that `what`, such as "notes.h5:
 * the HDF5 library", did. */
char *isolated_output(const char *what, int seconds, IsolatedWork *work,
                      const void *context, size_t *bytes);

#endif
