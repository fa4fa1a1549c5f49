/* dots_plain.h's arithmetic for AVX2: eight sums. */
#ifndef LATHE_DOTS_AVX2_H
#define LATHE_DOTS_AVX2_H

#include <immintrin.h>

LATHE_INLINE i8 dot_i8(i8 sum, const uint8_t *x, i8 w)
{
    /* Even and odd bytes apart, in 16 bits: a product of two codes never saturates
     * there. */
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    const __m256i all = _mm256_set1_epi32(four), low = _mm256_set1_epi32(0x00ff00ff);
    const __m256i even = _mm256_and_si256(all, low);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(all, 8), low);
    const __m256i w_even = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)w, 8), 8);
    const __m256i w_odd = _mm256_srai_epi16((__m256i)w, 8);
    const __m256i sums =
        _mm256_add_epi32(_mm256_madd_epi16(even, w_even), _mm256_madd_epi16(odd, w_odd));
    return (i8)_mm256_add_epi32((__m256i)sum, sums);
}

/* Codes in 32 bits: gcc 12 makes a detour of __builtin_convertvector. */
LATHE_INLINE i8 widen_i8(const uint8_t *x)
{
    return (i8)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)x));
}

LATHE_INLINE i8 each_i8(i8 sum, const uint8_t *x, i8 w)
{
    /* Both fit 16 bits, and the upper halves of x are 0. */
    const __m256i wide = (__m256i)widen_i8(x);
    return (i8)_mm256_add_epi32((__m256i)sum, _mm256_madd_epi16(wide, (__m256i)w));
}

/* One half of the lanes: 64-bit sums from the low 32 bits of each. */
LATHE_INLINE __m256i rescale_4(__m256i sum, __m256i b, __m256i m, int shift,
                               __m256i largest)
{
    __m256i code = _mm256_add_epi64(_mm256_mul_epi32(sum, m), b);
    code = _mm256_andnot_si256(_mm256_cmpgt_epi64(_mm256_setzero_si256(), code), code);
    code = _mm256_srl_epi64(code, _mm_cvtsi32_si128(shift));
    return _mm256_blendv_epi8(code, largest, _mm256_cmpgt_epi64(code, largest));
}

LATHE_INLINE void requantise_i8(i8 sum, i8 other, const int64_t *b, const int32_t *m,
                                const int32_t *r, int shift, int32_t largest, uint8_t *y)
{
    const __m256i b0 = _mm256_loadu_si256((const __m256i *)(const void *)b);
    const __m256i b1 = _mm256_loadu_si256((const __m256i *)(const void *)(b + 4));
    /* b in the order of even and odd lanes: 0 2 4 6, 1 3 5 7 */
    __m256i even = _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(b0, b1), 0xd8);
    __m256i odd = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(b0, b1), 0xd8);
    __m256i sum0 = (__m256i)sum, sum1 = _mm256_srli_epi64((__m256i)sum, 32);
    const __m256i m0 = _mm256_loadu_si256((const __m256i *)(const void *)m),
                  m1 = _mm256_srli_epi64(m0, 32);
    const __m256i top = _mm256_set1_epi64x(largest);
    if (r) {
        const __m256i r0 = _mm256_loadu_si256((const __m256i *)(const void *)r);
        even = _mm256_add_epi64(even, _mm256_mul_epi32((__m256i)other, r0));
        odd =
            _mm256_add_epi64(odd, _mm256_mul_epi32(_mm256_srli_epi64((__m256i)other, 32),
                                                   _mm256_srli_epi64(r0, 32)));
    }
    const __m256i code0 = rescale_4(sum0, even, m0, shift, top);
    const __m256i code1 = rescale_4(sum1, odd, m1, shift, top);
    const i8 codes = (i8)_mm256_or_si256(code0, _mm256_slli_epi64(code1, 32));
    for (int i = 0; i < 8; i++)
        y[i] = (uint8_t)codes[i];
}

#endif
