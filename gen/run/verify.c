/* The shipped file against the trainer, image by image, in every build there is a
 * compiler for. Integer scores must be identical; float ones may differ by rounding, at
 * most by 1e-5 of the image's largest. */
#include "gen/run/verify.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/emit/constants.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "gen/run/trace.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double tolerance = 1e-5;

/* The trainer's scores are floats: integer * unit, rounded. Below this no two integers
 * give the same float, for they are further apart than floats are: 1 / 2^23 of their
 * value. */
static const int32_t exact_below = 1 << 23;

/* A way to build the file. Optimised builds see every image, the others the first 1,000.
 */
typedef struct {
    char command[96];
    bool optimised, runs_here;
} Build;

static const char *const compilers[] = {
    "gcc -O0", "gcc -O3 -march=native", "clang -O0", "clang -O3 -march=native", "tcc",
};
enum {
    COMPILERS = sizeof compilers / sizeof *compilers,
    MOST_BUILDS = COMPILERS + TARGET_COUNT,
    SLOW_IMAGES = 1000
};

/* Those, the plain one first; and gcc for each target that has kernels in the file, but
 * for plain C and what -march=native takes. */
static int list_builds(Build *list, Ships kind)
{
    const Target *native = target_shipped(target_find(NULL), kind);
    int count = 0;
    for (int i = 0; i < COMPILERS; i++) {
        Build *build = &list[count++];
        snprintf(build->command, sizeof build->command, "%s", compilers[i]);
        build->optimised = strstr(compilers[i], "-O3") != NULL;
        build->runs_here = true;
    }
    for (int i = 0; i < TARGET_COUNT; i++) {
        const Target *target = &target_table[i];
        if (!(target->ships & kind) || target->basis == NULL || target == native)
            continue;
        Build *build = &list[count++];
        snprintf(build->command, sizeof build->command, "gcc -O3 %s", target->cflags);
        build->optimised = true;
        build->runs_here = target_runs(target);
    }
    return count;
}

typedef struct {
    void (*scores)(const uint8_t *image, void *arena, void *scores);
    bool integers;
    float unit; /* of an integer score */
    size_t arena_bytes;
    int classes, count;
    const ImageSet *images;
    const float *expected; /* [count][classes] */
    float *found;
    char *arenas; /* one per worker */
} Comparison;

static void run_image(void *context, int image, int worker)
{
    const Comparison *c = context;
    float *found = c->found + (size_t)image * c->classes;
    c->scores(image_kept(c->images, image).pixels, c->arenas + worker * c->arena_bytes,
              found);
    for (int k = 0; c->integers && k < c->classes; k++) {
        int32_t score;
        memcpy(&score, &found[k], sizeof score);
        bool exact = score < exact_below && score > -exact_below;
        found[k] = exact ? (float)score * c->unit
                         : NAN; /* as the trainer makes floats of them */
    }
}

/* Compare all images; keeps the largest difference relative to its image's largest
 * score, and the image it stopped at. */
static bool compare(const Comparison *c, const char *name, double *largest, int *at)
{
    *largest = 0;
    for (int image = 0; image < c->count; image++) {
        *at = image;
        const float *a = c->expected + (size_t)image * c->classes;
        const float *b = c->found + (size_t)image * c->classes;
        double most = 0;
        for (int k = 0; k < c->classes; k++)
            most = fmax(most, fabs(a[k]));
        for (int k = 0; k < c->classes; k++) {
            double difference = fabs((double)a[k] - b[k]) / most;
            if (isnan(b[k]) && c->integers)
                return rt_fail(
                    "%s: image %d, class %d: the score is 2^23 or more, where the "
                    "trainer's floats do not tell integers apart",
                    name, image, k);
            if (!(c->integers ? a[k] == b[k] : difference <= tolerance))
                return rt_fail("%s: image %d, class %d: the trainer's score is %.9g, the "
                               "file's %.9g",
                               name, image, k, a[k], b[k]);
            *largest = fmax(*largest, difference);
        }
        int want = best_class(a, c->classes), got = best_class(b, c->classes);
        if (want != got)
            return rt_fail("%s: image %d: the trainer says class %d, the file %d", name,
                           image, want, got);
    }
    return true;
}

/* Compile the file as a shared object. */
static bool compile_shared(const char *command, const Scratch *scratch,
                           const char *define, const char *object)
{
    char *source = rt_format("%s/file.c", scratch->folder);
    char *copy = rt_format("%s", command), *rest = copy;
    const char *words[24];
    int count = 0;
    while (rest)
        words[count++] = strsep(&rest, " ");
    const char *const more[] = {"-std=c99", "-shared", "-fPIC", define,
                                "-o",       object,    source,  NULL};
    memcpy(words + count, more, sizeof more);
    bool ok = scratch_run(scratch, command, NULL, (char *const *)words);
    free(source);
    free(copy);
    return ok;
}

