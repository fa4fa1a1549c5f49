/* The most this machine multiplies, to compare kernels with. */
#ifndef LATHE_PEAK_H
#define LATHE_PEAK_H

/* Operations per second, a multiply-add being two of them. */
typedef struct {
    double floats;   /* float32 */
    double integers; /* sums of four products of bytes */
} Peak;

/* Measure with chains of the widest multiply-adds the runtime was built for, on that many
 * threads at once; the best of several short tries, since others may use the machine.
 * Takes about 0.1 s. */
Peak peak_measure(int threads);

#endif
