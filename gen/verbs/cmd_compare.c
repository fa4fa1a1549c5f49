/* compare: training runs side by side. */
#include "gen/show/compare_runs.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

#include <string.h>

static bool is_png(const char *path)
{
    const char *ending = strrchr(path, '.');
    return (ending && strcmp(ending, ".png") == 0) ||
           rt_fail("compare: -o %s: want a name that ends in .png", path);
}

int cmd_compare(int argc, char **argv)
{
    const Verb verb = {
        "compare",
        "DIR... [-o FILE.png]",
        "Training runs side by side, by their last.ckpt: seed, epochs, accuracy of the\n"
        "best and the last epoch on held-out images, learned bits, size, time; then "
        "what\n"
        "differs between their configs, and with -o a picture of their curves.",
        CONFIG_NONE,
        -1,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help)
        ok = (options.words.count > 0 || rt_fail("compare: want the folder of a run")) &&
             (options.output == NULL || is_png(options.output)) &&
             compare_runs(options.words.items, options.words.count, options.output,
                          stdout);
    options_free(&options);
    return ok ? 0 : command_failed();
}
