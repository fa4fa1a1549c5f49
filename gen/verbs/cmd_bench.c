/* bench: how fast a config trains, evaluates and infers, and where the time goes, on
 * random images and untrained weights. */
#include "gen/base/paths.h"
#include "gen/ptq/untrained.h"
#include "gen/run/build.h"
#include "gen/run/time_infer.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* The trainer's bench verb, in the scratch folder. */
static bool run_trainer(const Options *options, const Scratch *scratch,
                        const char *weights)
{
    char *trainer =
        build_trainer_of(&options->config, &options->compile, "lathe gen --profile");
    char *steps = rt_format("--steps=%ld", options->steps ? options->steps : 20);
    char *threads = rt_format("--threads=%ld", options->threads);
    const char *words[] = {
        trainer, "bench",         "--weights", weights,
        "-o",    scratch->folder, steps,       options->threads ? threads : NULL,
        NULL};
    bool ok = trainer && scratch_run(scratch, "bench", NULL, (char *const *)words);
    free(steps);
    free(threads);
    free(trainer);
    return ok;
}

static bool print_file(const Scratch *scratch, const char *name, FILE *to)
{
    size_t bytes;
    char *path = rt_format("%s/%s", scratch->folder, name),
         *text = rt_read_file(path, &bytes);
    if (text)
        fwrite(text, 1, bytes, to);
    free(text);
    free(path);
    return text != NULL;
}

static bool bench_in(const Options *options, const Scratch *scratch)
{
    char *weights = rt_format("%s/start.ckpt", scratch->folder), *lines = NULL;
    size_t bytes;
    FILE *headlines = open_memstream(&lines, &bytes);
    bool ok = seeded_write(&options->config, scratch->folder, weights) &&
              run_trainer(options, scratch, weights) &&
              print_file(scratch, "tables.txt", stdout) &&
              print_file(scratch, "headlines.txt", headlines) &&
              bench_shipped(&options->config, scratch, weights, stdout, headlines);
    fclose(headlines);
    if (ok)
        printf("\n%s\n%s", options->config.name, lines);
    free(lines);
    free(weights);
    return ok;
}

static bool bench(Options *options)
{
    char *beside = rt_format("%s/bench", cache_folder());
    Scratch scratch;
    options->compile.profile = true;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    ok = bench_in(options, &scratch);
    scratch_end(&scratch);
    return ok;
}

int cmd_bench(int argc, char **argv)
{
    const Verb verb = {
        "bench",
        "CONFIG [FLAG...]",
        "Time training, evaluation and the standalone file on random images,\n"
        "by layer and kernel, beside what the machine could multiply.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        char *batch = rt_format("train.batch=%ld", options.batch);
        if (options.batch)
            options_add_set(&options, batch);
        ok = options_load(&options) && bench(&options);
        free(batch);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
