/* ptq: post-training quantisation of float weights. */
#include "gen/ir/params.h"
#include "gen/ptq/ptq.h"
#include "gen/ptq/start.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/shell_word.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool quantise(const Options *options)
{
    const Config *config = &options->config;
    int wanted = options->images ? (int)options->images : 512;
    int least = options->images ? wanted : 1;
    if (!quant_used(&config->net))
        return rt_fail("%s: nothing to quantise: the config has no quantiser",
                       config->path);
    char *weights = rt_shell_word(options->weights), *data = rt_shell_word(options->data);
    char *made =
        rt_format("made.command=lathe ptq %s --weights %s --data %s --images %d%s\n",
                  rt_shown(config->origin), rt_shown(weights), rt_shown(data), wanted,
                  options->plain ? " --plain" : "");
    free(weights);
    free(data);
    const PtqOptions ptq = {.made = made,
                            .equalise = !options->plain,
                            .round = !options->plain,
                            .correct = !options->plain,
                            .floats = true,
                            .report = stdout};
    PtqResult result;
    bool ok = start_quantise(config, options->weights, options->data, least, wanted, &ptq,
                             options->output, &result);
    free(made);
    if (!ok)
        return false;
    if (result.images < wanted)
        printf("%s: has %d training images, fewer than %d: calibrated on all of them\n",
               rt_shown(options->data), result.images, wanted);
    if (result.labelled)
        printf("%s: on the %d calibration images float %.4f, quantised %.4f\n",
               rt_shown(options->output), result.images, result.float_accuracy,
               result.quantised_accuracy);
    else
        printf("%s: on the %d calibration images, which have no labels, the quantised "
               "network agrees with the float one on %.4f\n",
               rt_shown(options->output), result.images, result.quantised_accuracy);
    if (result.quantised_accuracy < result.float_accuracy - 0.1)
        fprintf(
            stderr,
            "warning: accuracy collapsed; the signal is weakest at %s (%.1f dB): give it "
            "more bits, or train the config from these weights\n",
            result.worst, result.worst_decibels);
    return true;
}

int cmd_ptq(int argc, char **argv)
{
    const Verb verb = {
        "ptq",
        "CONFIG --weights FP --data DIR -o FILE [--images N]",
        "Quantise float weights without training: ranges, rounding learned layer\n"
        "by layer where bits are few, and corrections of BN statistics. Prints\n"
        "each layer's signal-to-noise ratio against the float network.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = strcmp(options.output, options.weights) != 0 ||
             rt_fail("ptq: -o %s is the float network itself; want another file",
                     options.output);
        ok = ok && options_load_to_ship(&options) && quantise(&options);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
