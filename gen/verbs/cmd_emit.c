/* emit: the standalone inference file of trained weights. */
#include "gen/emit/emit.h"
#include "gen/emit/infer_file.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

int cmd_emit(int argc, char **argv)
{
    const char *weights = NULL, *output = NULL, *split = NULL;
    Flag flags[] = {
        {"--weights", "FILE", "the checkpoint", &weights},
        {"-o", "FILE.c", "the file to write; FILE.h beside it", &output},
        {"--split", NULL, "the constants in FILE_weights.c", &split},
    };
    const Verb verb = {
        "emit",
        "CONFIG --weights FILE -o FILE.c [--split]",
        "Write one C99 file that classifies images with these weights: no\n"
        "dependencies, no malloc, reentrant. Its header says how to call it.",
        flags,
        3,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.rest_count == 0 ||
             rt_fail("emit: unexpected word %s", options.rest[0]);
        ok = ok && (weights || rt_fail("emit: --weights FILE is missing"));
        ok = ok && (output || rt_fail("emit: -o FILE.c is missing"));
        ok = ok && options_load(&options) &&
             shipped_write(&options.config, weights, output,
                           (ShippedOptions){.split = split != NULL, .selftest = true});
        if (ok)
            printf("%s: build it with cc -O3 -c; -DLATHE_MAIN adds a main that "
                   "classifies raw "
                   "images from standard input\n",
                   output);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
