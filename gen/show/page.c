/* The page: hands the template what is known of each layer, each part of the source and
 * each tensor in memory. */
#include "gen/show/page.h"

#include "gen/base/lua_fields.h"
#include "gen/emit/outside.h"
#include "gen/emit/report.h"
#include "gen/show/show_layer.h"
#include "runtime/base/support.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* ---- Layers ---- */

static void push_config_lines(lua_State *lua, const Inspection *it, const Op *op)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    show_config_lines(it, op, file);
    fclose(file);
    outside_set(lua, "config_lines", text);
    free(text);
}

static void push_ir(lua_State *lua, const Inspection *it, int layer)
{
    lua_newtable(lua);
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        char *text = NULL;
        size_t bytes;
        FILE *file = open_memstream(&text, &bytes);
        inspect_print_ir(it, program, layer, file);
        fclose(file);
        if (*text)
            outside_push(lua, text);
        else
            lua_pushboolean(lua, false);
        lua_setfield(lua, -2, program_names[program]);
        free(text);
    }
    lua_setfield(lua, -2, "ir");
}

static void push_costs(lua_State *lua, const Inspection *it, int layer)
{
    lua_newtable(lua);
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        for (int backward = 0; backward < 2; backward++) {
            const Cost cost = inspect_cost(it, program, layer, backward);
            if (cost.ops == 0)
                continue;
            lua_newtable(lua);
            set_text(lua, "program", program_names[program]);
            set_text(lua, "pass", backward ? "backward" : "forward");
            set_integer(lua, "ops", cost.ops);
            set_integer(lua, "macs", cost.macs);
            set_integer(lua, "bytes", (long)cost.bytes);
            set_number(lua, "intensity", cost.bytes > 0 ? cost.macs / cost.bytes : 0);
            lua_rawseti(lua, -2, (int)lua_rawlen(lua, -2) + 1);
        }
    }
    lua_setfield(lua, -2, "costs");
}

/* by[program]: the layer that does this one's work there, from 1; false for none. */
static void push_done_by(lua_State *lua, const Inspection *it, int layer)
{
    lua_newtable(lua);
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        int by = inspect_done_by(it, program, layer);
        if (by == NONE)
            lua_pushboolean(lua, false);
        else
            lua_pushinteger(lua, by + 1);
        lua_setfield(lua, -2, program_names[program]);
    }
    lua_setfield(lua, -2, "by");
}

/* The layers whose outputs this one reads, from 1. */
static void push_inputs(lua_State *lua, const Net *net, int layer)
{
    lua_newtable(lua);
    for (int slot = 0; slot < OP_INPUTS; slot++) {
        int tensor = net->ops[layer].in[slot];
        for (int i = 0; i < layer && tensor != NONE; i++) {
            if (!op_writes(&net->ops[i], tensor))
                continue;
            lua_pushinteger(lua, i + 1);
            lua_rawseti(lua, -2, (int)lua_rawlen(lua, -2) + 1);
        }
    }
    lua_setfield(lua, -2, "inputs");
}

