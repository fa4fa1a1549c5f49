/* Whether the standalone file and the trainer agree. */
#ifndef LATHE_VERIFY_H
#define LATHE_VERIFY_H

#include "gen/passes/compile.h"

/* Emit the file, build it with every compiler there is, and compare its scores with those
 * of the trainer's evaluation on the test images of `data` (the first `images`; 0: all);
 * a line for each build goes to stdout. False and rt_fail where they differ. */
bool verify(const Config *config, const CompileOptions *compile, const char *weights,
            const char *data, long images);

#endif
