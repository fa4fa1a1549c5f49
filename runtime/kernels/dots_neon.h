/* dots_plain.h's arithmetic for AArch64: four sums, and four vectors of sums to sixteen
 * codes. With I8MM products are of unsigned by signed codes. Without, they are of signed
 * ones: 128 is taken from each unsigned code, and what this takes from the sums added to
 * them. */
#ifndef LATHE_DOTS_NEON_H
#define LATHE_DOTS_NEON_H

#include <arm_neon.h>

/* Loads stay where they stand: compilers that move them ahead run out of registers. */
#define NEON_IN_ORDER __asm__ volatile("" ::: "memory")

LATHE_INLINE int8x16_t neon_codes(const uint32_t *w)
{
    return vreinterpretq_s8_u32(vld1q_u32(w));
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
typedef uint8x16_t NeonCodes;
#define NEON_CODES(x) (x)
#define NEON_DOT(sum, w, x, lane) vsudotq_laneq_s32(sum, w, x, lane)
#else
#define NEON_LESS_128
typedef int8x16_t NeonCodes;
#define NEON_CODES(x) vreinterpretq_s8_u8(veorq_u8(x, vdupq_n_u8(0x80)))
#ifdef __ARM_FEATURE_DOTPROD
#define NEON_DOT(sum, w, x, lane) vdotq_laneq_s32(sum, w, x, lane)
#endif
#endif

/* Codes in 32 bits. */
LATHE_INLINE i4 widen_i4(const uint8_t *x)
{
    return __builtin_convertvector(*(const b4 *)x, i4);
}

/* Sixteen codes; four in each lane. */
LATHE_INLINE NeonCodes neon_load(const uint8_t *x)
{
    return NEON_CODES(vld1q_u8(x));
}

LATHE_INLINE NeonCodes neon_word(const uint8_t *x)
{
    uint32_t four;
    __builtin_memcpy(&four, x, 4);
    return NEON_CODES(vreinterpretq_u8_u32(vdupq_n_u32(four)));
}

/* sum + what the products of codes less 128 by a word of weights are short of. */
LATHE_INLINE int32x4_t neon_short(int32x4_t sum, int8x16_t w)
{
#ifdef NEON_LESS_128
    return vaddq_s32(sum, vshlq_n_s32(vpaddlq_s16(vpaddlq_s8(w)), 7));
#else
    (void)w;
    return sum;
#endif
}

LATHE_INLINE void neon_add_halves(int32x4_t *sums, int16x8_t low, int16x8_t high)
{
    sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
    sums[1] = vaddw_high_s16(sums[1], low);
    sums[2] = vaddw_s16(sums[2], vget_low_s16(high));
    sums[3] = vaddw_high_s16(sums[3], high);
}

/* Sixteen channels' sums and the products of their codes by two taps, which fit 16 bits
 * together, or by one. */
LATHE_INLINE void neon_add_two(int32x4_t *sums, int8x16_t x0, int8x16_t w0, int8x16_t x1,
                               int8x16_t w1)
{
    int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
    int16x8_t high = vmull_high_s8(x0, w0);
    low = vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1));
    high = vmlal_high_s8(high, x1, w1);
    neon_add_halves(sums, low, high);
}

LATHE_INLINE void neon_add_one(int32x4_t *sums, int8x16_t x, int8x16_t w)
{
    neon_add_halves(sums, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
}

/* Sixteen codes less 128. */
LATHE_INLINE int8x16_t neon_less_128(const uint8_t *x)
{
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(x), vdupq_n_u8(0x80)));
}

/* Of sixteen channels, whose words of four taps each lie `step` apart: taps
 * [4 words][16], and for `bias` b with what products of codes less 128 are short of. */
__attribute__((noinline, unused)) static void neon_taps(const uint32_t *w, int words,
                                                        int step, const int64_t *b,
                                                        const int32_t *m, int8_t *taps,
                                                        int64_t *bias)
{
    int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int i = 0; i < words; i++) {
        const int8x16x4_t four = vld4q_s8((const int8_t *)(w + i * step));
        for (int j = 0; j < 4; j++) {
            vst1q_s8(taps + 64 * i + 16 * j, four.val[j]);
            neon_add_one(sums, four.val[j], vdupq_n_s8(-128));
        }
    }
    for (int j = 0; j < 4; j++) {
        const int32x4_t gain = vld1q_s32(m + 4 * j);
        const int64x2_t low = vld1q_s64(b + 4 * j), high = vld1q_s64(b + 4 * j + 2);
        vst1q_s64(bias + 4 * j,
                  vmlsl_s32(low, vget_low_s32(sums[j]), vget_low_s32(gain)));
        vst1q_s64(bias + 4 * j + 2, vmlsl_high_s32(high, sums[j], gain));
    }
}

LATHE_INLINE i4 dot_i4(i4 sum, const uint8_t *x, i4 w)
{
    const int8x16_t codes = (int8x16_t)w;
    const int32x4_t from = neon_short((int32x4_t)sum, codes);
    const NeonCodes four = neon_word(x);
#ifdef NEON_DOT
    return (i4)NEON_DOT(from, codes, four, 0);
#else
    const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(four));
    const int16x8_t high = vmull_high_s8(codes, four);
    return (i4)vaddq_s32(from, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
#endif
}

