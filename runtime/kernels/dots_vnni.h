/* dots_plain.h's arithmetic for AVX-512 VNNI: sixteen sums. */
#ifndef LATHE_DOTS_VNNI_H
#define LATHE_DOTS_VNNI_H

#if defined(__cplusplus) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push /* gcc 12 warns of its own header in C++ */
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

LATHE_INLINE i16 dot_i16(i16 sum, const uint8_t *x, i16 w)
{
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return (i16)_mm512_dpbusd_epi32((__m512i)sum, _mm512_set1_epi32(four), (__m512i)w);
}

LATHE_INLINE __m128i sixteen_bytes(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/* Codes in 32 bits: gcc 12 makes a detour of __builtin_convertvector. */
LATHE_INLINE i16 widen_i16(const uint8_t *x)
{
    return (i16)_mm512_cvtepu8_epi32(sixteen_bytes(x));
}

LATHE_INLINE i16 each_i16(i16 sum, const uint8_t *x, i16 w)
{
    /* Both fit 16 bits, and the upper halves of x are 0. */
    const __m512i wide = (__m512i)widen_i16(x);
    return (i16)_mm512_dpwssd_epi32((__m512i)sum, wide, (__m512i)w);
}

LATHE_INLINE void requantise_i16(i16 sum, i16 other, const int64_t *b, const int32_t *m,
                                 const int32_t *r, int shift, int32_t largest, uint8_t *y)
{
    const __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 8);
    const __m512i evens = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odds = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    __m512i even = _mm512_permutex2var_epi64(b0, evens, b1);
    __m512i odd = _mm512_permutex2var_epi64(b0, odds, b1);
    const __m512i m0 = _mm512_loadu_si512(m), m1 = _mm512_srli_epi64(m0, 32);
    const __m512i sum0 = (__m512i)sum, sum1 = _mm512_srli_epi64(sum0, 32);
    const __m128i count = _mm_cvtsi32_si128(shift);
    if (r) {
        const __m512i r0 = _mm512_loadu_si512(r), other0 = (__m512i)other;
        even = _mm512_add_epi64(even, _mm512_mul_epi32(other0, r0));
        odd = _mm512_add_epi64(odd, _mm512_mul_epi32(_mm512_srli_epi64(other0, 32),
                                                     _mm512_srli_epi64(r0, 32)));
    }
    even = _mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum0, m0), even), count);
    odd = _mm512_sra_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum1, m1), odd), count);
    /* Shifted, every value fits 32 bits: rt_requant_derive sees to it. */
    __m512i codes = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
    codes = _mm512_max_epi32(codes, _mm512_setzero_si512());
    codes = _mm512_min_epi32(codes, _mm512_set1_epi32(largest));
    _mm_storeu_si128((__m128i *)(void *)y, _mm512_cvtepi32_epi8(codes));
}

/* clamp((sum m + other r + b) >> shift, 0, largest) of 16 channels, as requantise_i16
 * has it, with what does not change from pixel to pixel laid out once: even lanes and
 * odd ones. */
typedef struct {
    __m512i m0, m1, r0, r1, b0, b1;
} Scale16;

LATHE_INLINE Scale16 scale_i16(const int64_t *b, const int32_t *m, const int32_t *r)
{
    const __m512i low = _mm512_loadu_si512(b), high = _mm512_loadu_si512(b + 8);
    const __m512i evens = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odds = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    Scale16 scale;
    scale.m0 = _mm512_loadu_si512(m);
    scale.m1 = _mm512_srli_epi64(scale.m0, 32);
    scale.r0 = r ? _mm512_loadu_si512(r) : _mm512_setzero_si512();
    scale.r1 = _mm512_srli_epi64(scale.r0, 32);
    scale.b0 = _mm512_permutex2var_epi64(low, evens, high);
    scale.b1 = _mm512_permutex2var_epi64(low, odds, high);
    return scale;
}

/* Before it is clamped: it fits 32 bits, rt_requant_derive sees to it. */
LATHE_INLINE i16 scaled_i16(i16 sum, const Scale16 *by, int shift)
{
    const __m512i even = (__m512i)sum, odd = _mm512_srli_epi64(even, 32);
    const __m128i count = _mm_cvtsi32_si128(shift);
    const __m512i code0 = _mm512_add_epi64(_mm512_mul_epi32(even, by->m0), by->b0);
    const __m512i code1 = _mm512_add_epi64(_mm512_mul_epi32(odd, by->m1), by->b1);
    return (i16)_mm512_mask_blend_epi32(
        0xaaaa, _mm512_sra_epi64(code0, count),
        _mm512_slli_epi64(_mm512_sra_epi64(code1, count), 32));
}

LATHE_INLINE i16 scaled_plus_i16(i16 sum, i16 other, const Scale16 *by, int shift)
{
    const __m512i even = (__m512i)other, odd = _mm512_srli_epi64(even, 32);
    Scale16 more = *by;
    more.b0 = _mm512_add_epi64(_mm512_mul_epi32(even, by->r0), by->b0);
    more.b1 = _mm512_add_epi64(_mm512_mul_epi32(odd, by->r1), by->b1);
    return scaled_i16(sum, &more, shift);
}

