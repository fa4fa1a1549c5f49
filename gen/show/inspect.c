/* Compiles and renders everything there is of a config, and finds the parts of a layer.
 */
#include "gen/show/inspect.h"

#include "gen/base/paths.h"
#include "gen/emit/infer_file.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

void source_set(Source *source, const char *file, char *text, size_t bytes)
{
    source->file = file;
    source->text = text;
    source->line_count = 0;
    for (size_t i = 0; i < bytes; i++)
        source->line_count += text[i] == '\n' || i == bytes - 1;
    source->lines = rt_alloc((source->line_count + 2) * sizeof(char *));
    int line = 1;
    for (size_t i = 0; i < bytes; i++) {
        if (i == 0 || text[i - 1] == 0)
            source->lines[line++] = text + i;
        if (text[i] == '\n')
            text[i] = 0;
    }
    source->line_count = line - 1;
}

void source_free(Source *source)
{
    free(source->text);
    free(source->lines);
    free(source->map.parts);
    *source = (Source){0};
}

static bool render(Source *source, const char *template, const char *file,
                   const EmitInput *input)
{
    size_t bytes;
    LineMap map;
    char *text = emit_mapped(template, input, &bytes, &map);
    if (text == NULL)
        return false;
    source_set(source, file, text, bytes);
    source->map = map;
    return true;
}

bool inspect_render_infer(const Inspection *it, const Constants *constants,
                          Source *source)
{
    char *command = rt_format("lathe emit %s", it->config->path);
    EmitInput input = shipped_input(it->config, constants, &it->shipped, command);
    input.header = "infer.h";
    bool ok = render(source, "infer/infer.c.in", "infer.c", &input);
    free(command);
    return ok;
}

bool inspect_write_header(const Inspection *it, const char *folder)
{
    char *command = rt_format("lathe emit %s", it->config->path);
    char *path = rt_format("%s/infer.h", folder);
    EmitInput input = shipped_input(it->config, &it->constants, &it->shipped, command);
    size_t bytes;
    char *text = emit("infer/infer.h.in", &input, &bytes);
    bool ok = text && rt_write_if_changed(path, text, bytes);
    free(text);
    free(path);
    free(command);
    return ok;
}

static bool compile_shipped(Inspection *it)
{
    Constants *known = it->constants.count ? &it->constants : NULL;
    it->has_infer = shipped_compile(it->config, known, WEIGHTS_CONSTANT, &it->shipped);
    if (it->has_infer) {
        it->variant = shipped_variant(&it->shipped, it->subject.compile->target);
        it->programs[PROGRAM_INFER] = it->shipped.variants[it->variant].net;
        return inspect_render_infer(it, NULL, &it->infer);
    } else if (it->refusal == NULL) {
        it->refusal = rt_format("%s", rt_error());
    }
    rt_error_clear();
    return true;
}

char *inspect_command(const Inspection *it)
{
    char *command = rt_format("lathe gen %s", it->config->path);
    for (int i = 0; i < it->subject.set_count; i++) {
        char *longer = rt_format("%s --set '%s'", command, it->subject.sets[i]);
        free(command);
        command = longer;
    }
    return command;
}

bool inspect_open(Inspection *it, const Subject *subject, const char *weights)
{
    const Config *config = subject->config;
    Checkpoint checkpoint = {0};
    *it = (Inspection){.subject = *subject, .config = config};
    if (weights && (!checkpoint_read(weights, &checkpoint) ||
                    !config_weights(config, &checkpoint, weights, &it->weights))) {
        checkpoint_free(&checkpoint);
        return false;
    }
    compile_train(config, subject->compile, &it->programs[PROGRAM_TRAIN]);
    compile_evaluate(config, subject->compile, &it->programs[PROGRAM_EVALUATE]);
    char *command = inspect_command(it);
    EmitInput input = {.config = config,
                       .target = subject->compile->target,
                       .command = command,
                       .layers = &config->net,
                       .train = &it->programs[PROGRAM_TRAIN],
                       .evaluate = &it->programs[PROGRAM_EVALUATE]};
    bool ok = render(&it->network, "trainer/network.c.in", "network.c", &input);
    free(command);
    if (ok && weights && !constants_make(config, &checkpoint, weights, &it->constants)) {
        it->refusal = rt_format("%s", rt_error());
        constants_free(&it->constants);
        rt_error_clear();
    }
    ok = ok && compile_shipped(it);
    checkpoint_free(&checkpoint);
    return ok;
}

