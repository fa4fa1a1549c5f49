/* What an op costs, whoever asks: profiles, show, diff. */
#ifndef LATHE_COST_H
#define LATHE_COST_H

#include "gen/ir/ir.h"

/* Bytes an op moves, per image, or, when it runs for the batch, in all. Weights that an
 * op reads again for each image stay in the cache: not counted, but where unpacking them
 * is the work. Needs: plan. */
long op_traffic(const Net *net, const Op *op);

#endif
