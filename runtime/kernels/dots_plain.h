/* Integer kernels' arithmetic: sums of four products of codes, or of one for
 * each channel, and rescaling to codes. i1, i4, i8 and i16 are as many sums; a
 * file for each width there is, this one for channels that fill no vector. All
 * give the same integers. */
#ifndef LATHE_DOTS_PLAIN_H
#define LATHE_DOTS_PLAIN_H

#ifdef __GNUC__
#define LATHE_UNUSED __attribute__((unused))
#else
#define LATHE_UNUSED
#endif
/* Part of the loop it stands in, optimised for size as well; without optimisation the
 * copies' values would add up on the stack. */
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define LATHE_INLINE __attribute__((always_inline, unused)) static inline
#else
#define LATHE_INLINE LATHE_UNUSED static inline
#endif

LATHE_INLINE int32_t dot_i1(int32_t sum, const uint8_t *x, uint32_t w)
{
    return sum + x[0] * (int8_t)w + x[1] * (int8_t)(w >> 8) + x[2] * (int8_t)(w >> 16) +
           x[3] * (int8_t)(w >> 24);
}

/* Channel by channel: sum + x w. */
LATHE_INLINE int32_t each_i1(int32_t sum, const uint8_t *x, int32_t w)
{
    return sum + x[0] * w;
}

/* clamp((sum m + other r + b) >> shift, 0, largest); b contains the rounding. Without
 * anything to add, r is NULL and known to be when this is inlined. Shifted, every value
 * fits 32 bits: rt_requant_derive sees to it. */
LATHE_INLINE void requantise_i1(int32_t sum, int32_t other, const int64_t *b,
                                const int32_t *m, const int32_t *r, int shift,
                                int32_t largest, uint8_t *y)
{
    int64_t wide = (int64_t)sum * *m + *b;
    if (r)
        wide += (int64_t)other * *r;
    /* By whole words where that will do: 32-bit processors shift 64 bits slowly. */
    int32_t code =
        shift >= 32 ? (int32_t)(wide >> 32) >> (shift - 32) : (int32_t)(wide >> shift);
    code = code < 0 ? 0 : code;
    *y = (uint8_t)(code > largest ? largest : code);
}

#endif
