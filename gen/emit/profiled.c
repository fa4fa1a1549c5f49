/* What a profile says of each op: its layer, pass and kernel, and the work it does.
 * Needs: every pass. */
#include "gen/emit/profiled.h"

#include "gen/ir/cost.h"

#include <lauxlib.h>

RtProfileOp profiled_op(const Net *net, const Op *op)
{
    static const RtProfileScope scopes[] = {[SCOPE_CHUNK] = PROFILE_CHUNK,
                                            [SCOPE_IMAGE] = PROFILE_IMAGE,
                                            [SCOPE_TASKS] = PROFILE_TASKS,
                                            [SCOPE_BATCH] = PROFILE_BATCH};
    return (RtProfileOp){
        .layer = op->name,
        .pass = op_info[op->kind].suffix,
        .kernel = op->kernel,
        .scope = scopes[op->scope],
        .backward = op_is(op, BACKWARD),
        .integers = op_is(op, INTEGER),
        .macs = op->macs,
        .bytes = op_traffic(net, op),
    };
}

static void push_text(lua_State *lua, const char *name, const char *text)
{
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
}

static void push_row(lua_State *lua, const RtProfileOp *row)
{
    static const char *const scopes[] = {[PROFILE_CHUNK] = "PROFILE_CHUNK",
                                         [PROFILE_IMAGE] = "PROFILE_IMAGE",
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
