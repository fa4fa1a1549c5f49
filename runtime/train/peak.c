/* Chains of multiply-adds that nothing but the multipliers limits: see peak.h. Each chain
 * waits for itself alone, and there are enough of them to hide that. */
#include "runtime/train/peak.h"

#include "runtime/kernels/dots.h"
#include "runtime/kernels/vectors.h"
#include "runtime/rt.h"

#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
typedef f16 Floats;
#elif defined(__AVX__)
enum { LANES = 8 };
typedef f8 Floats;
#else
enum { LANES = 4 };
typedef f4 Floats;
#endif

/* The tile of a kernel: ROWS values, each times two vectors, summed in variables of their
 * own, which stay in registers. */
enum { ROWS = 6, CHAINS = 2 * ROWS, TRIES = 6 };
static const double least_seconds = 2e-3; /* of a try */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define ZERO(i) a##i = zero, b##i = zero;
#define TOTAL(i) zero += a##i + b##i;

/* The compiler must take memory for changed, and so do the work of every round. */
static inline void forget(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Fused, as in trainers: the runtime's other files keep a * b + c in two roundings. */
__attribute__((optimize("fp-contract=fast"))) static void multiply_floats(long rounds,
                                                                          void *data)
{
    const float *x = data;
    Floats zero = {0}, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;
    EACH_ROW(ZERO)
    for (long round = 0; round < rounds; round++, forget()) {
        const Floats v = *(const Floats *)(x + 16), w = *(const Floats *)(x + 32);
#define STEP(i)                                                                          \
    a##i += x[i] * v;                                                                    \
    b##i += x[i] * w;
        EACH_ROW(STEP)
#undef STEP
    }
    EACH_ROW(TOTAL)
    *(Floats *)data = zero;
    forget();
}

static void multiply_integers(long rounds, void *data)
{
    const uint8_t *x = data;
    DotSums zero = {0}, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;
    EACH_ROW(ZERO)
    for (long round = 0; round < rounds; round++, forget()) {
        const DotSums v = *(const DotSums *)(x + 64), w = *(const DotSums *)(x + 128);
#define STEP(i)                                                                          \
    a##i = dot(a##i, x + 4 * i, v);                                                      \
    b##i = dot(b##i, x + 4 * i, w);
        EACH_ROW(STEP)
#undef STEP
    }
    EACH_ROW(TOTAL)
    *(DotSums *)data = zero;
    forget();
}

/* Seconds that this thread ran: others may use the machine meanwhile. */
static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct {
    void (*multiply)(long rounds, void *data);
    long rounds;
    double seconds[RT_MAX_THREADS]; /* that each took */
} Work;

static void run(void *context, int index, int worker)
{
    (void)worker;
    Work *work = context;
    float data[64] __attribute__((aligned(64))) = {0};
    double start = thread_seconds();
    work->multiply(work->rounds, data);
    work->seconds[index] = thread_seconds() - start;
}

/* Rounds per second of all threads together. */
static double rounds_per_second(void (*multiply)(long, void *), int threads)
{
    Work work = {.multiply = multiply, .rounds = 1000};
    for (run(&work, 0, 0); work.seconds[0] < least_seconds; run(&work, 0, 0))
        work.rounds *= 2;
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        double rate = 0;
        rt_parallel_for(threads, run, &work);
        for (int t = 0; t < threads; t++)
            rate += (double)work.rounds / work.seconds[t];
        best = rate > best ? rate : best;
    }
    return best;
}

Peak peak_measure(int threads)
{
    const double operations = 2.0 * CHAINS, bytes = 4 * (sizeof(DotSums) / 4);
    return (Peak){rounds_per_second(multiply_floats, threads) * operations * LANES,
                  rounds_per_second(multiply_integers, threads) * operations * bytes};
}
