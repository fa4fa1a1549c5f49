/* The shipped file against the trainer, image by image, in every build there is
 * a compiler for. Integer scores must be identical. Float ones may differ by
 * rounding, which is relative to the terms that were summed: at most by 1e-5 of
 * their absolute sum. */
#include "gen/run/verify.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "gen/run/trace.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/data.h"
#include "runtime/train/evaluate.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double tolerance = 1e-5;

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
    bool wide; /* the file's integers have 64 bits */
    size_t arena_bytes;
    int classes, count;
    const ImageSet *images;
    bool changed; /* an image that the trainer read cannot be read any more */
    const Scores *expected;
    const float *sizes; /* of floats: [count][classes] sums of the terms' sizes */
    char *found;        /* [count][classes] as the file puts them out */
    char *arenas;       /* one per worker */
} Comparison;

static size_t score_bytes(const Comparison *c)
{
    return c->wide ? sizeof(int64_t) : sizeof(int32_t); /* or float */
}

/* Its pixels; free() them. NULL when it cannot be read. */
static uint8_t *pixels_of(const Comparison *c, int image)
{
    PictureError error;
    uint8_t *pixels = rt_alloc(image_set_bytes(c->images));
    if (image_read(c->images, image, pixels, &error) >= 0)
        return pixels;
    free(pixels);
    return NULL;
}

static void run_image(void *context, int image, int worker)
{
    Comparison *c = context;
    uint8_t *pixels = pixels_of(c, image);
    if (pixels)
        c->scores(pixels, c->arenas + worker * c->arena_bytes,
                  c->found + (size_t)image * c->classes * score_bytes(c));
    else
        __atomic_store_n(&c->changed, true, __ATOMIC_RELAXED);
    free(pixels);
}

static bool compare_integers(const Comparison *c, const char *name, int image)
{
    for (int k = 0; k < c->classes; k++) {
        size_t at = (size_t)image * c->classes + k;
        int64_t want = c->expected->integers[at], got;
        int32_t narrow;
        memcpy(&got, c->found + at * score_bytes(c), score_bytes(c));
        memcpy(&narrow, c->found + at * score_bytes(c), sizeof narrow);
        got = c->wide ? got : narrow;
        if (want != got)
            return rt_fail("%s: image %d, class %d: the trainer's score is %lld, the "
                           "file's %lld",
                           name, image, k, (long long)want, (long long)got);
    }
    return true;
}

/* Keeps the largest difference relative to the size of the terms. */
static bool compare_floats(const Comparison *c, const char *name, int image,
                           double *largest)
{
    size_t first = (size_t)image * c->classes;
    const float *a = c->expected->logits + first, *b = (const float *)c->found + first;
    double room = 0;
    for (int k = 0; k < c->classes; k++)
        room = fmax(room, c->sizes[first + k]);
    for (int k = 0; k < c->classes; k++) {
        double difference = fabs((double)a[k] - b[k]);
        if (!(difference <= tolerance * room))
            return rt_fail("%s: image %d, class %d: the trainer's score is %.9g, the "
                           "file's %.9g",
                           name, image, k, a[k], b[k]);
        *largest = difference > 0 ? fmax(*largest, difference / room) : *largest;
    }
    int want = best_class(a, c->classes), got = best_class(b, c->classes);
    bool tied = (double)a[want] - a[got] <= 2 * tolerance * room;
    return want == got || tied ||
           rt_fail("%s: image %d: the trainer says class %d, the file %d", name, image,
                   want, got);
}

/* Compare all images; and the image it stopped at. */
static bool compare(const Comparison *c, const char *name, double *largest, int *at)
{
    *largest = 0;
    for (*at = 0; *at < c->count; ++*at)
        if (!(c->expected->integers ? compare_integers(c, name, *at)
                                    : compare_floats(c, name, *at, largest)))
            return false;
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
    if (strcmp(build->command, compilers[0]) == 0)
        return;
    char *a = rt_format("%s/a.so", scratch->folder),
         *b = rt_format("%s/b.so", scratch->folder);
    char *why = rt_format("%s", rt_error()), difference[512];
    uint8_t *pixels = pixels_of(c, image);
    rt_error_clear();
    if (pixels && compile_shared(compilers[0], scratch, "-DLATHE_TRACE", a) &&
        compile_shared(build->command, scratch, "-DLATHE_TRACE", b)) {
        trace_difference(a, b, config->name, pixels, c->arena_bytes, c->classes,
                         difference, sizeof difference);
        rt_error_clear();
        rt_fail("%s; %s and %s: %s", why, compilers[0], build->command, difference);
    }
    free(a);
    free(b);
    free(pixels);
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
        double largest = 0;
        int image = 0;
        if (c->changed)
            ok = rt_fail("an image could be read before, and now cannot");
        else
            ok = compare(c, build->command, &largest, &image);
        if (ok && c->expected->integers)
            printf("%-24s %d images: identical\n", build->command, c->count);
        else if (ok)
            printf("%-24s %d images: same classes, scores within %.1e of their terms\n",
                   build->command, c->count, largest);
        else if (!c->changed)
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
    int count = list_builds(list, c->expected->integers ? SHIP_CODES : SHIP_FLOATS);
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
    printf("%s: %d images x %d builds\n", c->expected->integers ? "identical" : "agree",
           all, made);
    return true;
}

