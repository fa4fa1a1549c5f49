/* A quantised network's emitted file: built by one compiler or another, and run. */
#ifndef LATHE_QUANT_SHIPPED_H
#define LATHE_QUANT_SHIPPED_H

#include "gen/config/config.h"
#include "gen/emit/infer_file.h"

typedef struct {
    const char *build;
    void (*scores)(const uint8_t *image, void *arena, int32_t *scores);
    int (*classify)(const uint8_t *image, void *arena);
    size_t arena_bytes;
    void *library;
} QuantShipped;

/* Ways to build; false, and a line saying so, where the compiler is not installed. */
extern const int quant_build_count;
bool quant_shipped_load(QuantShipped *shipped, const Config *config, const char *file,
                        bool split, int build);
void quant_shipped_close(QuantShipped *shipped);

/* Scores and classes of the images, with garbage in arenas that lie anywhere an int64_t
 * may; nothing around arena and scores changes; calls that take turns do not meet. */
void quant_shipped_check(const QuantShipped *shipped, const uint8_t *images,
                         size_t pixels, int count, const int32_t *want, int classes);

/* Bytes of the layer's array of weights in an emitted file's text. */
long quant_weight_bytes(const char *text, const char *layer);

#endif
