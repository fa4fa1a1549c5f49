/* Networks compiled in memory, in two tiers: see jit.h. The second one is built by a
 * process of its own, which sends the object's path through a pipe. Model, parameters and
 * arena belong to no tier, so that moving over is the change of two function pointers. */
#include "gen/run/jit.h"

#include "gen/run/build.h"
#include "gen/run/memory_code.h"
#include "runtime/base/support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct Jit {
    MemoryCode *memory; /* the first tier */
    void *library;      /* the second */
    pid_t builder;      /* 0: none at work */
    int answer;         /* reading end of the builder's pipe */
    Model model;
    Recipe recipe;
};

bool jit_tier(const char *word, JitTier *tier)
{
    static const char *const words[] = {"auto", "tcc", "cc"};
    static const JitTier tiers[] = {JIT_TIERED, JIT_TCC, JIT_CC};
    for (int i = 0; i < 3; i++) {
        *tier = tiers[i];
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return rt_fail("--jit=%s: want auto, tcc or cc", word);
}

/* ---- The second tier ---- */

/* In the builder's process: the object's path, or why there is none, to the pipe. */
static void build(const Config *config, const CompileOptions *options, int answer)
{
    TrainerFiles files;
    char *path = trainer_files_make(config, options, "lathe gen", NULL, &files)
                     ? build_library(&files)
                     : NULL;
    char *text = path ? rt_format("+%s", path) : rt_format("-%s", rt_error());
    bool sent = write(answer, text, strlen(text)) == (ssize_t)strlen(text);
    _exit(path && sent ? 0 : 1);
}

static bool start_builder(Jit *jit, const Config *config, const CompileOptions *options,
                          bool quiet)
{
    int ends[2];
    if (pipe(ends) != 0)
        return rt_fail("cannot make a pipe for the compiler");
    fflush(NULL);
    sigset_t terminate, before; /* jit_close's must not meet this process's handler */
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigprocmask(SIG_BLOCK, &terminate, &before);
    jit->builder = fork();
    if (jit->builder == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGPIPE, SIG_IGN);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (jit->builder == 0) {
        close(ends[0]);
        if (quiet) /* the run's own lines are on the terminal */
            dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        build(config, options, ends[1]);
    }
    close(ends[1]);
    jit->answer = ends[0];
    if (jit->builder > 0) /* Ctrl-C is for the run, and jit_close ends the whole group */
        return setpgid(jit->builder, jit->builder) == 0 ||
               rt_fail("cannot give the compiler's process a group of its own");
    close(ends[0]);
    jit->builder = 0;
    return rt_fail("cannot start a process for the compiler");
}

/* The builder's whole answer; free() it. */
static char *read_answer(Jit *jit)
{
    char text[4096];
    size_t count = 0;
    ssize_t more;
    while (count < sizeof text - 1 &&
           (more = read(jit->answer, text + count, sizeof text - 1 - count)) > 0)
        count += (size_t)more;
    text[count] = 0;
    close(jit->answer);
    waitpid(jit->builder, NULL, 0);
    jit->builder = 0;
    return rt_format("%s", count ? text : "-the compiler's process ended early");
}

static bool load(Jit *jit, const char *path)
{
    jit->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const Model *model = jit->library ? dlsym(jit->library, "lathe_model") : NULL;
    const Recipe *recipe = jit->library ? dlsym(jit->library, "lathe_recipe") : NULL;
    if (model == NULL || recipe == NULL)
        return rt_fail("%s: %s", path, dlerror());
    size_t arena = jit->model.arena_bytes;
    jit->model = *model;
    jit->recipe = *recipe;
    if (arena > jit->model.arena_bytes) /* the one in use */
        jit->model.arena_bytes = arena;
    return true;
}

bool jit_move(Jit *jit, bool wait)
{
    struct pollfd answer = {.fd = jit->answer, .events = POLLIN};
    if (jit->builder == 0 || poll(&answer, 1, wait ? -1 : 0) <= 0)
        return false;
    char *text = read_answer(jit);
    bool ok = text[0] == '+' && load(jit, text + 1);
    if (!ok)
        rt_fail("%s", text + 1);
    if (!ok && !wait) {
        fprintf(stderr, "note: %s; going on with libtcc's code\n", rt_error());
        rt_error_clear();
    }
    free(text);
    return ok;
}

/* ---- The first tier, and both ---- */

static bool compile_memory(Jit *jit, const Config *config, bool profile)
{
    const CompileOptions options = {.target = target_find("tcc"), .profile = profile};
    static const char *const names[] = {"network.c", "train.c"};
    TrainerFiles files;
    if (trainer_files_make(config, &options, "lathe gen", NULL, &files)) {
        const char *const texts[] = {files.network, files.train};
        jit->memory = memory_code_compile(names, texts, 2);
    }
    trainer_files_free(&files);
    if (jit->memory == NULL)
        return false;
    jit->model = *(const Model *)memory_code_symbol(jit->memory, "lathe_model");
    jit->recipe = *(const Recipe *)memory_code_symbol(jit->memory, "lathe_recipe");
    return true;
}

/* Room for either tier's plan, so that one arena serves both. */
static void widen_arena(Jit *jit, const Config *config, const CompileOptions *options)
{
    Net train, evaluate;
    compile_train(config, options, &train);
    compile_evaluate(config, options, &evaluate);
    size_t most =
        (size_t)(train.arena_bytes > evaluate.arena_bytes ? train.arena_bytes
                                                          : evaluate.arena_bytes);
    if (most > jit->model.arena_bytes)
        jit->model.arena_bytes = most;
    net_free(&train);
    net_free(&evaluate);
}

/* libtcc's code, or where libtcc cannot make it (Debian has its headers in a package of
 * their own) the C compiler's, once it is ready. */
static bool begin_tiered(Jit *jit, const Config *config, const CompileOptions *options)
{
    if (compile_memory(jit, config, options->profile)) {
        widen_arena(jit, config, options);
        return true;
    }
    fprintf(stderr, "note: %s; going on with the C compiler alone\n", rt_error());
    rt_error_clear();
    return jit_move(jit, true);
}

Jit *jit_open(const Config *config, const CompileOptions *options, JitTier tier)
{
    Jit *jit = rt_alloc(sizeof *jit);
    bool ok = tier == JIT_TCC || start_builder(jit, config, options, tier == JIT_TIERED);
    if (tier == JIT_TIERED)
        ok = ok && begin_tiered(jit, config, options);
    else if (tier == JIT_CC)
        ok = ok && jit_move(jit, true);
    else
        ok = ok && compile_memory(jit, config, options->profile);
    if (ok)
        return jit;
    jit_close(jit);
    return NULL;
}

bool jit_has_memory(const Jit *jit)
{
    return jit->memory != NULL;
}

const Model *jit_model(const Jit *jit)
{
    return &jit->model;
}

const Recipe *jit_recipe(const Jit *jit)
{
    return &jit->recipe;
}

void jit_close(Jit *jit)
{
    if (jit == NULL)
        return;
    if (jit->builder > 0) {
        kill(-jit->builder, SIGTERM);
        free(read_answer(jit));
        build_clean();
    }
    if (jit->library)
        dlclose(jit->library);
    memory_code_free(jit->memory);
    free(jit);
}
