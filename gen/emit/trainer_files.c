/* The texts of a trainer: see trainer_files.h. */
#include "gen/emit/trainer_files.h"

#include "gen/base/paths.h"
#include "gen/emit/emit.h"
#include "gen/emit/report.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>

static char *report_text(const Config *config, const CompileOptions *options,
                         const Net *train)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    report_print(file, config, NULL, 0);
    report_print_programs(file, train, options->target);
    fprintf(file, "\nconfig %s, sha256 %s, seed %llu\n", rt_shown(config->origin),
            config->hash, (unsigned long long)config->recipe.seed);
    fclose(file);
    return text;
}

static char *makefile_text(const Config *config, const CompileOptions *options,
                           const char *command, const char *root)
{
    size_t bytes;
    const EmitInput input = {.config = config,
                             .target = options->target,
                             .command = command,
                             .root = root,
                             .mpi = options->mpi};
    return emit("trainer/Makefile.in", &input, &bytes);
}

bool trainer_files_make(const Config *config, const CompileOptions *options,
                        const char *command, const char *folder, TrainerFiles *files)
{
    Net train, evaluate;
    size_t bytes;
    if (options->target->ships & SHIP_ONLY)
        return rt_fail("--target %s: for standalone files only; a trainer is built for "
                       "the machine it is made on",
                       options->target->name);
    compile_train(config, options, &train);
    compile_evaluate(config, options, &evaluate);
    const EmitInput input = {.config = config,
                             .target = options->target,
                             .command = command,
                             .layers = &config->net,
                             .train = &train,
                             .evaluate = &evaluate,
                             .profile = options->profile,
                             .mpi = options->mpi};
    *files = (TrainerFiles){.network = emit("trainer/network.c.in", &input, &bytes),
                            .train = emit("trainer/train.c.in", &input, &bytes),
                            .report = report_text(config, options, &train),
                            .makefile = makefile_text(config, options, command, "."),
                            .mpi = options->mpi};
    if (folder) {
        char *root = relative_path(folder, lathe_root());
        files->makefile_there = makefile_text(config, options, command, root);
        free(root);
    }
    net_free(&train);
    net_free(&evaluate);
    return files->network && files->train && files->makefile &&
           (folder == NULL || files->makefile_there);
}

void trainer_files_free(TrainerFiles *files)
{
    free(files->network);
    free(files->train);
    free(files->report);
    free(files->makefile);
    free(files->makefile_there);
    *files = (TrainerFiles){0};
}

bool trainer_files_write(const TrainerFiles *files, const char *folder)
{
    const struct {
        const char *name, *text;
    } all[] = {{"network.c", files->network},
               {"train.c", files->train},
               {"Makefile", files->makefile_there},
               {"report.txt", files->report}};
    bool ok = true;
    for (int i = 0; ok && i < 4; i++) {
        char *path = rt_format("%s/%s", folder, all[i].name);
        ok = rt_write_if_changed(path, all[i].text, strlen(all[i].text));
        free(path);
    }
    return ok;
}

bool trainer_files_generate(const Config *config, const CompileOptions *options,
                            const char *command, const char *folder, TrainerFiles *files)
{
    *files = (TrainerFiles){0};
    return rt_make_directories(folder) &&
           trainer_files_make(config, options, command, folder, files) &&
           trainer_files_write(files, folder);
}
