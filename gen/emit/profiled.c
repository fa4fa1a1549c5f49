/* What a profile says of each op: its layer, pass and kernel, and the work it does.
 * Needs: every pass. */
#include "gen/emit/profiled.h"

#include <lauxlib.h>
#include <string.h>

/* Bytes of a tensor that one image has, or, of an op that runs for the batch, that there
 * are in all. Weights that an op reads again for each image stay in the cache: not
 * counted, but where unpacking them is the work. */
static long bytes_of(const Op *op, const Tensor *tensor)
{
    bool shared = op->scope == SCOPE_IMAGE && op->kind != OP_I_UNPACK;
    long bytes = tensor_count(tensor) * type_bytes(tensor->type);
    switch (tensor->role) {
    case ROLE_PIXELS:
    case ROLE_LOGITS:
    case ROLE_DATA:
        return bytes;
    case ROLE_PARTIAL:
        return shared ? 0 : tensor->bytes * RT_CHUNKS;
    default:
        return shared ? 0 : bytes;
    }
}

static long traffic(const Net *net, const Op *op)
{
    long bytes = 0;
    for (int i = 0; i < OP_INPUTS; i++)
        if (op->in[i] != NONE)
            bytes += bytes_of(op, &net->tensors[op->in[i]]);
    const bool adds[OP_OUTPUTS] = {op->accumulate, op->accumulate_residual};
    for (int i = 0; i < OP_OUTPUTS; i++)
        if (op->out[i] != NONE)
            bytes += bytes_of(op, &net->tensors[op->out[i]]) * (adds[i] ? 2 : 1);
    return bytes;
}

/* Ops derived from others keep their macs; only these do them. */
static bool multiplies(const Op *op)
{
    switch (op->kind) {
    case OP_CONV:
    case OP_CONV_FOLDED:
    case OP_CONV_BWD_INPUT:
    case OP_CONV_BWD_WEIGHT:
    case OP_DENSE:
    case OP_DENSE_BWD_INPUT:
    case OP_DENSE_BWD_WEIGHT:
    case OP_Q_CONV:
    case OP_I_CONV:
    case OP_I_DENSE:
        return true;
    default:
        return false;
    }
}

static bool multiplies_integers(const Op *op)
{
    return op->kind == OP_Q_CONV || op->kind == OP_I_CONV || op->kind == OP_I_DENSE;
}

RtProfileOp profiled_op(const Net *net, const Op *op)
{
    static const RtProfileScope scopes[] = {[SCOPE_IMAGE] = PROFILE_IMAGE,
                                            [SCOPE_TASKS] = PROFILE_TASKS,
                                            [SCOPE_BATCH] = PROFILE_BATCH};
    const char *pass = op_info[op->kind].suffix;
    return (RtProfileOp){
        .layer = op->name,
        .pass = pass,
        .kernel = op->kernel,
        .scope = scopes[op->scope],
        .backward = strncmp(pass, "backward", 8) == 0 || op->kind == OP_CONV_FLIP,
        .integers = multiplies_integers(op),
        .macs = multiplies(op) ? op->macs : 0,
        .bytes = traffic(net, op),
    };
}

static void push_text(lua_State *lua, const char *name, const char *text)
{
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
}

static void push_row(lua_State *lua, const RtProfileOp *row)
{
    static const char *const scopes[] = {[PROFILE_IMAGE] = "PROFILE_IMAGE",
                                         [PROFILE_TASKS] = "PROFILE_TASKS",
                                         [PROFILE_BATCH] = "PROFILE_BATCH"};
    lua_newtable(lua);
    push_text(lua, "layer", row->layer);
    push_text(lua, "pass", row->pass);
    push_text(lua, "kernel", row->kernel);
    push_text(lua, "scope", scopes[row->scope]);
    lua_pushboolean(lua, row->backward);
    lua_setfield(lua, -2, "backward");
    lua_pushboolean(lua, row->integers);
    lua_setfield(lua, -2, "integers");
    lua_pushinteger(lua, row->macs);
    lua_setfield(lua, -2, "macs");
    lua_pushinteger(lua, row->bytes);
    lua_setfield(lua, -2, "bytes");
}

void profiled_push(lua_State *lua, const Net *train, const Net *evaluate)
{
    const Net *const nets[] = {train, evaluate};
    int count = 0;
    lua_newtable(lua);
    for (int n = 0; n < 2; n++) {
        for (int i = 0; i < nets[n]->op_count; i++) {
            RtProfileOp row = profiled_op(nets[n], &nets[n]->ops[i]);
            push_row(lua, &row);
            lua_rawseti(lua, -2, ++count);
        }
    }
    lua_setfield(lua, -2, "profiled");
}