void inspect_close(Inspection *it)
{
    net_free(&it->programs[PROGRAM_TRAIN]);
    net_free(&it->programs[PROGRAM_EVALUATE]);
    shipped_free(&it->shipped);
    constants_free(&it->constants);
    source_free(&it->network);
    source_free(&it->infer);
    free(it->refusal);
    weights_free(&it->weights);
    *it = (Inspection){0};
}

int inspect_layer(const Inspection *it, const char *name)
{
    const Net *net = &it->config->net;
    const char **names = rt_alloc(net->op_count * sizeof(char *));
    int found = NONE;
    for (int i = 0; i < net->op_count; i++) {
        names[i] = net->ops[i].name;
        if (strcmp(name, names[i]) == 0)
            found = i;
    }
    const char *nearest = rt_nearest(name, names, net->op_count);
    free(names);
    if (found == NONE && nearest)
        rt_fail("%s: no layer is called %s; did you mean %s?", it->config->path, name,
                nearest);
    else if (found == NONE)
        rt_fail("%s: no layer is called %s; lathe show %s lists them", it->config->path,
                name, it->config->path);
    return found;
}

/* ---- What belongs to a layer ---- */

static bool has_ops(const Net *net, int layer)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].layer == layer)
            return true;
    return false;
}

/* The layer of the op that writes a config's tensor: under its name, or as codes or sums.
 */
static int writer_of(const Net *net, const char *name)
{
    size_t length = strlen(name);
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        for (int j = 0; j < OP_OUTPUTS && op->out[j] != NONE; j++) {
            const char *out = net->tensors[op->out[j]].name;
            if (strncmp(out, name, length) == 0 &&
                (out[length] == 0 || strcmp(out + length, ".codes") == 0 ||
                 strcmp(out + length, ".sums") == 0))
                return op->layer;
        }
    }
    return NONE;
}

int inspect_done_by(const Inspection *it, int program, int layer)
{
    const Net *net = &it->programs[program], *layers = &it->config->net;
    if (has_ops(net, layer))
        return layer;
    for (int at = layer; at != NONE;) {
        int output = layers->ops[at].out[LAYER_y],
            writer = writer_of(net, layers->tensors[output].name);
        if (writer != NONE)
            return writer;
        at = NONE; /* it runs into the layer that reads it */
        for (int i = 0; i < layers->op_count && at == NONE; i++)
            if (op_reads(&layers->ops[i], output))
                at = i;
        if (at != NONE && has_ops(net, at))
            return at;
    }
    return NONE;
}

bool inspect_is_backward(const Op *op)
{
    return op_is(op, BACKWARD);
}

const Source *inspect_source(const Inspection *it, int program)
{
    return program == PROGRAM_INFER ? &it->infer : &it->network;
}

const Net *inspect_part_net(const Inspection *it, int program, const Part *part)
{
    return program == PROGRAM_INFER ? &it->shipped.variants[part->variant].net
                                    : &it->programs[program];
}

bool inspect_is_read(const Inspection *it, int program, const Part *part)
{
    if (program != PROGRAM_INFER || part->kind == PART_CONSTANT)
        return true;
    int variant = part->kind == PART_KERNEL ? it->variant
                                            : it->shipped.variants[it->variant].program;
    return part->variant == variant;
}

bool inspect_part_is_of(const Inspection *it, const Source *source, const Part *part,
                        int program, int layer, bool backward)
{
    const Net *net = &it->programs[program];
    if (source != inspect_source(it, program))
        return false;
    if (part->kind != PART_KERNEL) {
        if (!inspect_is_read(it, program, part))
            return false;
        const Op *op = &inspect_part_net(it, program, part)->ops[part->op];
        return strcmp(part->program, program_names[program]) == 0 && op->layer == layer &&
               inspect_is_backward(op) == backward;
    }
    if (!inspect_is_read(it, program, part))
        return false;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->layer == layer && op_is_printed(op) &&
            strcmp(op->kernel, part->kernel) == 0 && inspect_is_backward(op) == backward)
            return true;
    }
    return false;
}

/* ---- Cost ---- */

