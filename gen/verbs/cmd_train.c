/* gen, train, eval, classify: the verbs that write a trainer, and those that run it. */
#include "gen/ptq/start.h"
#include "gen/run/build.h"
#include "gen/run/jit.h"
#include "gen/run/school.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/shell_word.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/train/run_folder.h"
#include "runtime/train/trainer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* out/<name> where one stands, unless -o says otherwise. */
static char *output_folder(const Options *options, const char *given)
{
    return given ? rt_format("%s", given) : rt_format("out/%s", options->config.name);
}

static bool generate(Options *options, const char *folder, TrainerFiles *files)
{
    /* Banners name what the files depend on, not the run they were made for. */
    char *command = rt_format("lathe gen %s%s", options->config.path,
                              options->compile.profile ? " --profile" : "");
    if (options->compile.mpi) {
        char *longer = rt_format("%s --mpi", command);
        free(command);
        command = longer;
    }
    for (int i = 0; i < options->sets.count; i++) {
        char *longer = rt_format("%s --set '%s'", command, options->sets.items[i]);
        free(command);
        command = longer;
    }
    bool ok = trainer_files_generate(&options->config, &options->compile, command, folder,
                                     files);
    free(command);
    return ok;
}

/* On the PATH, as make will find it. */
static bool mpi_is_there(void)
{
    const char *at = getenv("PATH");
    bool found = false;
    while (at && *at && !found) {
        size_t length = strcspn(at, ":");
        char *path = rt_format("%.*s/mpicc", (int)length, at);
        found = access(path, X_OK) == 0;
        free(path);
        at += length + (at[length] == ':');
    }
    return found ||
           rt_fail("--mpi: there is no mpicc; on Debian: apt-get install openmpi-bin "
                   "libopenmpi-dev, or mpich and libmpich-dev");
}

int cmd_gen(int argc, char **argv)
{
    const Verb verb = {
        "gen",
        "CONFIG [-o DIR] [--profile] [--mpi]",
        "Write train.c, network.c, Makefile and report.txt; `make -C DIR` builds\n"
        "DIR/trainer, a program of its own.",
        CONFIG_NEEDED,
        0,
        false};
    Options options;
    TrainerFiles files = {0};
    bool ok = options_parse(&options, &verb, argc, argv);
    if (ok && !options.help) {
        options.compile.profile = options.profile;
        options.compile.mpi = options.mpi;
        ok = options_load(&options) && (!options.mpi || mpi_is_there());
        char *path = ok ? output_folder(&options, options.output) : NULL;
        int lock = -1;
        ok = ok && run_folder_take(path, &lock) && generate(&options, path, &files);
        run_folder_leave(lock);
        trainer_files_free(&files);
        if (ok)
            printf("%s: train.c, network.c, Makefile, report.txt; make -C %s builds the "
                   "trainer\n",
                   rt_shown(path), rt_shown(path));
        free(path);
    }
    options_free(&options);
    return ok ? 0 : command_failed();
}

/* ---- Verbs that run the trainer ---- */

/* Such a verb at work. */
typedef struct {
    const Verb *verb;
    Options options;
    bool trains;
    char *folder; /* generated into, trained in */
    char *start;  /* the quantised weights training starts from, if it makes them */
    JitTier tier; /* as --jit and --switch-at say */
    Tiers tiers;
    School *school; /* of the teachers, or NULL */
} Job;

/* Quantised training begins with ranges found from a float network: calibrate its
 * checkpoint to DIR/start.ckpt and start from that. */
static bool calibrate_start(Job *job)
{
    enum { IMAGES = 256 };
    const Config *config = &job->options.config;
    TrainerOptions *options = &job->options.trainer;
    bool wanted = false;
    if (!job->trains || !quant_used(&config->net) || options->resume)
        return true;
    if (options->weights == NULL)
        return rt_fail(
            "%s: quantised training starts from a float network: want --weights FILE",
            config->path);
    if (!start_is_wanted(config, options->weights, &wanted) || !wanted)
        return rt_error()[0] == 0;
    char *made = rt_format("made.start_of=%s\n", rt_shown(options->weights));
    const PtqOptions ranges = {.made = made};
    PtqResult result;
    job->start = rt_format("%s/start.ckpt", job->folder);
    bool ok = rt_make_directories(job->folder) &&
              start_quantise(config, options->weights, options->data, 1, IMAGES, &ranges,
                             job->start, &result);
    free(made);
    if (!ok)
        return false;
    printf("ranges found on %d images: float %.4f, quantised %.4f of them right\n",
           result.images, result.float_accuracy, result.quantised_accuracy);
    options->weights = job->start;
    return true;
}

static void words_free(FlagWords *words)
{
    for (int i = 0; i < words->count; i++)
        free((char *)words->items[i]);
    free(words->items);
}

/* Beside its sources, and how it is started. */
static bool put_mpi_trainer(Job *job, const char *program)
{
    char *path = rt_format("%s/trainer", job->folder);
    bool ok = build_put(program, path);
    FlagWords words = options_trainer_words(&job->options, job->verb, path);
    if (ok)
        printf("%s is made. For four processes:\nmpirun -n 4", rt_shown(path));
    for (int i = 0; ok && i < words.count; i++) {
        char *word = words.items[i] ? rt_shell_word(words.items[i]) : NULL;
        if (word)
            printf(" %s", rt_shown(word));
        free(word);
    }
    if (ok)
        putchar('\n');
    words_free(&words);
    free(path);
    return ok;
}

/* Generate, build, and become the trainer with the flags it was meant for. Only returns
 * when that failed, or when the trainer is for mpirun to start. */
