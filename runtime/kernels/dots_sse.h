/* dots_plain.h's arithmetic for SSE2 and SSE4.1: four sums. */
#ifndef LATHE_DOTS_SSE_H
#define LATHE_DOTS_SSE_H

#ifdef __SSE4_1__
#include <smmintrin.h>
#else
#include <emmintrin.h>
#endif

LATHE_INLINE i4 dot_i4(i4 sum, const uint8_t *x, i4 w)
{
    /* Even and odd bytes apart, in 16 bits: a product of two codes never saturates
     * there. */
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    const __m128i all = _mm_set1_epi32(four), low = _mm_set1_epi32(0x00ff00ff);
    const __m128i even = _mm_and_si128(all, low), odd = _mm_srli_epi16(all, 8);
    const __m128i w_even = _mm_srai_epi16(_mm_slli_epi16((__m128i)w, 8), 8);
    const __m128i w_odd = _mm_srai_epi16((__m128i)w, 8);
    const __m128i sums =
        _mm_add_epi32(_mm_madd_epi16(even, w_even), _mm_madd_epi16(odd, w_odd));
    return (i4)_mm_add_epi32((__m128i)sum, sums);
}

/* Codes in 32 bits: gcc 12 makes a detour of __builtin_convertvector. */
LATHE_INLINE i4 widen_i4(const uint8_t *x)
{
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    const __m128i zero = _mm_setzero_si128();
    const __m128i pairs = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
    return (i4)_mm_unpacklo_epi16(pairs, zero);
}

LATHE_INLINE i4 each_i4(i4 sum, const uint8_t *x, i4 w)
{
    /* Both fit 16 bits, and the upper halves of x are 0. */
    const __m128i wide = (__m128i)widen_i4(x);
    return (i4)_mm_add_epi32((__m128i)sum, _mm_madd_epi16(wide, (__m128i)w));
}

LATHE_INLINE void requantise_i4(i4 sum, i4 other, const int64_t *b, const int32_t *m,
                                const int32_t *r, int shift, int32_t largest, uint8_t *y)
{
#ifdef __SSE4_1__
    const __m128i b0 = _mm_loadu_si128((const __m128i *)(const void *)b);
    const __m128i b1 = _mm_loadu_si128((const __m128i *)(const void *)(b + 2));
    const __m128i m0 = _mm_loadu_si128((const __m128i *)(const void *)m),
                  sum0 = (__m128i)sum;
    /* 64-bit sums of the lanes 0 and 2, 1 and 3 */
    __m128i even = _mm_add_epi64(_mm_mul_epi32(sum0, m0), _mm_unpacklo_epi64(b0, b1));
    __m128i odd =
        _mm_add_epi64(_mm_mul_epi32(_mm_srli_epi64(sum0, 32), _mm_srli_epi64(m0, 32)),
                      _mm_unpackhi_epi64(b0, b1));
    if (r) {
        const __m128i r0 = _mm_loadu_si128((const __m128i *)(const void *)r),
                      other0 = (__m128i)other;
        even = _mm_add_epi64(even, _mm_mul_epi32(other0, r0));
        odd = _mm_add_epi64(
            odd, _mm_mul_epi32(_mm_srli_epi64(other0, 32), _mm_srli_epi64(r0, 32)));
    }
    /* A shift keeps no sign here: it is taken from the high halves first. Shifted, every
     * value fits 32 bits: rt_requant_derive sees to it. */
    const __m128i count = _mm_cvtsi32_si128(shift);
    const __m128i high = _mm_blend_epi16(_mm_srli_epi64(even, 32), odd, 0xcc);
    const __m128i negative = _mm_srai_epi32(high, 31);
    __m128i codes = _mm_blend_epi16(_mm_srl_epi64(even, count),
                                    _mm_slli_epi64(_mm_srl_epi64(odd, count), 32), 0xcc);
    codes = _mm_min_epi32(_mm_andnot_si128(negative, codes), _mm_set1_epi32(largest));
    codes = _mm_packus_epi32(codes, codes);
    const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(codes, codes));
    __builtin_memcpy(y, &four, 4);
#else /* no product of signed numbers */
    for (int i = 0; i < 4; i++)
        requantise_i1(sum[i], other[i], b + i, m + i, r ? r + i : r, shift, largest,
                      y + i);
#endif
}

#endif
