/* import and export: weights from and to other programs. */
#include "gen/ir/params.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "gen/weights/export.h"
#include "gen/weights/import.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>

/* What is in the checkpoint beside its arrays. */
static bool write_imported(const Options *options, Checkpoint *checkpoint)
{
    const char *output = options->output;
    checkpoint->arch = rt_format("%s", options->config.arch);
    checkpoint->config = rt_format("%s", options->config.lines);
    checkpoint->progress = rt_format("%s", "");
    if (!checkpoint_write(output, checkpoint))
        return false;
    printf("%s: %d arrays from %s\n", rt_shown(output), checkpoint->count,
           rt_shown(options->words.items[0]));
    return true;
}

static bool import(const Options *options)
{
    const char *from = options->words.items[0];
    const Net *net = &options->config.net;
    Param *params = params_of(net, ROLE_PARAM), *stats = params_of(net, ROLE_STAT);
    int n = params_count(net, ROLE_PARAM), m = params_count(net, ROLE_STAT);
    ImportName *names = rt_alloc((n + m) * sizeof *names);
    for (int i = 0; i < n + m; i++) {
        names[i].param = i < n ? &params[i] : &stats[i - n];
        names[i].torch = params_torch(net, names[i].param);
    }
    const ImportHow how = {options->key, options->renames.items, options->renames.count,
                           options->ignore_extra};
    Checkpoint checkpoint = {0};
    bool ok = options->explain ? import_explain(from, names, n + m, &how, stdout)
                               : import_weights(from, names, n + m, &how, &checkpoint) &&
                                     write_imported(options, &checkpoint);
    checkpoint_free(&checkpoint);
    free(names);
    free(params);
    free(stats);
    return ok;
}

int cmd_import(int argc, char **argv)
{
    const Verb verb = {
        "import",
        "WEIGHTS CONFIG (-o FILE | --explain)",
        "Read a PyTorch checkpoint (old or new format), .safetensors or NumPy .npz as\n"
        "weights of CONFIG's network. Nothing in the file is executed.",
        CONFIG_NEEDED,
        1,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.words.count == 1 || rt_fail("import: want one file of WEIGHTS");
        ok = ok &&
             (options.output || options.explain || rt_fail("import: -o FILE is missing"));
        ok = ok && options_load(&options) && import(&options);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}

int cmd_export(int argc, char **argv)
{
    const Verb verb = {
        "export",
        "WEIGHTS -o FILE.npz",
        "Write a checkpoint's arrays as NumPy .npz or as .safetensors, under\n"
        "lathe's names.",
        CONFIG_NONE,
        1,
        false};
    Options options;
    Checkpoint checkpoint = {0};
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.words.count == 1 || rt_fail("export: want one checkpoint");
        ok = ok && export_knows(options.output) &&
             checkpoint_read(options.words.items[0], &checkpoint) &&
             export_weights(options.output, &checkpoint);
        if (ok)
            printf("%s: %d arrays\n", rt_shown(options.output), checkpoint.count);
        checkpoint_free(&checkpoint);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
