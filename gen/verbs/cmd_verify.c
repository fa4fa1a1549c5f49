/* verify: the standalone file against the trainer, image by image. */
#include "gen/run/verify.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"

int cmd_verify(int argc, char **argv)
{
    const Verb verb = {
        "verify",
        "CONFIG --weights FILE --data DIR",
        "Emit the file, build it with every compiler there is, and compare its\n"
        "scores with the trainer's evaluation, image by image.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    ok = ok && (options.help || (options_load(&options) &&
                                 verify(&options.config, &options.compile,
                                        options.weights, options.data, options.images)));
    options_free(&options);
    return ok ? 0 : command_failed();
}
