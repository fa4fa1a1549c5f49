/* show: what a config means, as a table or as the compiler sees it. */
#include "gen/config/config_weights.h"
#include "gen/emit/infer_file.h"
#include "gen/emit/report.h"
#include "gen/show/page.h"
#include "gen/show/show_layer.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/progress.h"

#include <stdlib.h>
#include <string.h>

static bool dump(const Options *options)
{
    Net net;
    compile_train(&options->config, &options->compile, &net);
    net_free(&net);
    compile_evaluate(&options->config, &options->compile, &net);
    net_free(&net);
    if (strncmp(options->compile.dump, "infer/", 6) != 0)
        return true;
    if (!compile_infer(&options->config, &options->compile, &net))
        return false;
    net_free(&net);
    return true;
}

/* What an image takes in the standalone file, where there is one: on targets whose layers
 * are their own, and on all others. */
static void print_arena(const Config *config)
{
    ShippedNets shipped;
    bool ok = shipped_compile(config, NULL, WEIGHTS_CONSTANT, &shipped);
    for (int i = shipped.count - 1; ok && i >= 0; i--) {
        if (!shipped_is_program(&shipped, i))
            continue;
        const Net *net = &shipped.variants[i].net;
        bool own = i < shipped.count - 1;
        char *targets = shipped_targets(&shipped, i);
        long bytes;
        const Op *op = plan_peak(net, &bytes);
        printf("arena of the standalone file%s%s: %ld bytes, most of it in use at %s "
               "(%ld)\n",
               own ? ", for " : "", own ? targets : "", net->arena_bytes, op->name,
               bytes);
        free(targets);
    }
    if (!ok)
        rt_error_clear();
    shipped_free(&shipped);
}

static bool print_table(const Config *config, const char *path)
{
    Checkpoint checkpoint = {0};
    Weights weights = {0};
    bool ok = path == NULL || (checkpoint_read(path, &checkpoint) &&
                               config_weights(config, &checkpoint, path, &weights));
    if (ok) {
        report_print(stdout, config, weights.params, terminal_width(stdout));
        print_arena(config);
    }
    checkpoint_free(&checkpoint);
    weights_free(&weights);
    return ok;
}

/* What needs more than the table: a layer, or the page. */
static bool inspect(const Options *options)
{
    const char *name = options->words.count ? options->words.items[0] : NULL;
    const Subject subject = options_subject(options);
    Inspection it;
    bool ok = inspect_open(&it, &subject, options->weights);
    int layer = ok && name ? inspect_layer(&it, name) : NONE;
    ok = ok && (name == NULL || layer != NONE);
    if (ok && name)
        show_layer(&it, layer, stdout);
    ok = ok && (!options->assembly || show_assembly(&it, layer, stdout));
    ok = ok && (options->html == NULL || page_write(&it, options->html));
    inspect_close(&it);
    return ok;
}

static bool check_words(const Options *options)
{
    const char *page = options->html, *ending = page ? strrchr(page, '.') : NULL;
    bool layer = options->words.count > 0;
    if (options->assembly && !layer)
        return rt_fail("show: --asm wants a LAYER");
    if (page && (ending == NULL || strcmp(ending, ".html") != 0))
        return rt_fail("show: --html %s: want a name that ends in .html", page);
    if (options->dump && (layer || page))
        return rt_fail("show: --dump is for whole programs: without a LAYER or --html");
    return options->dump == NULL || compile_knows(options->dump);
}

int cmd_show(int argc, char **argv)
{
    const Verb verb = {
        "show",
        "CONFIG [LAYER [--asm]] [--weights FILE] [--html FILE]",
        "The layers with shapes, bits, parameters, multiply-accumulates and bytes;\n"
        "of one LAYER its config lines, cost, IR and C.",
        CONFIG_OPTIONAL, /* for --fields */
        1,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && options.fields) {
        config_print_fields(stdout);
    } else if (ok && !options.help) {
        ok = check_words(&options) && options_load_to_ship(&options);
        options.compile.dump = options.dump;
        if (ok && options.dump)
            ok = dump(&options);
        else if (ok && (options.words.count || options.html))
            ok = inspect(&options);
        else if (ok)
            ok = print_table(&options.config, options.weights);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
