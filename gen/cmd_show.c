/* show: what a config means, as a table or as the compiler sees it. */
#include "checkpoint.h"
#include "commands.h"
#include "options.h"
#include "params.h"
#include "report.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static bool known_pass(const char *pass)
{
    int count = 0;
    for (; compile_passes[count]; count++)
        if (strcmp(pass, compile_passes[count]) == 0)
            return true;
    const char *nearest = rt_nearest(pass, compile_passes, count);
    return rt_fail("--dump %s: unknown pass%s%s; see lathe show --help", pass,
                   nearest ? "; did you mean " : "", nearest ? nearest : "");
}

static bool dump(const Options *options)
{
    Net net;
    compile_train(&options->config, &options->compile, &net);
    net_free(&net);
    compile_evaluate(&options->config, &options->compile, &net);
    net_free(&net);
    if (strncmp(options->compile.dump, "infer/", 6) != 0)
        return true;
    if (!compile_infer(&options->config, &options->compile, &net))
        return false;
    net_free(&net);
    return true;
}

static bool print_table(const Config *config, const char *weights)
{
    const Net *net = &config->net;
    Checkpoint checkpoint = {0};
    float *params = rt_alloc(net->param_floats * sizeof(float));
    Param *list = params_of(net, ROLE_PARAM);
    bool ok = weights == NULL ||
              (checkpoint_read(weights, &checkpoint) &&
               checkpoint_match_arch(&checkpoint, weights, config->arch) &&
               checkpoint_take_for_use(&checkpoint, weights, list,
                                       params_count(net, ROLE_PARAM), params));
    if (ok)
        report_print(stdout, config, weights ? params : NULL);
    checkpoint_free(&checkpoint);
    free(params);
    free(list);
    return ok;
}

int cmd_show(int argc, char **argv)
{
    const char *pass = NULL, *fields = NULL, *weights = NULL;
    Flag flags[] = {
        {"--dump", "PASS", "the IR after a pass: " COMPILE_PASSES_HELP, &pass},
        {"--weights", "FILE", "learned bits as this checkpoint has them", &weights},
        {"--fields", NULL, "every config field outside `net`, its default and meaning", &fields},
    };
    const Verb verb = {"show", "CONFIG [--weights FILE] [--dump PASS]",
                       "The layers with shapes, bits, parameters, multiply-accumulates and bytes.",
                       flags, 3, false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && fields) {
        config_print_fields(stdout);
    } else if (ok && !options.help) {
        ok = options.rest_count == 0 || rt_fail("show: unexpected word %s", options.rest[0]);
        ok = ok && (pass == NULL || known_pass(pass)) && options_load(&options);
        options.compile.dump = pass;
        if (ok && pass)
            ok = dump(&options);
        else if (ok)
            ok = print_table(&options.config, weights);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
