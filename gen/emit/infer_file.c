/* The standalone inference file: the infer program for every target, and its
 * constants. */
#include "gen/emit/infer_file.h"

#include "gen/config/config_weights.h"
#include "gen/emit/project.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/data/data.h"
#include "runtime/kernels/quant.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

static bool write_as(const char *template, const EmitInput *input, const char *path)
{
    size_t bytes;
    char *text = emit(template, input, &bytes);
    bool ok = text && rt_write_if_changed(path, text, bytes);
    free(text);
    return ok;
}

/* What is fetched, as it will be asked for: words, the lowest byte first. */
static bool write_fetched(const EmitInput *input, const char *path)
{
    const Net *net = &input->shipped->variants[input->shipped->count - 1].net;
    size_t size = 0;
    for (int i = 0; i < net->tensor_count; i++)
        if (net->tensors[i].role == ROLE_FAR)
            size += 4 * (size_t)tensor_count(&net->tensors[i]);
    char *bytes = rt_alloc(size);
    for (int i = 0; i < net->tensor_count; i++) {
        const Tensor *t = &net->tensors[i];
        if (t->role != ROLE_FAR)
            continue;
        const uint32_t *words = constants_find(input->constants, t->name)->values;
        for (long at = 0; at < 4 * tensor_count(t); at++)
            bytes[t->offset + at] = (char)(words[at / 4] >> at % 4 * 8);
    }
    bool ok = rt_write_if_changed(path, bytes, size);
    free(bytes);
    return ok;
}

static bool write_files(EmitInput *input, const char *output)
{
    int stem = (int)strlen(output) - 2;
    char *header = rt_format("%.*s.h", stem, output);
    char *constants = rt_format("%.*s_weights.c", stem, output);
    char *fetched = rt_format("%.*s_weights.bin", stem, output);
    char *copy = rt_format("%s", header);
    input->header = basename(copy);
    bool ok = write_as("infer/infer.h.in", input, header) &&
              write_as("infer/infer.c.in", input, output);
    input->only_weights = true;
    ok = ok && (!input->split || write_as("infer/infer.c.in", input, constants));
    ok = ok && (!input->fetch || write_fetched(input, fetched));
    free(header);
    free(constants);
    free(fetched);
    free(copy);
    return ok;
}

/* The largest sum of an output's weight codes of one sign; they lie in blocks. */
static long most_of_one_sign(const Constant *codes, int outputs)
{
    const uint32_t *words = codes->values;
    const size_t own = codes->count / outputs, block = rt_code_block(outputs);
    long most = 0;
    for (size_t k = 0; k < (size_t)outputs; k++) {
        long sums[2] = {0, 0};
        for (size_t i = 0; i < 4 * own; i++) {
            const size_t at = (k / block * own + i / 4) * block + k % block;
            const int code = (int8_t)(words[at] >> i % 4 * 8);
            sums[code < 0] += labs(code);
        }
        most = sums[0] > most ? sums[0] : most;
        most = sums[1] > most ? sums[1] : most;
    }
    return most;
}

/* The network with what its weights say: the bits that learned ones are packed with, and
 * how large a convolution's sums become. */
static Net with_weights(const Config *config, const Constants *constants)
{
    Net net = net_copy(&config->net);
    for (int i = 0; constants && i < net.op_count; i++) {
        Op *op = &net.ops[i];
        char name[NAME_SIZE];
        name_behind(name, op->name, ".packed");
        const Constant *packed = constants_find(constants, name);
        if (packed)
            op->own.bits = packed->bits;
        name_behind(name, op->name, ".codes");
        const Constant *codes = constants_find(constants, name);
        if (codes && op->kind == OP_CONV)
            op->most_sum = most_of_one_sign(codes, op_out(&net, op, "y")->c);
    }
    return net;
}

static bool make(const Config *config, const Weights *weights, Constants *constants)
{
    bool ok = true;
    Net net = net_copy(&config->net);
    pass_fuse(&net, false);
    if (quant_used(&net))
        ok = constants_integer(config, &net, weights->params, weights->stats, constants);
    else
        constants_fold(&net, weights->params, weights->stats, constants);
    net_free(&net);
    return ok;
}

bool constants_make(const Config *config, const Checkpoint *checkpoint, const char *path,
                    Constants *constants)
{
    Weights weights;
    *constants = (Constants){0};
    if (!config_weights(config, checkpoint, path, &weights))
        return false;
    bool ok = make(config, &weights, constants);
    weights_free(&weights);
    return ok;
}

bool constants_exist(const Config *config, const Weights *weights)
{
    Net net = net_copy(&config->net);
    Constants constants = {0};
    pass_fuse(&net, false);
    bool integers = pass_integer(&net, false);
    net_free(&net);
    if (!integers) { /* evaluated otherwise */
        rt_error_clear();
        return true;
    }
    bool ok = make(config, weights, &constants);
    constants_free(&constants);
    return ok;
}

