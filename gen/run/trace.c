/* Layer by layer comparison of two builds: see trace.h. */
#include "gen/run/trace.h"

#include "runtime/base/support.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 8192 };

/* What a layer put out, packed [h][w][c]; `size` bytes a value, 1 code, 4 sum or
 * float. */
typedef struct {
    const char *layer;
    int h, w, c, size;
    unsigned char *values;
} Traced;

static Traced *tracing;
static int traced;

/* Called by the file after each op; row and pixel are in values. */
static void keep(const char *layer, const void *y, int h, int w, int c, int row,
                 int pixel, int size)
{
    if (traced == MOST_LAYERS)
        return;
    unsigned char *values = rt_alloc((size_t)h * w * c * size + 1), *to = values;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++, to += c * size)
            memcpy(to,
                   (const unsigned char *)y +
                       ((size_t)i * row + (size_t)j * pixel) * size,
                   (size_t)c * size);
    tracing[traced++] = (Traced){layer, h, w, c, size, values};
}

/* Run the object on the image; how many layers it told of. It stays loaded: their names
 * are its. */
static int run(const char *object, const char *name, const uint8_t *image,
               size_t arena_bytes, int classes, Traced *list)
{
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    char *trace = rt_format("%s_trace", name), *function = rt_format("%s_scores", name);
    void **hook = library ? dlsym(library, trace) : NULL;
    void (*scores)(const uint8_t *, void *, void *) = NULL;
    if (library)
        *(void **)&scores = dlsym(library, function);
    free(trace);
    free(function);
    tracing = list;
    traced = 0;
    if (hook && scores) {
        void *arena = rt_alloc_aligned(arena_bytes),
             *out = rt_alloc(classes * sizeof(float));
        void (*keeper)(const char *, const void *, int, int, int, int, int, int) = keep;
        memcpy(hook, &keeper, sizeof keeper);
        scores(image, arena, out);
        free(arena);
        free(out);
    }
    return traced;
}

static double value_at(const Traced *t, size_t index)
{
    int32_t sum;
    if (t->size == 1)
        return t->values[index];
    memcpy(&sum, t->values + 4 * index, 4);
    return sum;
}

void trace_difference(const char *object_a, const char *object_b, const char *name,
                      const uint8_t *image, size_t arena_bytes, int classes, char *text,
                      size_t size)
{
    Traced *a = rt_alloc(MOST_LAYERS * sizeof *a), *b = rt_alloc(MOST_LAYERS * sizeof *b);
    int layers = run(object_a, name, image, arena_bytes, classes, a);
    int others = run(object_b, name, image, arena_bytes, classes, b);
    snprintf(text, size, "the builds agree on every layer");
    bool found = false;
    for (int i = 0; i < layers && i < others && !found; i++) {
        size_t count = (size_t)a[i].h * a[i].w * a[i].c;
        for (size_t j = 0; j < count && !found; j++) {
            if (value_at(&a[i], j) == value_at(&b[i], j))
                continue;
            found = true;
            int c = (int)(j % a[i].c), w = (int)(j / a[i].c % a[i].w);
            snprintf(text, size, "%s: row %d, column %d, channel %d is %.0f and %.0f",
                     a[i].layer, (int)(j / a[i].c / a[i].w), w, c, value_at(&a[i], j),
                     value_at(&b[i], j));
        }
    }
    for (int i = 0; i < layers; i++)
        free(a[i].values);
    for (int i = 0; i < others; i++)
        free(b[i].values);
    free(a);
    free(b);
}
