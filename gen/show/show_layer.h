/* One layer, printed: from the line of the config that made it to its machine code. */
#ifndef LATHE_SHOW_LAYER_H
#define LATHE_SHOW_LAYER_H

#include "gen/show/inspect.h"

/* Config lines, quantisers, cost, IR and C of each program. */
void show_layer(const Inspection *it, int layer, FILE *file);

/* Build what `lathe train` builds (and, with weights, the standalone file) and print the
 * layer's machine code under its lines of C, with the share of vector instructions. False
 * and rt_fail when it cannot be built or disassembled. */
bool show_assembly(const Inspection *it, int layer, FILE *file);

/* The op's line of the config file with a few around it. */
void show_config_lines(const Inspection *it, const Op *op, FILE *file);
/* The fields of a config's `quant` as they hold for one layer: " w_bits=4 a_bits=4 ...".
 */
void show_quant_fields(const Quant *quant, FILE *file);
/* Whole number with thousands' commas. */
void show_number(char text[32], double value);

#endif
