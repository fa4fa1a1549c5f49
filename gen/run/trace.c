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

static Traced keep(const TracedLayer *it, const unsigned char *y)
{
    unsigned char *values = rt_alloc((size_t)it->h * it->w * it->c * it->size + 1);
    unsigned char *to = values;
    for (int h = 0; h < it->h; h++)
        for (int w = 0; w < it->w; w++, to += it->c * it->size)
            memcpy(to, y + ((size_t)h * it->row + (size_t)w * it->pixel) * it->size,
                   (size_t)it->c * it->size);
    return (Traced){it->name, it->h, it->w, it->c, it->size, values};
}

/* Run the object's layers on the image; how many there are. It stays loaded: their names
 * are its. */
static int run(const char *object, const char *name, const uint8_t *image,
               size_t arena_bytes, int classes, Traced *list)
{
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    char *table = rt_format("%s_trace", name);
    const TracedLayer *layer = library ? dlsym(library, table) : NULL;
    char *arena = rt_alloc_aligned(arena_bytes);
    void *scores = rt_alloc(classes * sizeof(float));
    int count = 0;
    for (; layer && layer->name && count < MOST_LAYERS; layer++) {
        layer->run(image, arena, scores);
        if (layer->h > 0) /* else weights were unpacked, which not every build does */
            list[count++] = keep(layer, layer->byte < 0 ? scores : arena + layer->byte);
    }
    free(table);
    free(arena);
    free(scores);
    return count;
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
