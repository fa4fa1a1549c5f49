/* Quantisers of layers, once a config is read. */
#ifndef LATHE_QUANTISERS_H
#define LATHE_QUANTISERS_H

#include "gen/ir/ir.h"

/* Give layers their quantisers' parameters, as their Quant says; once, after all
 * layers. */
void quant_add_params(Net *net);

#endif
