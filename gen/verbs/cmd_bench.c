/* bench: how fast a config trains, evaluates and infers, and where the time goes, on
 * random images and untrained weights. */
#include "gen/base/paths.h"
#include "gen/ptq/untrained.h"
#include "gen/run/build.h"
#include "gen/run/time_infer.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/support.h"
#include "runtime/train/progress.h"

#include <stdlib.h>
#include <string.h>

/* The trainer's bench verb, in the scratch folder. */
static bool run_trainer(const Options *options, const Scratch *scratch,
                        const char *weights)
{
    char *trainer =
        build_trainer_of(&options->config, &options->compile, "lathe gen --profile");
    const TrainerOptions asked = {.weights = weights,
                                  .output = scratch->folder,
                                  .steps = options->steps,
                                  .threads = options->threads,
                                  .only = options->only,
                                  .mpi_model = options->mpi_model};
    const FlagTable table = {trainer_flags, trainer_flag_count, "bench", (void *)&asked};
    FlagWords words = {0};
    flags_add_word(&words, trainer);
    flags_add_word(&words, "bench");
    flags_write(&table, &words);
    flags_add_word(&words, NULL);
    bool ok = trainer && scratch_run(scratch, "bench", NULL, (char *const *)words.items);
    for (int i = 2; i < words.count; i++)
        free((char *)words.items[i]);
    free(words.items);
    free(trainer);
    return ok;
}

static bool copy_file(const Scratch *scratch, const char *name, FILE *to)
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

/* What is printed in the end. */
typedef enum { TABLES, HEADLINES, JSON, TEXTS } Text;

static bool measure(const Options *options, const Scratch *scratch,
                    FILE *const texts[TEXTS])
{
    const char *only = options->only;
    bool infer = only == NULL || strcmp(only, "infer") == 0;
    char *weights = rt_format("%s/start.ckpt", scratch->folder);
    Progress progress;
    progress_open(&progress, stderr);
    bool ok = seeded_write(&options->config, scratch->folder, weights);
    if (ok && (only == NULL || !infer)) {
        progress_say(&progress, "bench: building the trainer", true);
        ok = run_trainer(options, scratch, weights) &&
             copy_file(scratch, "tables.txt", texts[TABLES]) &&
             copy_file(scratch, "headlines.txt", texts[HEADLINES]) &&
             copy_file(scratch, "profiles.json", texts[JSON]);
        fputs(infer ? ",\n  " : "", texts[JSON]);
    }
    if (ok && infer) {
        progress_say(&progress, "bench: building and timing the standalone file", true);
        ok = bench_shipped(&options->config, scratch, weights, texts[TABLES],
                           texts[HEADLINES], texts[JSON]);
    }
    progress_clear(&progress);
    free(weights);
    return ok;
}

static bool bench_in(const Options *options, const Scratch *scratch)
{
    char *texts[TEXTS] = {NULL};
    size_t bytes[TEXTS];
    FILE *files[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        files[i] = open_memstream(&texts[i], &bytes[i]);
    bool ok = measure(options, scratch, files);
    for (int i = 0; i < TEXTS; i++)
        fclose(files[i]);
    if (ok && options->json)
        printf("{\"name\": \"%s\", \"profiles\": [\n  %s\n]}\n", options->config.name,
               texts[JSON]);
    else if (ok)
        printf("%s\n%s\n%s", texts[TABLES], options->config.name, texts[HEADLINES]);
    for (int i = 0; i < TEXTS; i++)
        free(texts[i]);
    return ok;
}

static bool is_part(const char *only)
{
    return only == NULL || strcmp(only, "train") == 0 || strcmp(only, "evaluate") == 0 ||
           strcmp(only, "infer") == 0 ||
           rt_fail("--only %s: want train, evaluate or infer", only);
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
        "by layer and kernel, beside what the machine could multiply: some ten seconds\n"
        "each, less where they are fast.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        char *batch = rt_format("train.batch=%ld", options.batch);
        if (options.batch)
            options_add_set(&options, batch);
        ok = is_part(options.only) && options_load(&options) && bench(&options);
        free(batch);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}
