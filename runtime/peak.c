/* Chains of multiply-adds that nothing but the multipliers limits: see peak.h. Each chain
 * waits for itself alone, and there are enough of them to hide that. */
#include "peak.h"

#include "progress.h"
#include "rt.h"
#include "vectors.h"

#if defined(__AVX512VNNI__) && defined(__AVX512F__)
#define LATHE_INTEGERS 16
#elif defined(__AVX2__)
#define LATHE_INTEGERS 8
#else
#define LATHE_INTEGERS 1
#endif
#include "dots.h"

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

#if LATHE_INTEGERS == 16
typedef i16 Sums;
#define DOT dot_i16
#elif LATHE_INTEGERS == 8
typedef i8 Sums;
#define DOT dot_i8
#else
typedef i1 Sums;
#define DOT dot_i1
#endif

/* The tile of a kernel: ROWS values, each times two vectors, summed in variables of their
 * own, which stay in registers. */
enum { ROWS = 6, CHAINS = 2 * ROWS, TRIES = 8 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define ZERO(i) a##i = zero, b##i = zero;
#define TOTAL(i) zero += a##i + b##i;

/* The compiler must take memory for changed, and so do the work of every round. */
static inline void forget(void)
{
    __asm__ volatile("" : : : "memory");
}

static void multiply_floats(long rounds, void *data)
{
    const float *x = data;
    Floats zero = {0}, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;
    EACH_ROW(ZERO)
    for (long round = 0; round < rounds; round++, forget()) {
        const Floats v = *(const Floats *)(x + 16), w = *(const Floats *)(x + 32);
#define STEP(i)                                                                           \
    a##i += x[i] * v;                                                                     \
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
    Sums zero = {0}, a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;
    EACH_ROW(ZERO)
    for (long round = 0; round < rounds; round++, forget()) {
        const Sums v = *(const Sums *)(x + 64), w = *(const Sums *)(x + 128);
#define STEP(i)                                                                           \
    a##i = DOT(a##i, x + 4 * i, v);                                                       \
    b##i = DOT(b##i, x + 4 * i, w);
        EACH_ROW(STEP)
#undef STEP
    }
    EACH_ROW(TOTAL)
    *(Sums *)data = zero;
    forget();
}

typedef struct {
    void (*multiply)(long rounds, void *data);
    long rounds;
} Work;

static void run(void *context, int index, int worker)
{
    (void)index;
    (void)worker;
    const Work *work = context;
    float data[64] __attribute__((aligned(64))) = {0};
    work->multiply(work->rounds, data);
}

/* Rounds per second of all threads together. */
static double rounds_per_second(void (*multiply)(long, void *), int threads)
{
    Work work = {multiply, 1000};
    double best = 0, seconds = 0;
    for (int i = 0; i < TRIES || seconds < 2e-3;) {
        double start = seconds_now();
        rt_parallel_for(threads, run, &work);
        seconds = seconds_now() - start;
        double rate = (double)work.rounds * threads / (seconds > 0 ? seconds : 1e-9);
        if (seconds < 4e-3 && i == 0) {
            work.rounds *= 2; /* until a try is long enough to be timed */
            continue;
        }
        best = rate > best ? rate : best;
        i++;
    }
    return best;
}

Peak peak_measure(int threads)
{
    const double operations = 2.0 * CHAINS, bytes = 4 * (sizeof(Sums) / 4);
    return (Peak){rounds_per_second(multiply_floats, threads) * operations * LANES,
                  rounds_per_second(multiply_integers, threads) * operations * bytes};
}