static bool transforms(const Net *net)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_I_WINOGRAD || net->ops[i].lowering == LOWER_WINOGRAD)
            return true;
    return false;
}

/* Whether the same calls do for both: without transformed tiles they do, else those of
 * kernels of the same names, in the same arena. */
static bool same_layers(const Net *a, const Net *b)
{
    if (!transforms(a) && !transforms(b))
        return true;
    bool same = a->op_count == b->op_count && a->arena_bytes == b->arena_bytes;
    for (int i = 0; same && i < a->op_count; i++)
        same = strcmp(a->ops[i].kernel, b->ops[i].kernel) == 0;
    return same;
}

/* Variants one behind the other share the last one's. */
static int program_of(const ShippedNets *shipped, int variant)
{
    while (
        variant < shipped->count - 1 &&
        same_layers(&shipped->variants[variant].net, &shipped->variants[variant + 1].net))
        variant++;
    return variant;
}

bool shipped_compile(const Config *config, Constants *constants, ShippedWeights weights,
                     ShippedNets *shipped)
{
    Config weighed = *config;
    weighed.net = with_weights(config, constants);
    *shipped = (ShippedNets){.kind = quant_used(&config->net) ? SHIP_CODES : SHIP_FLOATS};
    bool ok = true;
    for (int i = 0; ok && i < TARGET_COUNT; i++) {
        const CompileOptions compile = {.target = &target_table[i], .weights = weights};
        if (!(compile.target->ships & shipped->kind))
            continue;
        int at = shipped->count++;
        shipped->variants[at].target = compile.target;
        ok = compile_infer(&weighed, &compile, &shipped->variants[at].net);
    }
    for (int i = 0; ok && i < shipped->count; i++) {
        shipped->variants[i].program = program_of(shipped, i);
        if (constants && shipped_is_program(shipped, i))
            constants_winograd(&shipped->variants[i].net, constants);
    }
    if (ok && constants) /* the last one's convolutions are all direct */
        constants_order(&shipped->variants[shipped->count - 1].net, constants);
    net_free(&weighed.net);
    return ok;
}

bool shipped_of_weights(const Config *config, const char *weights, ShippedNets *shipped)
{
    Checkpoint checkpoint = {0};
    Constants constants = {0};
    *shipped = (ShippedNets){0};
    bool ok = checkpoint_read(weights, &checkpoint) &&
              constants_make(config, &checkpoint, weights, &constants) &&
              shipped_compile(config, &constants, WEIGHTS_CONSTANT, shipped);
    constants_free(&constants);
    checkpoint_free(&checkpoint);
    return ok;
}

void shipped_free(ShippedNets *shipped)
{
    for (int i = 0; i < shipped->count; i++)
        net_free(&shipped->variants[i].net);
    *shipped = (ShippedNets){0};
}

int shipped_variant(const ShippedNets *shipped, const Target *target)
{
    int variant = 0;
    while (shipped->variants[variant].target != target_shipped(target, shipped->kind))
        variant++;
    return variant;
}

bool shipped_is_program(const ShippedNets *shipped, int variant)
{
    return shipped->variants[variant].program == variant;
}

char *shipped_targets(const ShippedNets *shipped, int program)
{
    char *names = NULL;
    for (int i = 0; i < shipped->count; i++)
        if (shipped->variants[i].program == program) {
            const char *name = shipped->variants[i].target->name;
            char *more = names ? rt_format("%s, %s", names, name) : rt_format("%s", name);
            free(names);
            names = more;
        }
    return names;
}

long shipped_arena_bytes(const ShippedNets *shipped)
{
    long most = 0;
    for (int i = 0; i < shipped->count; i++)
        most = shipped->variants[i].net.arena_bytes > most
                   ? shipped->variants[i].net.arena_bytes
                   : most;
    return most;
}

EmitInput shipped_input(const Config *config, const Constants *constants,
                        const ShippedNets *shipped, const char *command)
{
    return (EmitInput){.config = config,
                       .command = command,
                       .layers = &config->net,
                       .shipped = shipped,
                       .name = config->name,
                       .input = "uint8",
                       .constants = constants};
}

/* Its header stands in an #include, where C has no escapes. */
static bool output_name_ok(const char *output)
{
    const char *slash = strrchr(output, '/'), *name = slash ? slash + 1 : output;
    size_t length = strlen(name);
    if (length < 3 || strcmp(name + length - 2, ".c") != 0)
        return rt_fail("-o %s: want a file whose name ends in .c", output);
    return (rt_is_shown(name) && strpbrk(name, "\"\\") == NULL &&
            strstr(name, "??") == NULL) ||
           rt_fail("-o %s: the name goes into an #include: want none of \", \\, ?? and "
                   "control characters in it",
                   output);
}

