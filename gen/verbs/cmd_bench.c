/* bench: how fast a config trains, evaluates and infers, and where the time goes, on
 * random images and untrained weights. */
#include "gen/base/paths.h"
#include "gen/ptq/untrained.h"
#include "gen/run/build.h"
#include "gen/run/time_infer.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/parse.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static bool is_count(const char *flag, const char *text, long most)
{
    long value;
    return text == NULL || parse_long(text, 1, most, &value) ||
           rt_fail("%s: \"%s\", want a whole number from 1 to %ld", flag, text, most);
}

/* The trainer's bench verb, in the scratch folder. */
static bool run_trainer(const Options *options, const Scratch *scratch,
                        const char *weights, const char *steps, const char *threads)
{
    char *trainer = build_write(&options->config, &options->compile,
                                "lathe gen --profile", scratch->folder)
                        ? build_trainer(scratch->folder)
                        : NULL;
    const char *words[12] = {trainer, "bench", "--weights",
                             weights, "-o",    scratch->folder};
    int count = 6;
    if (steps) {
        words[count++] = "--steps";
        words[count++] = steps;
    }
    if (threads) {
        words[count++] = "--threads";
        words[count++] = threads;
    }
    bool ok = trainer && scratch_run(scratch, "bench", NULL, (char *const *)words);
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

static bool bench_in(const Options *options, const Scratch *scratch, const char *steps,
                     const char *threads)
{
    char *weights = rt_format("%s/start.ckpt", scratch->folder), *lines = NULL;
    size_t bytes;
    FILE *headlines = open_memstream(&lines, &bytes);
    bool ok = seeded_write(&options->config, scratch->folder, weights) &&
              run_trainer(options, scratch, weights, steps, threads) &&
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

static bool bench(Options *options, const char *steps, const char *threads)
{
    char *beside = rt_format("%s/bench", cache_folder());
    Scratch scratch;
    options->compile.profile = true;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    ok = bench_in(options, &scratch, steps, threads);
    scratch_end(&scratch);
    return ok;
}

int cmd_bench(int argc, char **argv)
{
    const char *batch = NULL, *steps = NULL, *threads = NULL;
    Flag flags[] = {
        {"--batch", "N", "images of a step (default: the config's)", &batch},
        {"--steps", "N", "optimiser steps to time (default: 20)", &steps},
        {"--threads", "N", "threads to train and evaluate on (default: all cores)",
         &threads},
    };
    const Verb verb = {
        "bench",
        "CONFIG [FLAG...]",
        "Time training, evaluation and the standalone file on random images,\n"
        "by layer and kernel, beside what the machine could multiply.",
        flags,
        3,
        false};
    Options options;
    char *set = NULL;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        ok = options.rest_count == 0 ||
             rt_fail("bench: unexpected word %s", options.rest[0]);
        ok = ok && is_count("--batch", batch, 1L << 20) &&
             is_count("--steps", steps, 1L << 20) &&
             is_count("--threads", threads, RT_MAX_THREADS);
        if (ok && batch)
            options.sets[options.set_count++] = set = rt_format("train.batch=%s", batch);
        ok = ok && options_load(&options) && bench(&options, steps, threads);
    }
    options_free(&options);
    free(set);
    return ok ? 0 : command_failed();
}
