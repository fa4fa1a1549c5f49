/* For vectors of RISC-V, of any length: written in assembler, for compilers before gcc 13
 * have no intrinsics, and later ones have two sets. */
#ifndef LATHE_DOTS_RVV_H
#define LATHE_DOTS_RVV_H

#define RVV_REGISTERS                                                                    \
    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",     \
        "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",     \
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#if defined(__clang__)
#define RVV_CHANGES "memory", RVV_REGISTERS
#elif __GNUC__ >= 13
#define RVV_CHANGES "memory", "vl", "vtype", RVV_REGISTERS
#else /* knows no such registers */
#define RVV_CHANGES "memory"
#endif

/* How many channels of those left are taken at a time: four registers of sums. */
LATHE_INLINE long rvv_channels(long left)
{
    long count;
    __asm__("vsetvli %0, %1, e32, m4, ta, ma" : "=r"(count) : "r"(left));
    return count;
}

#endif
