/* See quant_shipped.h. */
#include "tests/tools/quant_shipped.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <check.h>
#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *words[6], *target;
} builds[] = {
    {"gcc", {"gcc", "-O0"}, "plain"},
    {"gcc", {"gcc", "-O2", "-march=native"}, "plain"},
    {"gcc", {"gcc", "-O2", "-march=x86-64-v3"}, "avx2"},
    {"gcc", {"gcc", "-O2", "-msse4.1"}, "sse4"},
    {"clang", {"clang", "-O1", "-Wno-overlength-strings"}, "plain"},
    {"clang", {"clang", "-O2", "-march=native"}, "plain"},
    {"clang", {"clang", "-O2", "-msse4.1", "-Wno-overlength-strings"}, "sse4"},
    {"tcc", {"tcc"}, "plain"},
};
const int quant_build_count = sizeof builds / sizeof *builds;

/* A source whose `arena_bytes` is what the header says to its compiler. free() its path. */
static char *arena_source(const char *file, const char *name)
{
    char *path = rt_format("%s.arena.c", file), *upper = rt_format("%s", name);
    for (char *p = upper; *p; p++)
        *p = (char)toupper(*p);
    char *text = rt_format("#include \"%.*s.h\"\n"
                           "const long arena_bytes = %s_ARENA_BYTES;\n",
                           (int)strlen(file) - 2, file, upper);
    write_text(path, text);
    free(text);
    free(upper);
    return path;
}

bool quant_shipped_load(QuantShipped *shipped, const Config *config, const char *file,
                        bool split, int build)
{
    if (!program_installed(builds[build].name) || !machine_runs(builds[build].target)) {
        printf("skipped: %s for %s\n", builds[build].name, builds[build].target);
        return false;
    }
    char *object = rt_format("%s.%d.so", file, build);
    char *weights = rt_format("%.*s_weights.c", (int)strlen(file) - 2, file);
    char *arena = arena_source(file, config->name);
    compile_shipped(builds[build].words,
                    (const char *const[]){file, arena, split ? weights : NULL, NULL},
                    object);
    *shipped = (QuantShipped){.build = builds[build].name};
    shipped->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(shipped->library != NULL, "%s", dlerror());
    const long *bytes = dlsym(shipped->library, "arena_bytes");
    ck_assert_ptr_nonnull(bytes);
    shipped->arena_bytes = (size_t)*bytes;
    char *scores = rt_format("%s_scores", config->name);
    char *classify = rt_format("%s_classify", config->name);
    *(void **)&shipped->scores = dlsym(shipped->library, scores);
    *(void **)&shipped->classify = dlsym(shipped->library, classify);
    ck_assert(shipped->scores && shipped->classify);
    free(arena);
    free(scores);
    free(classify);
    free(object);
    free(weights);
    return true;
}

void quant_shipped_close(QuantShipped *shipped)
{
    dlclose(shipped->library);
}

enum { GUARD = 512, FILL = 0x5a };

static char *guarded(size_t bytes, size_t shift)
{
    char *memory = rt_alloc_aligned(bytes + 2 * GUARD);
    memset(memory, FILL, bytes + 2 * GUARD);
    return memory + GUARD + shift;
}

static void check_guards(const char *inside, size_t bytes, size_t shift,
                         const char *build)
{
    const char *memory = inside - GUARD - shift;
    for (size_t i = 0; i < bytes + 2 * GUARD; i++) {
        bool outside = memory + i < inside || memory + i >= inside + bytes;
        ck_assert_msg(!outside || memory[i] == FILL,
                      "%s: byte %ld of the arena's %zu written", build,
                      (long)(memory + i - inside), bytes);
    }
}

static int best_of(const int32_t *scores, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        best = scores[k] > scores[best] ? k : best;
    return best;
}

void quant_shipped_check(const QuantShipped *shipped, const uint8_t *images,
                         size_t pixels, int count, const int32_t *want, int classes)
{
    size_t bytes = shipped->arena_bytes;
    char *arenas[2] = {guarded(bytes, 0), guarded(bytes, 8)}, *kept = rt_alloc(bytes);
    int32_t scores[66];
    for (int i = 0; i < 2 * count; i++) {
        int image = i / 2 * 7 % count;
        char *arena = arenas[i % 2], *other = arenas[1 - i % 2];
        memset(scores, FILL, sizeof scores);
        if (i % 3)
            memset(arena, i * 37, bytes); /* else: what the image before left */
        memcpy(kept, other, bytes);
        shipped->scores(images + image * pixels, arena, scores + 1);
        ck_assert_mem_eq(other, kept, bytes);
        for (int k = 0; k < classes; k++)
            ck_assert_msg(scores[1 + k] == want[image * classes + k],
                          "%s: image %d, class %d: %d, want %d", shipped->build, image, k,
                          scores[1 + k], want[image * classes + k]);
        ck_assert(scores[0] == 0x5a5a5a5a && scores[1 + classes] == 0x5a5a5a5a);
        ck_assert_int_eq(shipped->classify(images + image * pixels, arena),
                         best_of(want + image * classes, classes));
        check_guards(arenas[0], bytes, 0, shipped->build);
        check_guards(arenas[1], bytes, 8, shipped->build);
    }
    free(arenas[0] - GUARD);
    free(arenas[1] - GUARD - 8);
    free(kept);
}

long quant_weight_bytes(const char *text, const char *layer)
{
    static const char *const suffixes[] = {"packed", "codes"};
    char type[128]; /* NAME_layer: all names begin so */
    const char *found = strstr(text, "typedef void ");
    ck_assert(found && sscanf(found, "typedef void %127[^(]", type) == 1);
    int prefix = (int)(strlen(type) - strlen("layer"));
    for (int i = 0; i < 2; i++) {
        char *name =
            rt_format("const uint32_t %.*s%s_%s[", prefix, type, layer, suffixes[i]);
        const char *at = strstr(text, name);
        size_t length = strlen(name);
        free(name);
        if (at)
            return 4 * strtol(at + length, NULL, 10);
    }
    ck_abort_msg("no weights of %s", layer);
}