static double tensor_traffic(const Net *net, const Tensor *t)
{
    double bytes = (double)tensor_count(t) * type_bytes(t->type);
    if (t->role == ROLE_DATA || t->role == ROLE_PIXELS || t->role == ROLE_LOGITS)
        return bytes;
    return bytes * (t->role == ROLE_PARTIAL ? net->chunks : 1) / net->batch;
}

Cost inspect_cost(const Inspection *it, int program, int layer, bool backward)
{
    const Net *net = &it->programs[program];
    Cost cost = {0};
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->layer != layer || inspect_is_backward(op) != backward)
            continue;
        cost.ops++;
        cost.macs += op->macs;
        for (int t = 0; t < net->tensor_count; t++)
            cost.bytes += (op_reads(op, t) + op_writes(op, t)) *
                          tensor_traffic(net, &net->tensors[t]);
    }
    return cost;
}

/* ---- IR ---- */

static void print_place(const Net *net, const Tensor *t, FILE *file)
{
    fprintf(file, "%s", role_names[t->role]);
    if (t->role == ROLE_DATA && t->place == PLACE_WORKER)
        fprintf(file, ", one a worker at %ld", t->offset);
    else if (t->role == ROLE_DATA)
        fprintf(file, ", %s at arena + %ld", net->batch > 1 ? "one an image" : "lies",
                t->offset);
    else if (t->role == ROLE_ONCE || t->role == ROLE_PARTIAL)
        fprintf(file, ", %s at arena + %ld",
                t->role == ROLE_ONCE ? "lies" : "one a chunk", t->offset);
    if (t->first != NONE)
        fprintf(file, ", used in %d..%d", t->first, t->last);
    quantiser_dump(&t->codes, "codes", file);
}

static void shape_text(char shape[48], const Tensor *t)
{
    if (t->rank == 3)
        snprintf(shape, 48, "%dx%dx%d", t->h, t->w, t->c);
    else if (t->rank == 4)
        snprintf(shape, 48, "%dx%dx%dx%d", t->h, t->w, t->c, t->k);
    else if (t->rank == 2)
        snprintf(shape, 48, "%dx%d", t->c, t->k);
    else
        snprintf(shape, 48, "%d", t->k);
}

static void print_slots(const Net *net, const char *const *names, const int *slots,
                        const char *arrow, FILE *file)
{
    for (int i = 0; names[i]; i++) {
        if (slots[i] == NONE)
            continue;
        const Tensor *t = &net->tensors[slots[i]];
        char shape[48];
        shape_text(shape, t);
        fprintf(file, "      %s %-10s %-32s %-8s %-12s ", arrow, names[i], t->name,
                type_names[t->type], shape);
        print_place(net, t, file);
        fputc('\n', file);
    }
}

void inspect_print_ir(const Inspection *it, int program, int layer, FILE *file)
{
    const Net *net = &it->programs[program];
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->layer != layer)
            continue;
        fprintf(file, "  %s %s: %s\n   ", op->name, op_info[op->kind].name,
                op_info[op->kind].what);
        op_dump_fields(op, file);
        fputc('\n', file);
        print_slots(net, op_info[op->kind].inputs, op->in, "<-", file);
        print_slots(net, op_info[op->kind].outputs, op->out, "->", file);
    }
}

/* ---- The config's own lines ---- */

/* The path of a file that errors and ops call `shown`, or NULL: the config itself, or a
 * file it requires from its folder. */
static char *path_of(const char *config, const char *shown)
{
    if (strcmp(rt_shown(short_path(config)), shown) == 0)
        return rt_format("%s", config);
    char *given = rt_format("%s", config), *folder = dirname(given), *found = NULL;
    for (const char *rest = shown; rest && !found; rest = strchr(rest, '/')) {
        rest += *rest == '/';
        char *path = rt_format("%s/%s", folder, rest);
        if (strcmp(rt_shown(short_path(path)), shown) == 0)
            found = path;
        else
            free(path);
    }
    free(given);
    return found;
}

bool inspect_config_file(const Inspection *it, const char *shown, Source *source)
{
    char *path = path_of(it->subject.path, shown);
    size_t bytes;
    char *text = path ? rt_read_file(path, &bytes) : NULL;
    if (text)
        source_set(source, shown, text, bytes);
    else
        rt_error_clear();
    free(path);
    return text != NULL;
}
