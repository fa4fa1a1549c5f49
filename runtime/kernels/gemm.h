/* OpenBLAS: what it runs on, and how a process is prepared for it. */
#ifndef LATHE_GEMM_H
#define LATHE_GEMM_H

/* OpenBLAS older than the machine picks kernels far below what it can do (0.3.21 knows no
 * processor newer than 2022 and may fall back to SSE3: 20 GFLOP/s instead of 150), and
 * OpenMP's threads spin while they wait; both are told by the environment only, before
 * the libraries load. Set what is missing and run the program again; later calls do
 * nothing. When OpenBLAS still runs below the machine, say so on stderr. */
void rt_prepare_process(char **argv);

/* The kernels OpenBLAS runs on, such as "Haswell". */
const char *rt_blas_core(void);

#endif
