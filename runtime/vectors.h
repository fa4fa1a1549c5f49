/* Float vectors of generated kernels: f1 is a float, f4, f8 and f16 are GCC vectors, loaded
 * and stored at any address. Every width has the same few functions, so that one template
 * serves all. */
#ifndef LATHE_VECTORS_H
#define LATHE_VECTORS_H

#include <stdint.h>

typedef float f1;

static inline f1 splat_f1(float x)
{
    return x;
}

/* max(x, 0) */
static inline f1 relu_f1(f1 x)
{
    return x > 0 ? x : 0;
}

/* x where y > 0, else 0 */
static inline f1 where_positive_f1(f1 x, f1 y)
{
    return y > 0 ? x : 0;
}

#if defined(__GNUC__) && !defined(__TINYC__)
#define LATHE_VECTOR(lanes)                                                               \
    typedef float f##lanes                                                                \
        __attribute__((vector_size(lanes * 4), aligned(4), may_alias));                   \
    typedef int32_t i##lanes                                                              \
        __attribute__((vector_size(lanes * 4), aligned(4), may_alias));                   \
    static inline f##lanes splat_f##lanes(float x)                                        \
    {                                                                                     \
        return x - (f##lanes){0};                                                         \
    }                                                                                     \
    static inline f##lanes where_positive_f##lanes(f##lanes x, f##lanes y)                \
    {                                                                                     \
        return (f##lanes)((i##lanes)x & (i##lanes)(y > 0));                               \
    }                                                                                     \
    static inline f##lanes relu_f##lanes(f##lanes x)                                      \
    {                                                                                     \
        return where_positive_f##lanes(x, x);                                             \
    }
LATHE_VECTOR(4)
LATHE_VECTOR(8)
LATHE_VECTOR(16)
#undef LATHE_VECTOR
#endif

#endif