static void push_layer(lua_State *lua, const Inspection *it, int layer)
{
    const Net *net = &it->config->net;
    const Op *op = &net->ops[layer];
    const ReportRow row = report_row(net, layer, it->weights.params);
    char kind[32];
    snprintf(kind, sizeof kind, "%s", op_info[op->kind].name);
    for (char *p = kind; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    lua_newtable(lua);
    set_text(lua, "name", op->name);
    set_text(lua, "kind", kind);
    set_text(lua, "what", row.kind);
    set_text(lua, "from", row.in);
    set_text(lua, "to", row.out);
    set_text(lua, "bits_text", row.bits);
    set_number(lua, "bits", atof(row.bits));
    set_integer(lua, "params", row.params);
    set_integer(lua, "macs", op->macs);
    set_integer(lua, "bytes", (long)(row.bytes + 0.5));
    outside_set(lua, "file", op->file);
    const char *slash = strrchr(op->file, '/');
    outside_set(lua, "file_name", slash ? slash + 1 : op->file);
    set_integer(lua, "line", op->line);
    push_config_lines(lua, it, op);
    push_ir(lua, it, layer);
    push_costs(lua, it, layer);
    push_done_by(lua, it, layer);
    push_inputs(lua, net, layer);
}

/* ---- Source ---- */

/* Append "layer:pass" to the list on top: whose the part is, and where. Passes are named
 * by two letters: program and direction; the infer program's kernels for other processors
 * ix. */
static void push_owner(lua_State *lua, int layer, const char *pass)
{
    int count = (int)lua_rawlen(lua, -1);
    lua_newtable(lua);
    set_integer(lua, "layer", layer + 1);
    set_text(lua, "pass", pass);
    lua_rawseti(lua, -2, count + 1);
}

static const char *pass_of(const Inspection *it, int program, const Op *op,
                           const Part *part)
{
    if (program == PROGRAM_INFER)
        return inspect_is_read(it, program, part) ? "if" : "ix";
    if (program == PROGRAM_EVALUATE)
        return "ef";
    return inspect_is_backward(op) ? "tb" : "tf";
}

static void push_owners(lua_State *lua, const Inspection *it, const Source *source,
                        const Part *part)
{
    lua_newtable(lua);
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        if (source != inspect_source(it, program))
            continue;
        const Net *net = inspect_part_net(it, program, part);
        for (int i = 0; i < net->op_count; i++) {
            const Op *op = &net->ops[i];
            bool ours =
                part->kind == PART_KERNEL
                    ? op_is_printed(op) && strcmp(op->kernel, part->kernel) == 0
                    : i == part->op && strcmp(part->program, program_names[program]) == 0;
            if (ours)
                push_owner(lua, op->layer, pass_of(it, program, op, part));
        }
    }
    lua_setfield(lua, -2, "owners");
}

/* The list on top gets the lines first..last, of a part or of none. */
static void push_lines(lua_State *lua, const Inspection *it, const Source *source,
                       int first, int last, const Part *part)
{
    static const char *const kinds[] = {"function", "call", "constant", "kernel"};
    if (first > last)
        return;
    int count = (int)lua_rawlen(lua, -1);
    lua_newtable(lua);
    set_integer(lua, "first", first);
    set_integer(lua, "last", last);
    set_text(lua, "kind", part ? kinds[part->kind] : "other");
    set_text(lua, "kernel", part ? part->kernel : "");
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (int line = first; line <= last; line++) {
        luaL_addstring(&buffer, source->lines[line]);
        luaL_addchar(&buffer, '\n');
    }
    luaL_pushresult(&buffer);
    outside_push(lua, lua_tostring(lua, -1));
    lua_setfield(lua, -3, "text");
    lua_pop(lua, 1);
    if (part) {
        push_owners(lua, it, source, part);
    } else {
        lua_newtable(lua);
        lua_setfield(lua, -2, "owners");
    }
    lua_rawseti(lua, -2, count + 1);
}

static void push_source(lua_State *lua, const Inspection *it, const Source *source)
{
    lua_newtable(lua);
    set_text(lua, "file", source->file);
    set_integer(lua, "lines", source->line_count);
    lua_newtable(lua);
    int line = 1;
    for (int i = 0; i < source->map.count; i++) {
        const Part *part = &source->map.parts[i];
        push_lines(lua, it, source, line, part->first - 1, NULL);
        push_lines(lua, it, source, part->first, part->last, part);
        line = part->last + 1;
    }
    push_lines(lua, it, source, line, source->line_count, NULL);
    lua_setfield(lua, -2, "parts");
}

/* ---- Memory ---- */

