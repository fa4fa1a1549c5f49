/* Where two builds of a shipped file part: the first layer, position and values. */
#ifndef LATHE_TRACE_H
#define LATHE_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* Run both shared objects, built with -DLATHE_TRACE, on the image and write a sentence
 * about the first value that differs to `text`. `name` is the prefix of their C names. */
void trace_difference(const char *object_a, const char *object_b, const char *name,
                      const uint8_t *image, size_t arena_bytes, int classes, char *text,
                      size_t size);

#endif