/* Four vectors of 16 clamped to 0..largest, one behind the other. */
LATHE_INLINE __m512i codes_of_4(i16 a, i16 b, i16 c, i16 d, int largest)
{
    const __m512i low = _mm512_packs_epi32((__m512i)a, (__m512i)b);
    const __m512i high = _mm512_packs_epi32((__m512i)c, (__m512i)d);
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i codes =
        _mm512_min_epu8(_mm512_packus_epi16(low, high), _mm512_set1_epi8((char)largest));
    return _mm512_permutexvar_epi32(order, codes);
}

/* ---- 64 channels at once, a word of up to four codes for each ---- */

/* Vectors of these hold channels 4j..4j+3 of each sixteen, as unpacking leaves them. */
LATHE_INLINE i16 lanes_of_4(const void *from, int second, int third, int fourth)
{
    const int32_t *at = (const int32_t *)from;
    __m512i v = _mm512_castsi128_si512(sixteen_bytes(at));
    v = _mm512_inserti32x4(v, sixteen_bytes(at + second), 1);
    v = _mm512_inserti32x4(v, sixteen_bytes(at + third), 2);
    return (i16)_mm512_inserti32x4(v, sixteen_bytes(at + fourth), 3);
}

/* Byte `from` of each word as byte `to`, the others 0. */
LATHE_INLINE i16 moved_byte(i16 words, int from, int to)
{
    const __m512i byte =
        _mm512_and_si512(_mm512_srl_epi32((__m512i)words, _mm_cvtsi32_si128(8 * from)),
                         _mm512_set1_epi32(255));
    return (i16)_mm512_sll_epi32(byte, _mm_cvtsi32_si128(8 * to));
}

/* A pixel's codes of 64 channels, and those `row` bytes below, `rows` of up to four, to
 * words of one channel each. */
LATHE_INLINE void cross_rows(const uint8_t *x, int row, int rows, i16 to[4])
{
    const __m512i none = _mm512_setzero_si512();
    const __m512i x0 = _mm512_loadu_si512(x);
    const __m512i x1 = rows > 1 ? _mm512_loadu_si512(x + row) : none;
    const __m512i x2 = rows > 2 ? _mm512_loadu_si512(x + 2 * row) : none;
    const __m512i x3 = rows > 3 ? _mm512_loadu_si512(x + 3 * row) : none;
    const __m512i low0 = _mm512_unpacklo_epi8(x0, x1);
    const __m512i high0 = _mm512_unpackhi_epi8(x0, x1);
    const __m512i low1 = _mm512_unpacklo_epi8(x2, x3);
    const __m512i high1 = _mm512_unpackhi_epi8(x2, x3);
    to[0] = (i16)_mm512_unpacklo_epi16(low0, low1);
    to[1] = (i16)_mm512_unpackhi_epi16(low0, low1);
    to[2] = (i16)_mm512_unpacklo_epi16(high0, high1);
    to[3] = (i16)_mm512_unpackhi_epi16(high0, high1);
}

LATHE_INLINE i16 dot_words_i16(i16 sum, i16 x, i16 w)
{
    return (i16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}

/* scale_i16 of vector j of the 64 channels that b and m begin with. */
LATHE_INLINE Scale16 crossed_scale(const int64_t *b, const int32_t *m, int j)
{
    int64_t own_b[16];
    int32_t own_m[16];
    for (int i = 0; i < 16; i++) {
        own_b[i] = b[i / 4 * 16 + 4 * j + i % 4];
        own_m[i] = m[i / 4 * 16 + 4 * j + i % 4];
    }
    return scale_i16(own_b, own_m, NULL);
}

/* Codes of 64 channels, in order: packing undoes what unpacking did. */
LATHE_INLINE void store_crossed(i16 s0, i16 s1, i16 s2, i16 s3, const Scale16 scales[4],
                                int shift, int32_t largest, uint8_t *y)
{
    const __m512i low = _mm512_packs_epi32((__m512i)scaled_i16(s0, &scales[0], shift),
                                           (__m512i)scaled_i16(s1, &scales[1], shift));
    const __m512i high = _mm512_packs_epi32((__m512i)scaled_i16(s2, &scales[2], shift),
                                            (__m512i)scaled_i16(s3, &scales[3], shift));
    _mm512_storeu_si512(y, _mm512_min_epu8(_mm512_packus_epi16(low, high),
                                           _mm512_set1_epi8((char)largest)));
}

#define STORE_HALF(y, codes, half)                                                       \
    _mm256_storeu_si256((__m256i *)(void *)(y), _mm512_extracti64x4_epi64(codes, half))
#define STORE_QUARTER(y, codes, quarter)                                                 \
    _mm_storeu_si128((__m128i *)(void *)(y), _mm512_extracti32x4_epi32(codes, quarter))

#endif
