/* A shipped file's layers one by one, from a build with -DLATHE_TRACE; and where two
 * builds part: the first layer, position and values. */
#ifndef LATHE_TRACE_H
#define LATHE_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* An entry of the file's table NAME_trace, whose end has no name: a layer's function, and
 * where it puts its output, as a byte of the arena, or -1: the scores. Rows, columns,
 * channels, values from one row and pixel to the next, bytes of a value; no rows where
 * weights are unpacked. */
typedef struct {
    const char *name;
    void (*run)(const uint8_t *image, char *arena, void *scores);
    int byte, h, w, c, row, pixel, size;
} TracedLayer;

/* Run both shared objects, built with -DLATHE_TRACE, on the image and write a sentence
 * about the first value that differs to `text`. `name` is the prefix of their C names. */
void trace_difference(const char *object_a, const char *object_b, const char *name,
                      const uint8_t *image, size_t arena_bytes, int classes, char *text,
                      size_t size);

#endif
