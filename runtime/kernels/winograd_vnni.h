/* Convolutions of codes by transformed tiles, for AVX-512 VNNI: see
 * gen/passes/winograd_codes.c. Needs dots_vnni.h. */
#ifndef LATHE_WINOGRAD_VNNI_H
#define LATHE_WINOGRAD_VNNI_H

typedef uint8_t b64 __attribute__((vector_size(64), aligned(1), may_alias));

/* Four codes in every lane; and sum + their products, in place: gcc 12 copies registers
 * around the intrinsic. */
LATHE_INLINE i16 four_codes(const uint8_t *x)
{
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return (i16)_mm512_set1_epi32(four);
}

#define ADD_PRODUCTS(sum, four, w)                                                       \
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(four), "v"(w))

/* The columns of a 4x4 tile's transform (Lavin and Gray 2016, F(2x2, 3x3)) from the
 * rows' sums, 64 bytes of a row of pixels: a begins at them, b a pixel later, d two.
 * Even pixels get a - d and b + d, odd ones a - d and b - a: the columns 0 and 1, 3 and
 * 2. `odd`: bytes of odd pixels; start0, start1: what keeps differences and sums from
 * being negative. */
LATHE_INLINE void transform_columns(b64 a, b64 b, b64 d, uint64_t odd, b64 start0,
                                    b64 start1, uint8_t *outer, uint8_t *inner)
{
    const __m512i sums = _mm512_add_epi8((__m512i)b, (__m512i)start1);
    *(b64 *)outer = a - d + start0;
    *(b64 *)inner = (b64)_mm512_mask_sub_epi8(_mm512_add_epi8(sums, (__m512i)d), odd,
                                              sums, (__m512i)a);
}

#endif
