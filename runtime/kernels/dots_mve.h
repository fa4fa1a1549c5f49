/* dots_plain.h's arithmetic for Arm's vector extension of Cortex-M (M55, M85): sixteen
 * products at a time, of signed codes: 128 is taken from each unsigned one, and what this
 * takes from the sums added to them. */
#ifndef LATHE_DOTS_MVE_H
#define LATHE_DOTS_MVE_H

#include <arm_mve.h>

/* Sixteen codes less 128; the first `count`, and -128 for the others. */
LATHE_INLINE int8x16_t mve_load(const uint8_t *x)
{
    return vreinterpretq_s8_u8(veorq_u8(vldrbq_u8(x), vdupq_n_u8(0x80)));
}

LATHE_INLINE int8x16_t mve_load_some(const uint8_t *x, int count)
{
    const uint8x16_t codes = vldrbq_z_u8(x, vctp8q((uint32_t)count));
    return vreinterpretq_s8_u8(veorq_u8(codes, vdupq_n_u8(0x80)));
}

/* Where the next four words of weights of a channel lie, `step` words apart: in bytes. */
LATHE_INLINE uint32x4_t mve_steps(int step)
{
    const uint32_t bytes = 4u * (uint32_t)step;
    const uint32x4_t steps = {0, bytes, 2 * bytes, 3 * bytes};
    return steps;
}

/* Those words; the first `count`, and 0 for the others. */
LATHE_INLINE int8x16_t mve_codes(const uint32_t *w, int step)
{
    return vreinterpretq_s8_u32(vldrwq_gather_offset_u32(w, mve_steps(step)));
}

LATHE_INLINE int8x16_t mve_codes_some(const uint32_t *w, int step, int count)
{
    const mve_pred16_t first = vctp32q((uint32_t)count);
    return vreinterpretq_s8_u32(vldrwq_gather_offset_z_u32(w, mve_steps(step), first));
}

/* What a depthwise kernel holds of four channels: taps [4 words][4], and b in halves. */
typedef struct {
    int32_t taps[12][4], low[4], high[4];
} MveDeep;

LATHE_UNUSED static void mve_deep(MveDeep *deep, const uint32_t *w, int words, int step,
                                  const int64_t *b)
{
    for (int i = 0; i < words; i++, w += step)
        for (int j = 0; j < 4; j++)
            vst1q_s32(
                deep->taps[4 * i + j],
                vshrq_n_s32(vreinterpretq_s32_u32(vshlq_r_u32(vldrwq_u32(w), 24 - 8 * j)),
                            24));
    for (int j = 0; j < 4; j++) {
        deep->low[j] = (int32_t)b[j];
        deep->high[j] = (int32_t)(b[j] >> 32);
    }
}

/* clamp((sum m + b) >> shift, 0, largest) of four channels, in halves of 64 bits. */
LATHE_INLINE void mve_requantise(int32x4_t sum, const MveDeep *deep, const int32_t *m,
                                 int shift, int32_t largest, uint8_t *y)
{
    const int32x4_t gain = vldrwq_s32(m);
    const uint32x4_t more = vreinterpretq_u32_s32(vldrwq_s32(deep->low));
    const uint32x4_t low = vaddq_u32(vreinterpretq_u32_s32(vmulq_s32(sum, gain)), more);
    int32x4_t codes = vaddq_s32(vmulhq_s32(sum, gain), vldrwq_s32(deep->high));
    codes = vaddq_m_n_s32(codes, codes, 1, vcmphiq_u32(more, low)); /* the carry */
    if (shift >= 32)
        codes = vshlq_r_s32(codes, 32 - shift);
    else
        codes = vorrq_s32(vshlq_r_s32(codes, 32 - shift),
                          vreinterpretq_s32_u32(vshlq_r_u32(low, -shift)));
    codes = vminq_s32(vmaxq_s32(codes, vdupq_n_s32(0)), vdupq_n_s32(largest));
    vstrbq_s32((int8_t *)y, codes);
}

/* The sums of four channels of a pixel, s0 to s3, and of the one `next` bytes on, s4 to
 * s7, get count times sixteen products each; x and w go on. load_next: whether a load
 * reaches over those bytes. All of it one statement: a sum has to be in an even register,
 * and there are eight of them. */
#define MVE_NEAR "vldrw.32 q1, [%[x_], %[next_]]\n\t"
#define MVE_FAR                                                                          \
    "addw %[x_], %[x_], %[next_]\n\t"                                                    \
    "vldrw.32 q1, [%[x_]]\n\t"                                                           \
    "subw %[x_], %[x_], %[next_]\n\t"
#define MVE_SUMS(count, load_next, s0, s1, s2, s3, s4, s5, s6, s7, x, next, w, step)     \
    do {                                                                                 \
        const uint32x4_t at0 = mve_steps(step), at1 = vaddq_n_u32(at0, 4),               \
                         at2 = vaddq_n_u32(at0, 8), at3 = vaddq_n_u32(at0, 12);          \
        const uint8x16_t low = vdupq_n_u8(0x80);                                         \
        int left = count;                                                                \
        __asm__("1:\n\t" load_next "vldrw.32 q0, [%[x_]], #16\n\t"                       \
                "vldrw.32 q2, [%[w_], %q[at0]]\n\t"                                      \
                "veor q1, q1, %q[low]\n\t"                                               \
                "veor q0, q0, %q[low]\n\t"                                               \
                "vmladava.s8 %[s4_], q1, q2\n\t"                                         \
                "vmladava.s8 %[s0_], q0, q2\n\t"                                         \
                "vldrw.32 q2, [%[w_], %q[at1]]\n\t"                                      \
                "vmladava.s8 %[s5_], q1, q2\n\t"                                         \
                "vmladava.s8 %[s1_], q0, q2\n\t"                                         \
                "vldrw.32 q2, [%[w_], %q[at2]]\n\t"                                      \
                "vmladava.s8 %[s6_], q1, q2\n\t"                                         \
                "vmladava.s8 %[s2_], q0, q2\n\t"                                         \
                "vldrw.32 q2, [%[w_], %q[at3]]\n\t"                                      \
                "vmladava.s8 %[s7_], q1, q2\n\t"                                         \
                "vmladava.s8 %[s3_], q0, q2\n\t"                                         \
                "adds %[w_], %[w_], %[row]\n\t"                                          \
                "subs %[left], %[left], #1\n\t"                                          \
                "bne 1b"                                                                 \
                : [s0_] "+Te"(s0), [s1_] "+Te"(s1), [s2_] "+Te"(s2), [s3_] "+Te"(s3),    \
                  [s4_] "+Te"(s4), [s5_] "+Te"(s5), [s6_] "+Te"(s6), [s7_] "+Te"(s7),    \
                  [x_] "+r"(x), [w_] "+r"(w), [left] "+r"(left)                          \
                : [low] "w"(low), [at0] "w"(at0), [at1] "w"(at1), [at2] "w"(at2),        \
                  [at3] "w"(at3), [next_] "i"(next), [row] "i"(16 * (step))              \
                : "cc", "memory", "q0", "q1", "q2");                                     \
    } while (0)

#endif