/* What float scores are sums of: those of the same network with the dense layer's weights
 * and bias without their signs, for what it reads has none behind a ReLU. */
static bool term_sizes(const Config *config, const CompileOptions *compile,
                       const char *weights, const char *data, long images,
                       const Scratch *scratch, Scores *sizes)
{
    const Op *dense = &config->net.ops[config->net.op_count - 1];
    Checkpoint checkpoint = {0};
    if (!checkpoint_read(weights, &checkpoint))
        return false;
    size_t length = strlen(dense->name);
    for (int i = 0; i < checkpoint.count; i++) {
        const char *name = strrchr(checkpoint.arrays[i].name, '/');
        name = name ? name + 1 : checkpoint.arrays[i].name;
        if (strncmp(name, dense->name, length) != 0 || name[length] != '.')
            continue;
        for (size_t j = 0; j < checkpoint.arrays[i].count; j++)
            checkpoint.arrays[i].values[j] = fabsf(checkpoint.arrays[i].values[j]);
    }
    char *unsigned_weights = rt_format("%s/sizes.ckpt", scratch->folder);
    bool ok = checkpoint_write(unsigned_weights, &checkpoint) &&
              scores_of_trainer(config, compile, unsigned_weights, data, images, sizes);
    free(unsigned_weights);
    checkpoint_free(&checkpoint);
    for (size_t i = 0; ok && i < (size_t)sizes->count * config->class_count; i++)
        sizes->logits[i] = fabsf(sizes->logits[i]);
    return ok;
}

/* How wide scores are, how large the arena. */
static bool shape_of_file(const Config *config, const char *weights, Comparison *c)
{
    ShippedNets shipped;
    bool ok = shipped_of_weights(config, weights, &shipped);
    if (ok) {
        const Net *infer = &shipped.variants[0].net;
        const Op *last = &infer->ops[infer->op_count - 1];
        c->wide =
            last->kind == OP_I_DENSE && op_in(infer, last, "bias")->type == TYPE_I64;
        c->arena_bytes = (shipped_arena_bytes(&shipped) + 63) / 64 * 64;
    }
    shipped_free(&shipped);
    return ok;
}

static bool verify_in(const Scratch *scratch, const Config *config,
                      const CompileOptions *compile, const char *weights,
                      const char *data, long images, Comparison *c)
{
    const DataWant want = config_data(config);
    Scores expected = {0}, sizes = {0};
    ImageSet train = {0}, test = {0};
    char *source = rt_format("%s/file.c", scratch->folder);
    bool ok = scores_of_trainer(config, compile, weights, data, images, &expected) &&
              (expected.integers ||
               term_sizes(config, compile, weights, data, images, scratch, &sizes)) &&
              shipped_write(config, weights, source, (ShippedOptions){0}) &&
              data_load(data, DATA_TEST, &want, &train, &test);
    if (ok) {
        c->count = expected.count;
        c->expected = &expected;
        c->sizes = sizes.logits;
        c->images = &test;
        c->found = rt_alloc((size_t)c->count * c->classes * score_bytes(c));
        c->arenas = rt_alloc_aligned(c->arena_bytes * RT_MAX_THREADS);
        ok = verify_all(config, scratch, c);
        free(c->found);
        free(c->arenas);
    }
    scores_free(&expected);
    scores_free(&sizes);
    image_set_say_broken(&test);
    data_free(&test);
    free(source);
    return ok;
}

bool verify(const Config *config, const CompileOptions *compile, const char *weights,
            const char *data, long images)
{
    Comparison c = {.classes = config->class_count};
    if (!shape_of_file(config, weights, &c))
        return false;
    char *beside = rt_format("%s/verify", cache_folder());
    Scratch scratch;
    bool ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    ok = verify_in(&scratch, config, compile, weights, data, images, &c);
    scratch_end(&scratch);
    return ok;
}