/* Where a tensor's copies lie, as bytes of the arena; false when they do not. */
static bool arena_box(const Net *net, const Tensor *t, long *offset, long *bytes)
{
    if (t->first == NONE ||
        (t->role != ROLE_DATA && t->role != ROLE_ONCE && t->role != ROLE_PARTIAL))
        return false;
    bool worker = t->role == ROLE_DATA && t->place == PLACE_WORKER;
    int copies = worker                    ? net_workers(net)
                 : t->role == ROLE_PARTIAL ? net->chunks
                 : t->role == ROLE_DATA    ? net->batch
                                           : 1;
    if (worker && net->worker_bytes == 0)
        return false;
    /* Drawn as if copies lay together. */
    *offset = worker ? t->offset * copies : t->offset;
    *bytes = t->bytes * copies;
    return true;
}

static const char *box_kind(const Net *net, int tensor, int *layer)
{
    const Tensor *t = &net->tensors[tensor];
    *layer = NONE;
    bool backward = false;
    for (int i = 0; i < net->op_count && *layer == NONE; i++) {
        if (!op_writes(&net->ops[i], tensor))
            continue;
        *layer = net->ops[i].layer;
        backward = inspect_is_backward(&net->ops[i]);
    }
    return t->role == ROLE_PARTIAL ? "sums"
           : t->role == ROLE_ONCE  ? "once"
           : backward              ? "gradient"
                                   : "activation";
}

static void push_memory(lua_State *lua, const Inspection *it, int program)
{
    const Net *net = &it->programs[program];
    lua_newtable(lua);
    set_text(lua, "program", program_names[program]);
    set_integer(lua, "segments", net->segments);
    set_integer(lua, "bytes", net->arena_bytes);
    set_integer(lua, "batch", net->batch);
    lua_newtable(lua);
    int count = 0;
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *t = &net->tensors[i];
        long offset, bytes;
        int layer;
        if (!arena_box(net, t, &offset, &bytes))
            continue;
        const char *kind = box_kind(net, i, &layer);
        lua_newtable(lua);
        set_text(lua, "name", t->name);
        set_text(lua, "kind", kind);
        set_integer(lua, "layer", layer + 1);
        set_integer(lua, "first", t->first);
        set_integer(lua, "last", t->last);
        set_integer(lua, "offset", offset);
        set_integer(lua, "bytes", bytes);
        lua_rawseti(lua, -2, ++count);
    }
    lua_setfield(lua, -2, "boxes");
}

/* ---- All ---- */

static void push_page(lua_State *lua, const void *context)
{
    const Inspection *it = context;
    luaL_checkstack(lua, 20, NULL);
    lua_newtable(lua); /* page */
    lua_newtable(lua);
    for (int i = 0; i < it->config->net.op_count; i++) {
        push_layer(lua, it, i);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "rows");
    lua_newtable(lua);
    push_source(lua, it, &it->network);
    lua_rawseti(lua, -2, 1);
    if (it->has_infer) {
        push_source(lua, it, &it->infer);
        lua_rawseti(lua, -2, 2);
    }
    lua_setfield(lua, -2, "sources");
    lua_newtable(lua);
    for (int program = 0; program < (it->has_infer ? PROGRAM_COUNT : PROGRAM_INFER);
         program++) {
        push_memory(lua, it, program);
        lua_rawseti(lua, -2, program + 1);
    }
    lua_setfield(lua, -2, "memory");
    lua_newtable(lua);
    for (int i = 0; i < it->subject.set_count; i++) {
        outside_push(lua, it->subject.sets[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "sets");
    outside_set(lua, "refusal", it->refusal);
    lua_pushboolean(lua, it->weights.params != NULL);
    lua_setfield(lua, -2, "learned");
    lua_setfield(lua, -2, "page");
}

bool page_write(const Inspection *it, const char *path)
{
    const EmitInput input = {.config = it->config,
                             .target = it->subject.compile->target,
                             .layers = &it->config->net,
                             .name = it->config->name,
                             .more = push_page,
                             .context = it};
    size_t bytes;
    char *text = emit("page.html.in", &input, &bytes);
    bool ok = text && rt_write_if_changed(path, text, bytes);
    free(text);
    return ok;
}
