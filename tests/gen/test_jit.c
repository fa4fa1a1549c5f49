/* The JIT: both tiers against each other, going over from one to the other, runs that
 * repeat it, and what is said where libtcc or a flag refuses. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/run/jit.h"
#include "gen/run/memory_code.h"
#include "gen/run/relocate.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"
#include "tests/tools/trainer_run.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IMAGES = 9 };

/* ---- Both tiers ---- */

static float *scores_of(const Model *model, float *params, float *stats)
{
    size_t pixels = (size_t)model->height * model->width * model->channels;
    uint8_t *images = rt_alloc(IMAGES * pixels);
    random_seed(3);
    random_bytes(images, IMAGES * pixels);
    float *scores = rt_alloc_aligned(IMAGES * model->classes * sizeof(float));
    char *arena = rt_alloc_aligned(model->arena_bytes);
    memset(arena, 0xff, model->arena_bytes);
    Step step = {.images = images,
                 .count = IMAGES,
                 .params = params,
                 .stats = stats,
                 .arena = arena,
                 .logits = scores};
    model->evaluate(&step);
    free(images);
    free(arena);
    return scores;
}

static Jit *open_jit(const Config *config, JitTier tier)
{
    const CompileOptions options = {.target = target_find(NULL)};
    Jit *jit = jit_open(config, &options, tier);
    ck_assert_msg(jit != NULL, "%s", rt_error());
    return jit;
}

static const QuantCase quantised[] = {
    {"uniform_static", {"net.width=8"}, 0, false, ""},
    {"parametric_d", {"net.width=12", "net.shortcut='B'", "net.pool=true"}, 3, true, ""},
    {"parametric_d_xmax",
     {"net.width=16", "net.early=true", "net.shortcut='B'"},
     5,
     false,
     ""},
};
enum { QUANTISED = sizeof quantised / sizeof *quantised };

START_TEST(integers_are_the_same_before_and_after)
{
    QuantNet net;
    quant_net_open(&net, &quantised[_i]);
    Jit *jit = open_jit(&net.config, JIT_TIERED);
    const Model *model = jit_model(jit);
    size_t arena = model->arena_bytes, count = (size_t)IMAGES * net.classes;
    void (*first)(Step *) = model->evaluate;
    float *before = scores_of(model, net.params, net.stats);
    ck_assert_msg(jit_move(jit, true), "%s", rt_error());
    ck_assert(model == jit_model(jit) && model->evaluate != first);
    ck_assert_uint_ge(model->arena_bytes, arena);
    float *after = scores_of(model, net.params, net.stats);
    ck_assert_mem_eq(before, after, count * sizeof(float));
    ck_assert(!jit_move(jit, true) && !jit_move(jit, false)); /* there is no third */
    ck_assert_str_eq(rt_error(), "");
    jit_close(jit);
    free(before);
    free(after);
    quant_net_close(&net);
}
END_TEST

