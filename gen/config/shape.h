/* Shapes of layers, found while a config is read. */
#ifndef LATHE_SHAPE_H
#define LATHE_SHAPE_H

#include "gen/ir/ir.h"

/* Output shape, parameter shapes and cost of the op just added, and its output tensor;
 * called while the config runs so that an error carries its line. False and rt_fail. */
bool shape_op(Net *net, int op);

#endif
