/* ptq: post-training quantisation of float weights. */
#include "gen/ir/params.h"
#include "gen/ptq/ptq.h"
#include "gen/ptq/start.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static bool quantise(const Options *options, const char *weights, const char *data,
                     const char *output, int images, bool learn)
{
    const Config *config = &options->config;
    if (!quant_used(&config->net))
        return rt_fail("%s: nothing to quantise: the config has no quantiser",
                       config->path);
    const PtqOptions ptq = {.round = learn, .correct = learn, .report = stdout};
    PtqResult result;
    if (!start_quantise(config, weights, data, images, &ptq, output, &result))
        return false;
    if (result.labelled)
        printf("%s: on the %d calibration images float %.4f, quantised %.4f\n", output,
               images, result.float_accuracy, result.quantised_accuracy);
    else
        printf("%s: on the %d calibration images, which have no labels, the quantised "
               "network agrees with the float one on %.4f\n",
               output, images, result.quantised_accuracy);
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
    const char *weights = NULL, *data = NULL, *output = NULL, *images = "512",
               *plain = NULL;
    Flag flags[] = {
        {"--weights", "FILE", "the float network's checkpoint", &weights},
        {"--data", "DIR", "training images to calibrate with", &data},
        {"-o", "FILE", "the checkpoint to write", &output},
        {"--images", "N", "calibrate on N training images (default: 512)", &images},
        {"--plain", NULL, "ranges only: nearest rounding, no corrections", &plain},
    };
    const Verb verb = {
        "ptq",
        "CONFIG --weights FP --data DIR -o FILE [--images N]",
        "Quantise float weights without training: ranges, rounding learned layer\n"
        "by layer where bits are few, and corrections of BN statistics. Prints\n"
        "each layer's signal-to-noise ratio against the float network.",
        flags,
        5,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        char *end;
        long count = strtol(images, &end, 10);
        ok = options.rest_count == 0 ||
             rt_fail("ptq: unexpected word %s", options.rest[0]);
        ok = ok && (weights || rt_fail("ptq: --weights FILE is missing"));
        ok = ok && (data || rt_fail("ptq: --data DIR is missing"));
        ok = ok && (output || rt_fail("ptq: -o FILE is missing"));
        ok = ok && (strcmp(output, weights) != 0 ||
                    rt_fail("ptq: -o %s is the float network itself; want another file",
                            output));
        ok = ok && ((*end == 0 && count >= 1 && count <= 100000) ||
                    rt_fail("ptq: --images %s, want 1..100000", images));
        ok = ok && options_load(&options) &&
             quantise(&options, weights, data, output, (int)count, plain == NULL);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