START_TEST(floats_differ_by_rounding)
{
    static const char *const nets[] = {"residual", "odd"};
    Config config;
    ck_assert(config_load(net_config(nets[_i]), NULL, 0, &config));
    float *params = rt_alloc_aligned(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc_aligned((config.net.stat_floats + 16) * sizeof(float));
    random_seed(11);
    random_weights(&config.net, params, stats);
    Jit *tcc = open_jit(&config, JIT_TCC), *cc = open_jit(&config, JIT_CC);
    ck_assert_str_eq(jit_model(tcc)->config, jit_model(cc)->config);
    ck_assert(memcmp(jit_recipe(tcc), jit_recipe(cc), sizeof(Recipe)) == 0);
    float *a = scores_of(jit_model(tcc), params, stats);
    float *b = scores_of(jit_model(cc), params, stats);
    int classes = jit_model(cc)->classes;
    for (int n = 0; n < IMAGES; n++) {
        double most = 0, apart = 0;
        for (int k = n * classes; k < (n + 1) * classes; k++) {
            most = fmax(most, fabs(b[k]));
            apart = fmax(apart, fabs((double)a[k] - b[k]));
        }
        ck_assert_double_gt(most, 0);
        ck_assert_double_lt(apart, 1e-5 * most);
    }
    jit_close(tcc);
    jit_close(cc);
    free(a);
    free(b);
    free(params);
    free(stats);
    config_free(&config);
}
END_TEST

/* Private folders in the cache that nobody works in. */
static int cache_litter(void)
{
    glob_t found = {0};
    char *pattern = rt_format("%s/build.*", cache_folder());
    int count = 0;
    glob(pattern, GLOB_NOSORT, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int fd = open(found.gl_pathv[i], O_RDONLY | O_DIRECTORY);
        count += fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (fd >= 0)
            close(fd);
    }
    globfree(&found);
    free(pattern);
    return count;
}

START_TEST(closing_ends_the_compiler)
{
    Config config;
    ck_assert(config_load(net_config("picture"), NULL, 0, &config));
    Jit *jit = open_jit(&config, JIT_TIERED);
    char *children = rt_format("/proc/self/task/%ld/children", (long)getpid());
    char *builder = rt_read_file(children, NULL);
    ck_assert_msg(builder && atol(builder) > 0, "%s", rt_error());
    jit_close(jit);
    ck_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    for (int i = 0; i < 100 && cache_litter() > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ck_assert_int_eq(cache_litter(), 0);
    free(builder);
    free(children);
    config_free(&config);
}
END_TEST

/* ---- Runs ---- */

#define TRAIN(folder, ...)                                                               \
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o",               \
             in_folder(folder), __VA_ARGS__)

static void check_same_weights(const char *a, const char *b)
{
    char *first = rt_format("%s/best.ckpt", in_folder(a));
    char *second = rt_format("%s/best.ckpt", in_folder(b));
    check_same_bytes(first, second);
    free(first);
    free(second);
}

/* cc_from_step, the ninth column, of log.csv's row of that epoch. */
static char *logged(const char *folder, int epoch)
{
    char *path = rt_format("%s/log.csv", in_folder(folder)),
         *text = rt_read_file(path, NULL);
    char *line = text;
    for (int i = 0; i < epoch; i++)
        line = strchr(line, '\n') + 1;
    for (int i = 1; i < 9; i++)
        line = strchr(line, ',') + 1;
    char *value = rt_format("%.*s", (int)strcspn(line, ","), line);
    free(path);
    free(text);
    return value;
}

START_TEST(a_change_of_tiers_is_repeated)
{
    TRAIN("a", "--jit", "--switch-at", "8");
    ck_assert_ptr_nonnull(
        strstr(out, "step 8: from here on with the C compiler's code\n"));
    char *first = logged("a", 1), *second = logged("a", 2);
    ck_assert_str_eq(first, "");
    ck_assert_str_eq(second, "8");
    free(first);
    free(second);
    TRAIN("b", "--jit=auto", "--switch-at=8", "--threads", "2");
    check_same_weights("a", "b");
    TRAIN("c", "--jit", "--switch-at", "8", "--steps", "3"); /* stopped before, */
    TRAIN("c", "--jit", "--switch-at", "8", "--resume", "--steps", "7"); /* and after */
    const char *last = in_folder("c/last.ckpt");
    ck_assert_int_eq(LATHE("train", net_config("picture"), "--data", "random:150", "-o",
                           in_folder("c"), "--jit=tcc", "--resume"),
                     1);
    char *want =
        rt_format("picture: %s: the run went over to the C compiler's code at step 8; "
                  "resume it without --jit=tcc\n",
                  last);
    ck_assert_str_eq(err, want);
    free(want);
    TRAIN("c", "--resume"); /* the built trainer's code is the compiler's */
    check_same_weights("a", "c");
}
END_TEST

START_TEST(one_tier_alone)
{
    TRAIN("tcc", "--jit=tcc", "--steps", "2");
    ck_assert_ptr_null(strstr(out, "from here on"));
    ck_assert_int_eq(LATHE("train", net_config("picture"), "--data", "random:150", "-o",
                           in_folder("tcc"), "--resume"),
                     1);
    char *want =
        rt_format("picture: %s: the run is still with libtcc's code; resume it with "
                  "--jit\n",
                  in_folder("tcc/last.ckpt"));
    ck_assert_str_eq(err, want);
    free(want);
    TRAIN("cc", "--jit=cc");
    TRAIN("built", "--steps", "100");
    check_same_weights("cc", "built");
    const char *best = in_folder("cc/best.ckpt");
    LATHE_OK("eval", net_config("picture"), "--weights", best, "--data", "random:150",
             "--jit=cc");
    char *kept = rt_format("%s", out);
    LATHE_OK("eval", net_config("picture"), "--weights", best, "--data", "random:150");
    ck_assert_str_eq(out, kept);
    LATHE_OK("eval", net_config("picture"), "--weights", best, "--data", "random:150",
             "--jit");
    ck_assert_str_eq(out, kept);
    free(kept);
}
END_TEST

START_TEST(without_a_compiler)
{
    const char *words[] = {"env",
                           "PATH=/nowhere",
                           lathe_program(),
                           "train",
                           net_config("picture"),
                           "--data",
                           "random:150",
                           "-o",
                           in_folder("run"),
                           "--set",
                           "train.lr=0.0123",
                           "--jit",
                           NULL,
                           NULL};
    ck_assert_int_eq(process_run(NULL, in_folder("out"), in_folder("err"), words), 0);
    for (int i = 0; i < 2; i++) { /* who waits for it waits in vain */
        words[11] = i ? "--jit" : "--jit=cc";
        words[12] = i ? "--switch-at=2" : NULL;
        ck_assert_int_eq(process_run(NULL, in_folder("out"), in_folder("err"), words), 1);
        char *said = rt_read_file(in_folder("err"), NULL);
        ck_assert_ptr_nonnull(strstr(said, "make failed; it needs make and gcc\n"));
        free(said);
    }
}
END_TEST

static const struct {
    const char *words[4], *message;
} mistakes[] = {
    {{"--jit=gcc"}, "lathe: --jit=gcc: want auto, tcc or cc\n"},
    {{"--jit="}, "lathe: --jit: want TIER behind it\n"},
    {{"--switch-at", "3"}, "lathe: --switch-at: want --jit with it\n"},
    {{"--jit=tcc", "--switch-at", "3"},
     "lathe: --switch-at: --jit=tcc has one tier only\n"},
    {{"--jit", "--switch-at", "-1"},
     "lathe: --switch-at: \"-1\", want a whole number from 0 to 1099511627776\n"},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(one_message_for_a_mistake)
{
    const char *words[12] = {"train", net_config("picture"), "--data", "random:150",
                             "-o",    in_folder("run")};
    for (int i = 0; mistakes[_i].words[i]; i++)
        words[6 + i] = mistakes[_i].words[i];
    ck_assert_int_eq(lathe_run(NULL, words), 1);
    ck_assert_str_eq(err, mistakes[_i].message);
    ck_assert(!exists(in_folder("run")));
}
END_TEST

/* A train command where libtcc's headers and library are missing; -1 where that cannot be
 * had. */
static int train_without_tcc(const char *flag)
{
    static const char *const hide =
        "for folder in /usr/lib/*/tcc /usr/lib/tcc; do\n"
        "    if [ -d $folder ]; then mount -t tmpfs none $folder || exit 99; fi\n"
        "done\n"
        "exec \"$@\"";
    const char *all[24] = {"unshare", "-m", "sh", "-c", hide, "sh"};
    const char *const *words =
        lathe_command(WORDS("train", net_config("picture"), "--data", "random:150", "-o",
                            in_folder("run"), "--steps", "1", flag));
    for (int i = 0; words[i]; i++)
        all[6 + i] = words[i];
    if (process_run(NULL, NULL, NULL, WORDS("unshare", "-m", "true")) != 0)
        return -1;
    int status = process_run(NULL, in_folder("out"), in_folder("err"), all);
    free(err);
    err = rt_read_file(in_folder("err"), NULL);
    return status == 99 ? -1 : status;
}

START_TEST(without_its_headers_the_compiler_goes_on)
{
    int status = train_without_tcc("--jit");
    if (status < 0) {
        printf(
            "skipped: without_its_headers_the_compiler_goes_on: nothing may be mounted "
            "here\n");
        return;
    }
    ck_assert_msg(status == 0, "status %d: %s", status, err);
    ck_assert_int_eq(strncmp(err, "note: libtcc: ", 14), 0);
    ck_assert_ptr_nonnull(strstr(err, "; going on with the C compiler alone\n"));
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o",
             in_folder("run"), "--resume", "--steps", "1"); /* the run was cc's */
    ck_assert_int_eq(train_without_tcc("--jit=tcc"), 1);
    ck_assert_int_eq(strncmp(err, "lathe: libtcc: ", 15), 0);
    ck_assert_int_eq(train_without_tcc("--jit=cc"), 0);
}
END_TEST

/* ---- libtcc ---- */

static MemoryCode *compile(const char *text)
{
    static const char *const names[] = {"network.c"};
    return memory_code_compile(names, &text, 1);
}

START_TEST(compiled_code_calls_the_runtime)
{
    MemoryCode *code = compile("#include \"runtime/rt.h\"\n"
                               "int chunks(void) { return RT_CHUNKS + rt_threads(); }\n");
    ck_assert_msg(code != NULL, "%s", rt_error());
    int (*chunks)(void) = NULL;
    *(void **)&chunks = memory_code_symbol(code, "chunks");
    ck_assert_int_eq(chunks(), RT_CHUNKS + rt_threads());
    ck_assert_ptr_null(memory_code_symbol(code, "nothing"));
    memory_code_free(code);
}
END_TEST

START_TEST(errors_name_the_layer_and_its_line)
{
    ck_assert_ptr_null(compile("/* s1: convolution  (configs/a.lua:7) */\n"
                               "static void s1(void) {}\n"
                               "/* s2: add  (configs/a.lua:9) */\n"
                               "static void s2(void)\n"
                               "{\n    nonsense;\n}\n"));
    ck_assert_str_eq(rt_error(),
                     "libtcc: configs/a.lua:9: s2: in its code, network.c:6: error: "
                     "'nonsense' undeclared");
    rt_error_clear();
    ck_assert_ptr_null(compile("int x = ; int y;\n"));
    ck_assert_ptr_nonnull(strstr(rt_error(), "libtcc: network.c:1: error: "));
    rt_error_clear();
    ck_assert_ptr_null(compile("void absent(void);\nvoid f(void) { absent(); }\n"));
    ck_assert_str_eq(rt_error(), "libtcc: tcc: error: undefined symbol 'absent'");
}
END_TEST

/* Debian's API and the newer one. */
static int old_api(TCCState *state, void *memory)
{
    return memory == (void *)1 ? *(int *)state : -1;
}

static int new_api(TCCState *state)
{
    return *(int *)state + 1;
}

START_TEST(both_apis_are_called_as_declared)
{
    int number = 7;
    ck_assert_int_eq(RELOCATE(old_api, (TCCState *)&number), 7);
    ck_assert_int_eq(RELOCATE(new_api, (TCCState *)&number), 8);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which needs all the address space */
START_TEST(no_memory_is_an_error)
{
    char *text = rt_alloc(64 << 20);
    size_t length = 0;
    for (int i = 0; i < 200000; i++)
        length +=
            (size_t)sprintf(text + length, "int f%d(int x) { return x * %d; }\n", i, i);
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    limit.rlim_cur = (rlim_t)(pages * 4096 + (24 << 20));
    setrlimit(RLIMIT_AS, &limit);
    MemoryCode *code = compile(text);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    ck_assert_ptr_null(code);
    ck_assert_ptr_nonnull(strstr(rt_error(), "memory"));
    free(text);
}
END_TEST
#endif

Suite *jit_suite(void)
{
    Suite *suite = suite_create("jit");
    TCase *tiers = tcase_create("tiers");
    tcase_add_checked_fixture(tiers, folder_make, folder_remove);
    tcase_set_timeout(tiers, 120);
    tcase_add_loop_test(tiers, integers_are_the_same_before_and_after, 0, QUANTISED);
    tcase_add_loop_test(tiers, floats_differ_by_rounding, 0, 2);
    tcase_add_test(tiers, closing_ends_the_compiler);
    suite_add_tcase(suite, tiers);
    TCase *runs = tcase_create("runs");
    tcase_add_checked_fixture(runs, folder_make, lathe_clean_up);
    tcase_set_timeout(runs, 240);
    tcase_add_test(runs, a_change_of_tiers_is_repeated);
    tcase_add_test(runs, without_its_headers_the_compiler_goes_on);
    tcase_add_test(runs, one_tier_alone);
    tcase_add_test(runs, without_a_compiler);
    tcase_add_loop_test(runs, one_message_for_a_mistake, 0, MISTAKES);
    suite_add_tcase(suite, runs);
    TCase *memory = tcase_create("libtcc");
    tcase_add_checked_fixture(memory, folder_make, folder_remove);
    tcase_add_test(memory, compiled_code_calls_the_runtime);
    tcase_add_test(memory, errors_name_the_layer_and_its_line);
    tcase_add_test(memory, both_apis_are_called_as_declared);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(memory, no_memory_is_an_error);
#endif
    suite_add_tcase(suite, memory);
    return suite;
}
