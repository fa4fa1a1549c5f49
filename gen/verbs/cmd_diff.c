/* diff: two configs or two generated programs, layer by layer. */
#include "gen/show/compare.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

#include <string.h>

/* The second config, with the same overrides and target. */
static bool compare_with(const Options *options, const char *path)
{
    Options other = *options;
    Inspection a = {0}, b = {0};
    other.config_path = path;
    bool ok = config_load(path, options->sets.items, options->sets.count, &other.config);
    if (!ok)
        return false;
    const Subject ours = options_subject(options), theirs = options_subject(&other);
    ok = inspect_open(&a, &ours, NULL) && inspect_open(&b, &theirs, NULL);
    if (ok)
        compare_configs(&a, &b, stdout);
    inspect_close(&a);
    inspect_close(&b);
    config_free(&other.config);
    return ok;
}

static bool is_config(const char *word)
{
    size_t length = strlen(word);
    return length > 4 && strcmp(word + length - 4, ".lua") == 0;
}

int cmd_diff(int argc, char **argv)
{
    const Verb verb = {
        "diff",
        "A B",
        "What differs between two configs, or between two generated programs\n"
        "(folders, or files network.c or infer.c): fields, layers, functions. Says\n"
        "`identical` when nothing does.",
        CONFIG_OPTIONAL,
        2,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        bool configs = options.config_path != NULL;
        ok = options.words.count == 2 - configs ||
             rt_fail("diff: want two configs, or two generated folders or files");
        ok = ok && (!configs || is_config(options.words.items[0]) ||
                    rt_fail("diff: %s is a config, %s is none; want two of a kind",
                            options.config_path, options.words.items[0]));
        if (ok && configs)
            ok = options_load(&options) && compare_with(&options, options.words.items[0]);
        else if (ok)
            ok = compare_code(options.words.items[0], options.words.items[1], stdout);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
