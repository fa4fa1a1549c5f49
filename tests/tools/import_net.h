/* The network of tests/weights/make.py as lathe would describe it. */
#ifndef LATHE_TEST_IMPORT_NET_H
#define LATHE_TEST_IMPORT_NET_H

#include "gen/weights/import.h"

enum { STEM, SCALE, SHIFT, MEAN, VAR, FC, FC_BIAS, COUNT };

extern const Param import_params[COUNT];
/* What a test may change; import_net_make sets it anew. fc.weight is a name that PyTorch
 * could have given too. */
extern ImportName import_names[COUNT];

/* The names, and the test's folder. */
void import_net_make(void);
/* Import without flags, which must succeed. */
void import_net(const char *path, Checkpoint *out);
/* Whether the weights are those that make.py wrote. */
void import_net_check(const Checkpoint *got);

#endif