static int run_built(Job *job)
{
    TrainerFiles files;
    char *program =
        generate(&job->options, job->folder, &files) ? build_trainer(&files) : NULL;
    trainer_files_free(&files);
    bool ok = program && calibrate_start(job);
    if (ok && job->options.mpi) {
        ok = put_mpi_trainer(job, program);
        free(program);
        return ok ? 0 : command_failed();
    }
    if (ok) {
        FlagWords words = options_trainer_words(&job->options, job->verb, program);
        fflush(stdout);
        execv(program, (char **)words.items);
        rt_fail("%s: %s", program, strerror(errno));
        words_free(&words);
    }
    free(program);
    return command_failed();
}

static bool move_jit(void *jit, bool wait)
{
    return jit_move(jit, wait);
}

/* How the run changes tiers, from --jit and --switch-at. */
static bool choose_tiers(Job *job)
{
    const Options *options = &job->options;
    if (!jit_tier(options->jit[0] ? options->jit : "auto", &job->tier))
        return false;
    if (job->tier != JIT_TIERED && options->switch_at >= 0)
        return rt_fail("--switch-at: --jit=%s has one tier only", options->jit);
    job->tiers = (Tiers){.move = job->tier == JIT_TIERED ? move_jit : NULL,
                         .at = options->switch_at};
    return true;
}

/* Teachers' networks come into this process, which the run is then in as well. */
static bool take_teachers(Job *job)
{
    const FlagWords *words = &job->options.teachers;
    if (words->count == 0)
        return true;
    job->school = school_open(words->items, words->count, &job->options.compile);
    if (job->school)
        school_teach(job->school, &job->options.trainer);
    return job->school != NULL;
}

/* The trainer's verb inside this process, on code compiled in memory. */
static int run_jit(Job *job)
{
    Options *options = &job->options;
    Jit *jit = jit_open(&options->config, &options->compile, job->tier);
    bool ok = jit && (jit_has_memory(jit) || options->switch_at < 0 ||
                      rt_fail("--switch-at: there is no code of libtcc's to begin with"));
    ok = ok && calibrate_start(job) && take_teachers(job);
    if (!ok) {
        jit_close(jit);
        return command_failed();
    }
    job->tiers.context = jit;
    options->trainer.tiers = jit_has_memory(jit) ? &job->tiers : NULL;
    int status =
        trainer_run(job->verb->name, jit_model(jit), jit_recipe(jit), &options->trainer);
    jit_close(jit);
    return status;
}

/* A run has its folder for itself from before anything is written there. The trainer that
 * this process becomes keeps the lock. */
static bool take_folder(Job *job)
{
    const Config *config = &job->options.config;
    TrainerOptions *options = &job->options.trainer;
    int lock;
    if (!job->trains)
        return true;
    options->output = job->folder;
    return run_folder_take(job->folder, &lock) &&
           run_folder_check(job->folder, config->arch, config->record, options);
}

/* Before anything is built. */
static bool check_flags(Job *job)
{
    const Options *options = &job->options;
    if (options->mpi && (options->jit || options->teachers.count > 0))
        return rt_fail("--mpi: want no %s with it", options->jit ? "--jit" : "--teacher");
    if (options->mpi && options->trainer.seeds)
        return rt_fail("--mpi: want no --seeds with it");
    if (options->mpi && !mpi_is_there())
        return false;
    if (options->switch_at >= 0 && options->jit == NULL)
        return rt_fail("--switch-at: want --jit with it");
    if (options->jit && !choose_tiers(job))
        return false;
    if (options->teachers.count > 0 && !options->jit)
        job->tier = JIT_CC;
    return !(options->profile && options->jit && job->tier == JIT_TIERED) ||
           rt_fail("--profile: --jit changes the code on the way; want --jit=tcc or "
                   "--jit=cc");
}

static bool load(Job *job)
{
    return job->trains ? options_load_to_ship(&job->options)
                       : options_load(&job->options);
}

/* Does not return where the trainer is a program of its own. */
static int trainer_verb(const Verb *verb, int argc, char **argv)
{
    Job job = {.verb = verb, .trains = strcmp(verb->name, "train") == 0};
    Options *options = &job.options;
    int status = 0;
    if (!options_parse(options, verb, argc, argv) ||
        (!options->help && (!check_flags(&job) || !load(&job)))) {
        status = command_failed();
    } else if (!options->help) {
        options->compile.profile = options->profile;
        options->compile.mpi = options->mpi;
        job.folder = output_folder(options, options->trainer.output);
        status = !take_folder(&job)                            ? command_failed()
                 : options->jit || options->teachers.count > 0 ? run_jit(&job)
                                                               : run_built(&job);
    }
    school_close(job.school);
    free(job.start);
    free(job.folder);
    options_free(options);
    return status;
}

int cmd_train(int argc, char **argv)
{
    const Verb verb = {
        "train",
        "CONFIG --data DIR [FLAG...]",
        "Generate and build the config's trainer, and train. Leaves last.ckpt,\n"
        "best.ckpt, log.csv, curve.png and TensorBoard's events; Ctrl-C stops after the\n"
        "current step.",
        CONFIG_NEEDED,
        0,
        true};
    return trainer_verb(&verb, argc, argv);
}

int cmd_eval(int argc, char **argv)
{
    const Verb verb = {"eval",
                       "CONFIG --weights FILE --data DIR [FLAG...]",
                       "Accuracy on the test images, in all and per class.",
                       CONFIG_NEEDED,
                       0,
                       true};
    return trainer_verb(&verb, argc, argv);
}

int cmd_classify(int argc, char **argv)
{
    const Verb verb = {"classify",
                       "CONFIG --weights FILE IMAGE.png...",
                       "The best classes of each picture, by name.",
                       CONFIG_NEEDED,
                       -1,
                       true};
    return trainer_verb(&verb, argc, argv);
}
