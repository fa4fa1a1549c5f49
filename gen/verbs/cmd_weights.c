/* import and export: weights from and to other programs. */
#include "gen/ir/params.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "gen/weights/export.h"
#include "gen/weights/hdf5_file.h"
#include "gen/weights/import.h"
#include "gen/weights/import_keras.h"
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

/* The network's arrays. */
typedef struct {
    const Net *net;
    const Param *params[2]; /* trained, tracked */
    int counts[2];
} Arrays;

static const Param *array_at(const Arrays *arrays, int i)
{
    int trained = arrays->counts[0];
    return i < trained ? &arrays->params[0][i] : &arrays->params[1][i - trained];
}

/* A Keras model, whose layers go by their order. */
static bool import_h5(const Options *options, const Arrays *arrays, int count,
                      Checkpoint *checkpoint)
{
    const char *from = options->words.items[0];
    if (options->key || options->renames.count > 0)
        return rt_fail("%s: --%s: Keras' layers go to the network's by their order", from,
                       options->key ? "key" : "rename");
    KerasPlace *places = rt_alloc(count * sizeof *places);
    for (int i = 0; i < count; i++) {
        const Param *param = array_at(arrays, i);
        const Op *op = params_op(arrays->net, param);
        places[i] =
            (KerasPlace){param, op->name, params_kernel(arrays->net, op), op->eps};
    }
    bool extra = options->ignore_extra;
    bool ok = options->explain ? import_keras_explain(from, places, count, extra, stdout)
                               : import_keras(from, places, count, extra, checkpoint) &&
                                     write_imported(options, checkpoint);
    free(places);
    return ok;
}

/* Any other file, whose arrays go by their names. */
static bool import_named(const Options *options, const Arrays *arrays, int count,
                         Checkpoint *checkpoint)
{
    const char *from = options->words.items[0];
    ImportName *names = rt_alloc(count * sizeof *names);
    for (int i = 0; i < count; i++) {
        names[i].param = array_at(arrays, i);
        names[i].torch = params_torch(arrays->net, names[i].param);
    }
    const ImportHow how = {options->key, options->renames.items, options->renames.count,
                           options->ignore_extra};
    bool ok = options->explain ? import_explain(from, names, count, &how, stdout)
                               : import_weights(from, names, count, &how, checkpoint) &&
                                     write_imported(options, checkpoint);
    free(names);
    return ok;
}

static bool import(const Options *options)
{
    const Net *net = &options->config.net;
    Param *params = params_of(net, ROLE_PARAM), *stats = params_of(net, ROLE_STAT);
    const Arrays arrays = {net,
                           {params, stats},
                           {params_count(net, ROLE_PARAM), params_count(net, ROLE_STAT)}};
    Checkpoint checkpoint = {0};
    bool ok = (hdf5_is(options->words.items[0]) ? import_h5 : import_named)(
        options, &arrays, arrays.counts[0] + arrays.counts[1], &checkpoint);
    checkpoint_free(&checkpoint);
    free(params);
    free(stats);
    return ok;
}

int cmd_import(int argc, char **argv)
{
    const Verb verb = {
        "import",
        "WEIGHTS CONFIG (-o FILE | --explain)",
        "Read a PyTorch checkpoint (old or new format), .safetensors, NumPy .npz or a\n"
        "Keras model, .h5, as weights of CONFIG's network. Nothing in the file is "
        "executed.",
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
