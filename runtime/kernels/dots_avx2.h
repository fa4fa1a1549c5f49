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
    const __m256i even = _mm256_and_si256(all, low), odd = _mm256_srli_epi16(all, 8);
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

/* Half of the lanes, `lanes` from their low 32 bits: sum m + b, from 2^63 on. */
LATHE_INLINE __m256i product_4(__m256i lanes, __m256i m, __m256i b)
{
    return _mm256_add_epi64(_mm256_mul_epi32(lanes, m), b);
}

/* From even lanes and odd ones, 64 bits each, from 2^63 on: shifted, every value fits 32
 * bits, rt_requant_derive sees to it. */
LATHE_INLINE __m256i shifted_8(__m256i even, __m256i odd, int shift)
{
    const __m128i count = _mm_cvtsi32_si128(shift);
    const __m256i zero = _mm256_set1_epi32((int)(uint32_t)(1ull << (63 - shift)));
    odd = _mm256_slli_epi64(_mm256_srl_epi64(odd, count), 32);
    return _mm256_sub_epi32(_mm256_blend_epi32(_mm256_srl_epi64(even, count), odd, 0xaa),
                            zero);
}

LATHE_INLINE void requantise_i8(i8 sum, i8 other, const int64_t *b, const int32_t *m,
                                const int32_t *r, int shift, int32_t largest, uint8_t *y)
{
    const __m256i from = _mm256_set1_epi64x(INT64_MIN);
    const __m256i b0 =
        _mm256_xor_si256(from, _mm256_loadu_si256((const __m256i *)(const void *)b));
    const __m256i b1 = _mm256_xor_si256(
        from, _mm256_loadu_si256((const __m256i *)(const void *)(b + 4)));
    /* b in the order of even and odd lanes: 0 2 4 6, 1 3 5 7 */
    __m256i even = _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(b0, b1), 0xd8);
    __m256i odd = _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(b0, b1), 0xd8);
    if (r) {
        const __m256i r0 = _mm256_loadu_si256((const __m256i *)(const void *)r);
        const __m256i other0 = (__m256i)other, other1 = _mm256_srli_epi64(other0, 32);
        even = product_4(other0, r0, even);
        odd = product_4(other1, _mm256_srli_epi64(r0, 32), odd);
    }
    const __m256i m0 = _mm256_loadu_si256((const __m256i *)(const void *)m);
    even = product_4((__m256i)sum, m0, even);
    odd = product_4(_mm256_srli_epi64((__m256i)sum, 32), _mm256_srli_epi64(m0, 32), odd);
    const __m256i codes = shifted_8(even, odd, shift);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(codes),
                                          _mm256_extracti128_si256(codes, 1));
    _mm_storel_epi64((__m128i *)(void *)y, _mm_min_epu8(_mm_packus_epi16(words, words),
                                                        _mm_set1_epi8((char)largest)));
}

#endif
