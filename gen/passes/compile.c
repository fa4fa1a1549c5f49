/* The compiler, as a list: each program is a copy of the config's layers sent through its
 * passes. What every pass leaves is verified, and printed when asked for. */
#include "gen/passes/compile.h"

#include "runtime/base/support.h"

#include <string.h>

const char *const compile_passes[] = {
    "train/config",  "train/fuse",        "train/quantise",  "train/grad",
    "train/select",  "train/schedule",    "train/plan",      "evaluate/config",
    "evaluate/fuse", "evaluate/quantise", "evaluate/select", "evaluate/schedule",
    "evaluate/plan", "infer/config",      "infer/fuse",      "infer/fold",
    "infer/select",  "infer/sequence",    "infer/plan",      NULL,
};

static void done(const Net *net, const CompileOptions *options, const char *pass)
{
    net_verify(net, pass);
    if (options->dump && strcmp(options->dump, pass) == 0)
        net_dump(net, stdout);
}

void compile_train(const Config *config, const CompileOptions *options, Net *net)
{
    *net = net_copy(&config->net);
    done(net, options, "train/config");
    pass_fuse(net);
    done(net, options, "train/fuse");
    if (quant_used(net))
        pass_quantise(net);
    done(net, options, "train/quantise");
    pass_grad(net);
    done(net, options, "train/grad");
    pass_select(net, options->target, options->lowering);
    done(net, options, "train/select");
    pass_schedule(net);
    done(net, options, "train/schedule");
    pass_plan(net, config->micro_batch);
    done(net, options, "train/plan");
}

void compile_evaluate(const Config *config, const CompileOptions *options, Net *net)
{
    *net = net_copy(&config->net);
    done(net, options, "evaluate/config");
    pass_fuse(net);
    done(net, options, "evaluate/fuse");
    if (quant_used(net) && !pass_integer(net, false)) {
        rt_error_clear(); /* some layer stays in floats: evaluated as it is trained */
        pass_quantise(net);
    }
    done(net, options, "evaluate/quantise");
    pass_select(net, options->target, options->lowering);
    done(net, options, "evaluate/select");
    pass_schedule(net);
    done(net, options, "evaluate/schedule");
    pass_plan(net, config->micro_batch);
    done(net, options, "evaluate/plan");
}

bool compile_infer(const Config *config, const CompileOptions *options, Net *net)
{
    *net = net_copy(&config->net);
    done(net, options, "infer/config");
    pass_fuse(net);
    done(net, options, "infer/fuse");
    if (!quant_used(net)) {
        pass_fold(net);
    } else if (!pass_integer(net, true)) {
        net_free(net);
        return false;
    }
    done(net, options, "infer/fold");
    pass_select(net, options->target, options->lowering);
    done(net, options, "infer/select");
    pass_sequence(net);
    done(net, options, "infer/sequence");
    pass_plan(net, 1);
    done(net, options, "infer/plan");
    return true;
}
