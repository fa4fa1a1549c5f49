/* Float vectors of generated kernels: f1 is a float, f4, f8 and f16 are GCC vectors,
 * loaded and stored at any address; i1 .. i16 are 32-bit integers and masks, b4 .. b16 as
 * many bytes. */
#ifndef LATHE_VECTORS_H
#define LATHE_VECTORS_H

#include <stdint.h>

typedef float f1;
typedef int32_t i1;

#if defined(__GNUC__) && !defined(__TINYC__)
#define LATHE_VECTOR(lanes)                                                              \
    typedef float f##lanes                                                               \
        __attribute__((vector_size(lanes * 4), aligned(4), may_alias));                  \
    typedef int32_t i##lanes                                                             \
        __attribute__((vector_size(lanes * 4), aligned(4), may_alias));                  \
    typedef uint8_t b##lanes __attribute__((vector_size(lanes), aligned(1), may_alias));
LATHE_VECTOR(4)
LATHE_VECTOR(8)
LATHE_VECTOR(16)
#undef LATHE_VECTOR
#endif

#endif
