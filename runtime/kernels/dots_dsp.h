/* dots_plain.h's arithmetic for Arm's DSP extension (Cortex-M4, M7, M33): two products at
 * a time, of numbers of 16 bits. A word of four codes becomes two of such pairs: bytes 0
 * and 2, and 1 and 3. */
#ifndef LATHE_DOTS_DSP_H
#define LATHE_DOTS_DSP_H

/* Four unsigned codes, widened: the pairs are the halves. */
LATHE_INLINE uint64_t dsp_widen(const uint8_t *codes)
{
    uint32_t x, even, odd;
    __builtin_memcpy(&x, codes, 4);
    __asm__("uxtb16 %0, %1" : "=r"(even) : "r"(x));
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(x));
    return (uint64_t)odd << 32 | even;
}

/* A step: sums of two channels of one or two pixels get four products each, and x and w
 * go on to the next four codes. */
#define DSP_WEIGHTS                                                                      \
    "ldrd %[odd], %[odd1], [%[w]], %[step]\n\t"                                          \
    "sxtb16 %[even], %[odd]\n\t"                                                         \
    "sxtb16 %[even1], %[odd1]\n\t"                                                       \
    "sxtb16 %[odd], %[odd], ror #8\n\t"                                                  \
    "sxtb16 %[odd1], %[odd1], ror #8\n\t"
#define DSP_PIXEL(first, second)                                                         \
    "smlad %[" first "], %[a], %[even], %[" first "]\n\t"                                \
    "smlad %[" second "], %[a], %[even1], %[" second "]\n\t"                             \
    "smlad %[" first "], %[b], %[odd], %[" first "]\n\t"                                 \
    "smlad %[" second "], %[b], %[odd1], %[" second "]\n\t"
#define DSP_STEP_1 DSP_WEIGHTS "ldrd %[a], %[b], [%[x]], #8\n\t" DSP_PIXEL("s0", "s1")
#define DSP_STEP_2                                                                       \
    DSP_WEIGHTS "ldrd %[a], %[b], [%[x], %[next]]\n\t" DSP_PIXEL(                        \
        "s2", "s3") "ldrd %[a], %[b], [%[x]], #8\n\t" DSP_PIXEL("s0", "s1")
#define DSP_1(step) step
#define DSP_2(step) step step
#define DSP_3(step) step step step
#define DSP_4(step) step step step step

/* The sums s0 and s1 of a pixel and, of two `pixels`, s2 and s3 of the one
 * `next` bytes on get the products of count times as many steps as `steps` says;
 * the next codes of w are `step` bytes away. All of it one statement: compilers
 * run out of registers on it. */
#define DSP_SUMS(pixels, count, steps, s0_, s1_, s2_, s3_, x_, next_, w_, step_)         \
    do {                                                                                 \
        uint32_t a, b, even, odd, even1, odd1, left = count;                             \
        __asm__("1:\n\t" steps(DSP_STEP_##pixels) "subs %[left], %[left], #1\n\t"        \
                                                  "bne 1b"                               \
                : [s0] "+r"(s0_), [s1] "+r"(s1_), [s2] "+r"(s2_), [s3] "+r"(s3_),        \
                  [x] "+r"(x_), [w] "+r"(w_), [left] "+r"(left), [a] "=&r"(a),           \
                  [b] "=&r"(b), [even] "=&r"(even), [odd] "=&r"(odd),                    \
                  [even1] "=&r"(even1), [odd1] "=&r"(odd1)                               \
                : [next] "i"(next_), [step] "i"(step_)                                   \
                : "cc", "memory");                                                       \
    } while (0)

#endif