LATHE_INLINE i4 each_i4(i4 sum, const uint8_t *x, i4 w)
{
    uint32_t four;
    __builtin_memcpy(&four, x, 4);
    const uint16x8_t pairs = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)));
    const uint32x4_t wide = vmovl_u16(vget_low_u16(pairs));
    return (i4)vmlaq_s32((int32x4_t)sum, vreinterpretq_s32_u32(wide), (int32x4_t)w);
}

/* Shifted, every value fits 32 bits: rt_requant_derive sees to it. */
LATHE_INLINE int32x4_t neon_rescale(int32x4_t sum, int32x4_t other, const int64_t *b,
                                    const int32_t *m, const int32_t *r, int shift)
{
    const int32x4_t gain = vld1q_s32(m);
    int64x2_t low = vmlal_s32(vld1q_s64(b), vget_low_s32(sum), vget_low_s32(gain));
    int64x2_t high = vmlal_high_s32(vld1q_s64(b + 2), sum, gain);
    if (r) {
        const int32x4_t by = vld1q_s32(r);
        low = vmlal_s32(low, vget_low_s32(other), vget_low_s32(by));
        high = vmlal_high_s32(high, other, by);
    }
    const int64x2_t right = vdupq_n_s64(-shift);
    return vuzp1q_s32(vreinterpretq_s32_s64(vshlq_s64(low, right)),
                      vreinterpretq_s32_s64(vshlq_s64(high, right)));
}

LATHE_UNUSED static inline void requantise_i4(i4 sum, i4 other, const int64_t *b,
                                              const int32_t *m, const int32_t *r,
                                              int shift, int32_t largest, uint8_t *y)
{
    int32x4_t codes = neon_rescale((int32x4_t)sum, (int32x4_t)other, b, m, r, shift);
    codes = vminq_s32(vmaxq_s32(codes, vdupq_n_s32(0)), vdupq_n_s32(largest));
    for (int i = 0; i < 4; i++)
        y[i] = (uint8_t)((i4)codes)[i];
}

/* The sums of sixteen channels. What is added are codes, sums, or, both NULL, nothing. */
LATHE_UNUSED static inline void
requantise_4x4(int32x4_t sum0, int32x4_t sum1, int32x4_t sum2, int32x4_t sum3,
               const uint8_t *codes, const int32_t *sums, const int64_t *b,
               const int32_t *m, const int32_t *r, int shift, int32_t largest, uint8_t *y)
{
    int32x4_t other[4] = {sum0, sum1, sum2, sum3};
    if (codes) {
        const uint8x16_t all = vld1q_u8(codes);
        const uint16x8_t low = vmovl_u8(vget_low_u8(all)), high = vmovl_high_u8(all);
        other[0] = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low)));
        other[1] = vreinterpretq_s32_u32(vmovl_high_u16(low));
        other[2] = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high)));
        other[3] = vreinterpretq_s32_u32(vmovl_high_u16(high));
    } else if (sums) {
        for (int i = 0; i < 4; i++)
            other[i] = vld1q_s32(sums + 4 * i);
    }
    const int32_t *r1 = r ? r + 4 : r, *r2 = r ? r + 8 : r, *r3 = r ? r + 12 : r;
    sum0 = neon_rescale(sum0, other[0], b, m, r, shift);
    sum1 = neon_rescale(sum1, other[1], b + 4, m + 4, r1, shift);
    sum2 = neon_rescale(sum2, other[2], b + 8, m + 8, r2, shift);
    sum3 = neon_rescale(sum3, other[3], b + 12, m + 12, r3, shift);
    const uint16x8_t low = vqmovun_high_s32(vqmovun_s32(sum0), sum1);
    const uint16x8_t high = vqmovun_high_s32(vqmovun_s32(sum2), sum3);
    const uint8x16_t narrow = vqmovn_high_u16(vqmovn_u16(low), high);
    vst1q_u8(y, vminq_u8(narrow, vdupq_n_u8((uint8_t)largest)));
}

/* The same of `pixels`, sixteen sums of each behind those of the other; the next pixel is
 * `step` codes on, what is added to it other_step. Not inline: tiles of many kernels end
 * so, and it is longer than most. */
__attribute__((noinline, unused)) static void
neon_requantise(int pixels, const int32_t *sums, const uint8_t *codes,
                const int32_t *others, int other_step, const int64_t *b, const int32_t *m,
                const int32_t *r, const int32_t *shift, uint8_t *y, int step)
{
    for (int i = 0; i < pixels; i++, sums += 16)
        requantise_4x4(vld1q_s32(sums), vld1q_s32(sums + 4), vld1q_s32(sums + 8),
                       vld1q_s32(sums + 12), codes ? codes + i * other_step : codes,
                       others ? others + i * other_step : others, b, m, r, shift[0],
                       shift[1], y + i * step);
}

#endif
