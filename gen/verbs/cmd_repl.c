/* repl: a Lua session with a net. */
#include "gen/session/repl.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"

int cmd_repl(int argc, char **argv)
{
    const Verb verb = {
        "repl",
        "[CONFIG] [SCRIPT.lua [ARGUMENT...]] [FLAG...]",
        "A Lua prompt to load nets, change bitwidths, evaluate, quantise and train\n"
        "them; help() in it says how. With a CONFIG (a .lua file that ends in a\n"
        "`return`) it is the global `net`. A SCRIPT.lua is run without a prompt.",
        CONFIG_OPTIONAL,
        -1,
        false};
    Options options;
    int status = 0;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ReplRequest request = {.config = options.config_path,
                               .words = options.words.items,
                               .word_count = options.words.count,
                               .weights = options.weights,
                               .data = options.data,
                               .chunk = options.chunk,
                               .sets = options.sets.items,
                               .set_count = options.sets.count,
                               .options = &options.compile};
        options.compile.target = target_find(options.target);
        ok = options.compile.target && repl_run(&request, &status);
    }
    options_free(&options);
    if (!ok)
        command_failed();
    return ok || status ? status : 1;
}
