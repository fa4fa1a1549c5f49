/* import and export: weights from and to other programs. */
#include "gen/ir/params.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "gen/weights/export.h"
#include "gen/weights/import.h"
#include "runtime/base/support.h"

#include <stdlib.h>

static bool import(const Options *options, const char *output)
{
    const char *from = options->rest[0];
    const Net *net = &options->config.net;
    Param *params = params_of(net, ROLE_PARAM), *stats = params_of(net, ROLE_STAT);
    int n = params_count(net, ROLE_PARAM), m = params_count(net, ROLE_STAT);
    ImportName *names = rt_alloc((n + m) * sizeof *names);
    for (int i = 0; i < n + m; i++) {
        names[i].param = i < n ? &params[i] : &stats[i - n];
        names[i].torch = params_torch(net, names[i].param);
    }
    Checkpoint checkpoint = {0};
    bool ok = import_weights(from, names, n + m, &checkpoint);
    if (ok) {
        checkpoint.arch = rt_format("%s", options->config.arch);
        checkpoint.config = rt_format("%s", options->config.lines);
        checkpoint.progress = rt_format("%s", "");
        ok = checkpoint_write(output, &checkpoint);
        if (ok)
            printf("%s: %d arrays from %s\n", output, checkpoint.count, from);
        checkpoint_free(&checkpoint);
    }
    free(names);
    free(params);
    free(stats);
    return ok;
}

int cmd_import(int argc, char **argv)
{
    const char *output = NULL;
    Flag flags[] = {{"-o", "WEIGHTS", "the checkpoint to write", &output}};
    const Verb verb = {
        "import",
        "FILE CONFIG -o WEIGHTS",
        "Read a PyTorch checkpoint (old or new format) or NumPy .npz as weights of\n"
        "CONFIG's network. Nothing in the file is executed.",
        flags,
        1,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.rest_count == 1 || rt_fail("import: want one FILE of weights");
        ok = ok && (output || rt_fail("import: -o WEIGHTS is missing"));
        ok = ok && options_load(&options) && import(&options, output);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}

int cmd_export(int argc, char **argv)
{
    const char *output = NULL;
    Flag flags[] = {{"-o", "FILE.npz", "the file to write", &output}};
    const Verb verb = {"export",
                       "WEIGHTS -o FILE.npz",
                       "Write a checkpoint's arrays as NumPy .npz, under lathe's names.",
                       flags,
                       1,
                       false};
    Options options;
    Checkpoint checkpoint = {0};
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.rest_count == 1 || rt_fail("export: want one checkpoint");
        ok = ok && (output || rt_fail("export: -o FILE.npz is missing"));
        ok = ok && checkpoint_read(options.rest[0], &checkpoint) &&
             export_npz(output, &checkpoint);
        if (ok)
            printf("%s: %d arrays\n", output, checkpoint.count);
        checkpoint_free(&checkpoint);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