static bool c_name_ok(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { MOST = 40 };
    return name == NULL ||
           (strlen(name) <= MOST && *name && strchr(letters, *name) &&
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789_") == strlen(name)) ||
           rt_fail("--name %s: want letters, digits and _, a letter first, at most %d: "
                   "C names begin with it",
                   rt_shown(name), MOST);
}

static bool input_ok(const Config *config, const char *input)
{
    static const char *const kinds[] = {"uint8", "int8", "rgb565"};
    if (input == NULL)
        return true;
    for (int i = 0; i < 3; i++)
        if (strcmp(input, kinds[i]) == 0)
            return i < 2 || net_pixels(&config->net)->c == 3 ||
                   rt_fail("--input rgb565: the network's images have %d channels, "
                           "want 3",
                           net_pixels(&config->net)->c);
    return rt_fail("--input %s: want uint8, int8 or rgb565", rt_shown(input));
}

/* The file, and its project, if it has one. */
static bool write_all(EmitInput *input, const char *output, const char *kind)
{
    if (kind == NULL)
        return write_files(input, output);
    const Project *project = project_find(kind);
    char *file = project_make(project, output, input->name);
    bool ok = file && write_files(input, file);
    input->only_weights = false;
    input->header = NULL;
    ok = ok && project_write(project, output, input);
    free(file);
    return ok;
}

/* What the weights are: their file by its name alone, so that the same weights give the
 * same bytes, and what was kept with them. free() it. */
static char *made_lines(const Checkpoint *checkpoint, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fprintf(file, "weights: %s\n", rt_shown(slash ? slash + 1 : path));
    for (const char *at = checkpoint->progress; *at;) {
        int length = (int)strcspn(at, "\n");
        if (strncmp(at, "made.", 5) == 0 && !class_names_is_line(at))
            fprintf(file, "%.*s\n", length - 5, at + 5);
        at += length + (at[length] == '\n');
    }
    fclose(file);
    return text;
}

static bool within_budget(const ShippedNets *shipped, const ShippedOptions *options)
{
    const Target *target = options->budget_target;
    int only =
        target ? shipped->variants[shipped_variant(shipped, target)].program : NONE;
    for (int i = 0; options->arena_budget > 0 && i < shipped->count; i++) {
        const Net *net = &shipped->variants[i].net;
        if (!shipped_is_program(shipped, i) || (target && i != only) ||
            net->arena_bytes <= options->arena_budget)
            continue;
        long peak;
        const Op *op = plan_peak(net, &peak);
        bool own = i < shipped->count - 1;
        char *targets = shipped_targets(shipped, i);
        rt_fail(
            "--arena-budget %ld: the arena takes %ld bytes%s%s; most of it, %ld, is in "
            "use at %s (%s:%d)%s",
            options->arena_budget, net->arena_bytes, own ? " for " : "",
            own ? targets : "", peak, op->name, op->file, op->line,
            own && !target ? "; --target looks at another alone" : "");
        free(targets);
        return false;
    }
    return true;
}

bool shipped_write(const Config *config, const char *weights, const char *output,
                   ShippedOptions options)
{
    if (options.project && (options.split || options.fetch))
        return rt_fail("--%s: a project has the constants in the same file",
                       options.split ? "split" : "fetch");
    if (options.prepare && (options.project || options.fetch || options.batch > 0))
        return rt_fail("--prepare: goes without --%s", options.project ? "project"
                                                       : options.fetch ? "fetch"
                                                                       : "batch");
    if ((options.project ? !project_find(options.project) : !output_name_ok(output)) ||
        !c_name_ok(options.name) || !input_ok(config, options.input))
        return false;
    Checkpoint checkpoint = {0};
    Constants constants;
    if (!checkpoint_read(weights, &checkpoint))
        return false;
    bool ok = constants_make(config, &checkpoint, weights, &constants);
    if (ok) {
        ShippedNets shipped;
        char *command = rt_format("lathe emit %s", config->origin);
        Selftest selftest = {0};
        ok = shipped_compile(config, &constants,
                             options.fetch     ? WEIGHTS_FETCHED
                             : options.prepare ? WEIGHTS_PREPARED
                                               : WEIGHTS_CONSTANT,
                             &shipped) &&
             within_budget(&shipped, &options);
        EmitInput input = shipped_input(config, &constants, &shipped, command);
        input.split = options.split;
        input.fetch = options.fetch;
        input.prepare = options.prepare;
        input.batch = (int)options.batch;
        input.input = options.input ? options.input : input.input;
        input.name = options.name ? options.name : input.name;
        char *made = made_lines(&checkpoint, weights);
        input.made = made;
        ClassNames kept = class_names_read(checkpoint.progress, config->class_count);
        if (!config->names_classes && kept.count > 0)
            input.class_names = &kept;
        if (ok && options.selftest && quant_used(&config->net)) {
            ok = options.selftest(config, weights, &selftest);
            input.selftest = &selftest;
        }
        ok = ok && write_all(&input, output, options.project);
        data_free(&selftest.images);
        free(selftest.scores);
        class_names_free(&kept);
        free(command);
        free(made);
        shipped_free(&shipped);
    }
    constants_free(&constants);
    checkpoint_free(&checkpoint);
    return ok;
}
