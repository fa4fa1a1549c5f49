/* The network's parameters as the runtime's Params. */
#ifndef LATHE_PARAMS_H
#define LATHE_PARAMS_H

#include "gen/ir/ir.h"

extern const char *const init_words[]; /* of configs, by ParamInit */

/* In the Net's order; names point into the Net. free() the list. */
Param *params_of(const Net *net, Role role);
int params_count(const Net *net, Role role);
/* Where the numbers of a parameter or statistic are, in arrays of the Net's layout; NULL
 * for NONE. */
float *params_numbers(const Net *net, int tensor, const float *params,
                      const float *stats);
/* Steps, or ranges, of a quantiser: one, or one for each output channel. */
int params_steps(const Net *net, const Quantiser *quantiser);
/* The layer that reads it. */
const Op *params_op(const Net *net, const Param *param);
/* The name of the layer's kernel, or of the one whose output the layer reads; NULL:
 * neither has one. */
const char *params_kernel(const Net *net, const Op *op);
/* PyTorch's name of it, or several, "fc.weight|linear.weight". */
const char *params_torch(const Net *net, const Param *param);

#endif