/* Add to the error where the build parts from the first one, which plain C made. */
static void explain(const Build *build, const Scratch *scratch, const Config *config,
                    const Comparison *c, int image)
{
    char *a = rt_format("%s/a.so", scratch->folder),
         *b = rt_format("%s/b.so", scratch->folder);
    char *why = rt_format("%s", rt_error()), difference[512];
    rt_error_clear();
    if (compile_shared(compilers[0], scratch, "-DLATHE_TRACE", a) &&
        compile_shared(build->command, scratch, "-DLATHE_TRACE", b)) {
        trace_difference(a, b, config->name, image_kept(c->images, image).pixels,
                         c->arena_bytes, c->classes, difference, sizeof difference);
        rt_error_clear();
        rt_fail("%s; %s and %s: %s", why, compilers[0], build->command, difference);
    }
    free(a);
    free(b);
    free(why);
}

/* Build the file as a shared object and run it over the images. */
static bool check_build(const Build *build, const Scratch *scratch, const Config *config,
                        Comparison *c)
{
    char *object = rt_format("%s/file.so", scratch->folder);
    bool ok = compile_shared(build->command, scratch, "-DNDEBUG", object);
    void *library = ok ? dlopen(object, RTLD_NOW | RTLD_LOCAL) : NULL;
    ok = ok && (library || rt_fail("%s: %s", object, dlerror()));
    if (ok) {
        char *symbol = rt_format("%s_scores", config->name);
        *(void **)&c->scores = dlsym(library, symbol);
        free(symbol);
        rt_parallel_for(c->count, run_image, c);
        double largest;
        int image = 0;
        ok = compare(c, build->command, &largest, &image);
        if (ok && c->integers)
            printf("%-24s %d images: identical\n", build->command, c->count);
        else if (ok)
            printf("%-24s %d images: same classes, scores within %.1e of the largest\n",
                   build->command, c->count, largest);
        else
            explain(build, scratch, config, c, image);
        fflush(stdout);
    }
    if (library)
        dlclose(library);
    unlink(object);
    free(object);
    return ok;
}

/* Whether there is the compiler that a command begins with. */
static bool installed(const char *command)
{
    int name = (int)strcspn(command, " ");
    const char *path = getenv("PATH");
    bool found = false;
    while (path && *path && !found) {
        size_t length = strcspn(path, ":");
        char *file = rt_format("%.*s/%.*s", (int)length, path, name, command);
        found = access(file, X_OK) == 0;
        free(file);
        path += length + (path[length] == ':');
    }
    return found;
}

static bool verify_all(const Config *config, const Scratch *scratch, Comparison *c)
{
    Build list[MOST_BUILDS];
    int count = list_builds(list, c->integers ? SHIP_CODES : SHIP_FLOATS);
    int made = 0, all = c->count;
    for (int i = 0; i < count; i++) {
        const Build *build = &list[i];
        bool found = installed(build->command);
        if (!found || !build->runs_here) {
            printf("%-24s %s\n", build->command,
                   found ? "not for this processor" : "not installed");
            continue;
        }
        c->count = build->optimised || all < SLOW_IMAGES ? all : SLOW_IMAGES;
        if (!check_build(build, scratch, config, c))
            return false;
        made++;
    }
    if (made == 0)
        return rt_fail("verify: found neither gcc, clang nor tcc");
    printf("%s: %d images x %d builds\n", c->integers ? "identical" : "agree", all, made);
    return true;
}

/* What one unit of the integer scores is. */
static bool score_unit(const Config *config, const char *weights, float *unit)
{
    Checkpoint checkpoint = {0};
    Constants constants = {0};
    bool ok = checkpoint_read(weights, &checkpoint) &&
              constants_make(config, &checkpoint, weights, &constants);
    if (ok)
        *unit = constants_score_unit(&constants, config);
    constants_free(&constants);
    checkpoint_free(&checkpoint);
    return ok;
}

bool verify(const Config *config, const CompileOptions *compile, const char *weights,
            const char *data, long images)
{
    const Tensor *image = net_pixels(&config->net);
    Net infer;
    Comparison c = {.classes = config->class_count, .integers = quant_used(&config->net)};
    if (!compile_infer(config, compile, &infer) ||
        (c.integers && !score_unit(config, weights, &c.unit)))
        return false;
    c.arena_bytes = (infer.arena_bytes + 63) / 64 * 64;
    net_free(&infer);
    Array *scores = NULL;
    if (!scores_of_trainer(config, compile, weights, data, images, &scores))
        return false;
    char *beside = rt_format("%s/verify", cache_folder());
    Scratch scratch;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok) {
        arrays_free(scores, 1);
        return false;
    }
    ImageSet train = {0}, test = {0};
    char *source = rt_format("%s/file.c", scratch.folder);
    ok = shipped_write(config, weights, source, (ShippedOptions){0}) &&
         data_load(data, DATA_TEST, image->h, image->w, image->c, c.classes, &train,
                   &test);
    if (ok) {
        c.count = (int)(scores[0].count / c.classes);
        c.expected = scores[0].values;
        c.images = &test;
        c.found = rt_alloc(scores[0].count * sizeof(float));
        c.arenas = rt_alloc_aligned(c.arena_bytes * RT_MAX_THREADS);
        ok = verify_all(config, &scratch, &c);
        free(c.found);
        free(c.arenas);
    }
    arrays_free(scores, 1);
    data_free(&test);
    free(source);
    scratch_end(&scratch);
    return ok;
}
