/* Standalone files of float networks with random weights. */
#ifndef LATHE_TEST_FLOAT_SHIPPED_H
#define LATHE_TEST_FLOAT_SHIPPED_H

#include "gen/emit/infer_file.h"

/* Writes the file of a net of tests/nets, with the weights that this seed draws; sets end with
 * NULL. */
void ship_float(const char *net, const char *const *sets, int seed, const char *file,
                ShippedOptions options);

#endif
