/* Tables for people: layers, parameters, cost. */
#ifndef LATHE_REPORT_H
#define LATHE_REPORT_H

#include "config.h"
#include "passes.h"

/* One line per layer (name, config line, shapes, bits, parameters, MACs, bytes), totals.
 * Learned bits are those of `params`, or, without, those that learning begins with. */
void report_print(FILE *file, const Config *config, const float *params);
/* What the passes decided for training: lowering and tile of each convolution, memory. */
void report_print_programs(FILE *file, const Net *train, const Target *target);

#endif
