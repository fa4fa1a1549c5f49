/* Tables for people: layers, parameters, cost. */
#ifndef LATHE_REPORT_H
#define LATHE_REPORT_H

#include "gen/config/config.h"
#include "gen/passes/passes.h"

/* A layer as the table has it. Learned bits are those of `params`, or, when that is NULL,
 * those that learning begins with. */
typedef struct {
    char kind[32], in[48], out[48],
        bits[16]; /* "conv 3x3/1"; "-" where nothing has bits */
    long params;
    double bytes; /* of conv and dense weights and biases, at their bits */
} ReportRow;
ReportRow report_row(const Net *net, int layer, const float *params);
/* Bits of a quantiser, a mean when its channels differ; 32 without one. */
double report_bits(const Net *net, const Quantiser *quantiser, const float *params);

/* One line per layer (name, config line, shapes, bits, parameters, MACs, bytes), totals.
 * Learned bits are those of `params`, or, without, those that learning begins with. For a
 * terminal of `width` columns (0: none) fewer columns where it has no room for all. */
void report_print(FILE *file, const Config *config, const float *params, int width);
/* Bytes of conv and dense weights and biases at their bits: the table's size. */
double report_bytes(const Config *config, const float *params);
/* What the passes decided for training: lowering and tile of each convolution, memory. */
void report_print_programs(FILE *file, const Net *train, const Target *target);

#endif
