/* show: what a config means, as a table or as the compiler sees it. */
#include "commands.h"
#include "options.h"
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

int cmd_show(int argc, char **argv)
{
    const char *pass = NULL, *fields = NULL;
    Flag flags[] = {
        {"--dump", "PASS", "the IR after a pass: " COMPILE_PASSES_HELP, &pass},
        {"--fields", NULL, "every config field outside `net`, its default and meaning", &fields},
    };
    const Verb verb = {"show", "CONFIG [--dump PASS]",
                       "The layers with shapes, bits, parameters, multiply-accumulates and bytes.",
                       flags, 2, false};
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
            report_print(stdout, &options.config);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
