/* emit: the standalone inference file of trained weights. */
#include "gen/emit/emit.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

int cmd_emit(int argc, char **argv)
{
    const Verb verb = {
        "emit",
        "CONFIG --weights FILE -o FILE.c [--project KIND] [--name NAME]\n"
        "                  [--input KIND] [--batch N] [--split] [--fetch]\n"
        "                  [--prepare] [--arena-budget BYTES]",
        "Write one C99 file that classifies images with these weights: no\n"
        "dependencies, no malloc, reentrant. Its header says how to call it.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options_load(&options) &&
             shipped_write(&options.config, options.weights, options.output,
                           (ShippedOptions){.name = options.c_name,
                                            .project = options.project,
                                            .input = options.input,
                                            .batch = options.batch,
                                            .split = options.split,
                                            .fetch = options.fetch,
                                            .prepare = options.prepare,
                                            .arena_budget = options.arena_budget,
                                            .budget_target = options.target
                                                                 ? options.compile.target
                                                                 : NULL,
                                            .selftest = selftest_make});
        if (ok && options.project)
            printf("%s: a project for %s\n", rt_shown(options.output), options.project);
        else if (ok)
            printf("%s: build it with cc -O3 -c; -DLATHE_MAIN adds a main that "
                   "classifies raw "
                   "images from standard input\n",
                   rt_shown(options.output));
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
