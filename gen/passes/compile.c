/* The compiler, as a list: each program is a copy of the config's layers sent through its
 * steps. What every step leaves is verified, and printed when asked for. */
#include "gen/passes/compile.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

const char *const program_names[PROGRAM_COUNT] = {"train", "evaluate", "infer"};

/* A program on its way. */
typedef struct {
    const Config *config;
    const CompileOptions *options;
    Program program;
    Net *net;
    bool integers; /* it computes in integers all through */
} Compiling;

/* ---- The steps: false and rt_fail when there is no such program ---- */

static bool step_config(Compiling *c)
{
    *c->net = net_copy(&c->config->net);
    if (c->program == PROGRAM_INFER)
        c->net->chunks = RT_CHUNKS;
    c->net->prepares =
        c->program == PROGRAM_INFER && c->options->weights == WEIGHTS_PREPARED;
    return true;
}

static bool step_fuse(Compiling *c)
{
    pass_fuse(c->net, c->program == PROGRAM_TRAIN);
    return true;
}

static bool step_integer(Compiling *c)
{
    if (!quant_used(c->net))
        return true;
    c->integers = pass_integer(c->net, c->program == PROGRAM_INFER);
    if (c->program == PROGRAM_INFER)
        return c->integers;
    rt_error_clear(); /* some layer stays in floats: evaluated as it is trained */
    return true;
}

static bool step_quantise(Compiling *c)
{
    if (quant_used(c->net) && !c->integers)
        pass_quantise(c->net);
    return true;
}

static bool step_grad(Compiling *c)
{
    pass_grad(c->net);
    return true;
}

static bool step_again(Compiling *c)
{
    pass_again(c->net);
    return true;
}

static bool step_fold(Compiling *c)
{
    if (!c->integers)
        pass_fold(c->net);
    return true;
}

static bool step_winograd(Compiling *c)
{
    if (c->options->weights != WEIGHTS_FETCHED) /* which all targets have in one form */
        pass_winograd(c->net, c->options->target);
    return true;
}

static bool step_blocks(Compiling *c)
{
    if (c->options->weights != WEIGHTS_PREPARED)
        pass_blocks(c->net);
    return true;
}

static bool step_fetch(Compiling *c)
{
    if (c->options->weights == WEIGHTS_FETCHED)
        pass_fetch(c->net);
    return true;
}

static bool step_select(Compiling *c)
{
    const Lowering field = (Lowering)(c->config->lower - 1);
    const bool of_field = c->config->lower > 0 && c->program != PROGRAM_INFER;
    pass_select(c->net, c->options->target,
                c->options->lowering ? c->options->lowering
                : of_field           ? &field
                                     : NULL);
    return true;
}

static bool step_schedule(Compiling *c)
{
    pass_schedule(c->net);
    return true;
}

static bool step_ahead(Compiling *c)
{
    pass_ahead(c->net);
    return true;
}

static bool step_sequence(Compiling *c)
{
    pass_sequence(c->net);
    return true;
}

static bool step_tighten(Compiling *c)
{
    pass_tighten(c->net);
    return true;
}

static bool step_prepare(Compiling *c)
{
    if (c->net->prepares)
        pass_prepare(c->net);
    return true;
}

static bool step_names(Compiling *c)
{
    pass_names(c->net);
    return true;
}

static bool step_plan(Compiling *c)
{
    pass_plan(c->net, c->program == PROGRAM_INFER ? 1 : c->config->micro_batch);
    return true;
}

static const struct {
    const char *name;
    unsigned programs;
    bool (*run)(Compiling *c);
} steps[] = {
#define STEP(name, programs) {#name, PROGRAMS_##programs, step_##name},
    COMPILE_STEPS(STEP)
#undef STEP
};
enum { STEPS = sizeof steps / sizeof *steps };

/* ---- Programs ---- */

static char *full_name(Program program, int step)
{
    return rt_format("%s/%s", program_names[program], steps[step].name);
}

static bool has_step(Program program, int step)
{
    return steps[step].programs & 1u << program;
}

static bool compile(const Config *config, const CompileOptions *options, Program program,
                    Net *net)
{
    Compiling c = {.config = config, .options = options, .program = program, .net = net};
    for (int i = 0; i < STEPS; i++) {
        if (!has_step(program, i))
            continue;
        if (!steps[i].run(&c)) {
            net_free(net);
            return false;
        }
        char *name = full_name(program, i);
        net_verify(net, name);
        if (options->dump && strcmp(options->dump, name) == 0)
            net_dump(net, stdout);
        free(name);
    }
    return true;
}

void compile_train(const Config *config, const CompileOptions *options, Net *net)
{
    compile(config, options, PROGRAM_TRAIN, net);
}

void compile_evaluate(const Config *config, const CompileOptions *options, Net *net)
{
    compile(config, options, PROGRAM_EVALUATE, net);
}

bool compile_infer(const Config *config, const CompileOptions *options, Net *net)
{
    return compile(config, options, PROGRAM_INFER, net);
}

bool compile_ships(const Config *config)
{
    Net net;
    const CompileOptions options = {.target = target_find("plain")};
    if (!compile_infer(config, &options, &net))
        return false;
    net_free(&net);
    return true;
}

bool compile_knows(const char *dump)
{
    char *names[PROGRAM_COUNT * STEPS];
    int count = 0;
    bool known = false;
    for (int program = 0; program < PROGRAM_COUNT; program++)
        for (int i = 0; i < STEPS; i++)
            if (has_step(program, i)) {
                names[count] = full_name(program, i);
                known = known || strcmp(names[count++], dump) == 0;
            }
    if (!known) {
        const char *nearest = rt_nearest(dump, (const char *const *)names, count);
        rt_fail("--dump %s: unknown pass%s%s; see lathe show --help", dump,
                nearest ? "; did you mean " : "", nearest ? nearest : "");
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    return known;
}
