/* A program's ops as a profile tells of them. */
#ifndef LATHE_PROFILED_H
#define LATHE_PROFILED_H

#include "gen/ir/ir.h"
#include "runtime/kernels/profile.h"

/* What the profile says of an op; its texts are the op's. */
RtProfileOp profiled_op(const Net *net, const Op *op);

/* Set `profiled` in the table at the top of the stack: the rows of RtProfile.ops, for the
 * training and then the evaluation program. */
void profiled_push(lua_State *lua, const Net *train, const Net *evaluate);

#endif
