/* Convolutions as matrix products: our own, the same on every machine, or OpenBLAS's. The
 * only file that knows of OpenBLAS. */
#include "runtime/kernels/gemm.h"

#include "runtime/base/support.h"
#include "runtime/kernels/conv_groups.h"
#include "runtime/kernels/kernels.h"
#include "runtime/kernels/matmul.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* Grown to the largest convolution a thread has met, and kept until it ends: then the
 * key's destructor frees it. */
static _Thread_local float *scratch;
static _Thread_local size_t scratch_floats;
static pthread_key_t scratch_key;

static void make_scratch_key(void)
{
    pthread_key_create(&scratch_key, free);
}

static float *scratch_of(size_t floats)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (floats > scratch_floats) {
        pthread_once(&once, make_scratch_key);
        free(scratch);
        scratch = rt_alloc_aligned(floats * sizeof(float));
        scratch_floats = floats;
        pthread_setspecific(scratch_key, scratch);
    }
    return scratch;
}

/* Values first .. first + run - 1 of every window row in [r, r + rows), window by
 * window. */
static void im2col(const ConvCall *conv, const float *x, int r, int rows, int first,
                   int run, float *columns)
{
    for (int h = 0; h < conv->h; h++)
        for (int w = 0; w < conv->w; w++)
            for (int i = r; i < r + rows; i++, columns += run)
                memcpy(columns,
                       x + (size_t)(h * conv->stride + i) * conv->x_row +
                           (size_t)w * conv->stride * conv->c + first,
                       run * sizeof(float));
}

/* c [m][conv->k] = a b + beta c: see rt_matmul. */
static void multiply(const ConvCall *conv, bool transposed, int m, int depth,
                     const float *a, const float *b, float beta, float *c)
{
    if (!conv->blas)
        rt_matmul(transposed, m, conv->k, depth, a, b, beta, c);
    else
        cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    m, conv->k, depth, 1, a, transposed ? m : depth, b, conv->k, beta, c,
                    conv->k);
}

void rt_conv(const ConvCall *conv, const float *x, const float *w, float *y)
{
    if (conv->groups > 1) {
        conv_groups(conv, x, w, y);
        return;
    }
    int pixels = conv->h * conv->w, depth = conv->kernel_h * conv->kernel_w * conv->c;
    float *columns = scratch_of((size_t)pixels * (depth + conv->k));
    float *product = columns + (size_t)pixels * depth;
    im2col(conv, x, 0, conv->kernel_h, 0, conv->kernel_w * conv->c, columns);
    multiply(conv, false, pixels, depth, columns, w, 0, product);
    for (int h = 0; h < conv->h; h++) {
        for (int p = 0; p < conv->w; p++, product += conv->k) {
            float *out = y + (size_t)h * conv->y_row + (size_t)p * conv->y_pixel;
            for (int k = 0; k < conv->k; k++)
                out[k] = conv->add ? out[k] + product[k] : product[k];
        }
    }
}

/* dw [depth][k] += columns' dy, dy packed first; scratch holds columns
 * [pixels][depth]. */
static void add_product(const ConvCall *conv, int depth, const float *columns,
                        float *dense, const float *dy, float *dw)
{
    int pixels = conv->h * conv->w;
    for (int h = 0; h < conv->h; h++)
        memcpy(dense + (size_t)h * conv->w * conv->k, dy + (size_t)h * conv->y_row,
               (size_t)conv->w * conv->k * sizeof(float));
    multiply(conv, true, depth, pixels, columns, dense, 1, dw);
}

void rt_conv_weight(const ConvCall *conv, const float *x, const float *dy, float *dw)
{
    if (conv->groups > 1) {
        for (int tap = 0; tap < conv->kernel_h * conv->kernel_w; tap++)
            conv_groups_weight(conv, x, dy, dw, tap * conv->own, conv->own);
        return;
    }
    int run = conv->kernel_w * conv->c, depth = conv->kernel_h * run;
    size_t pixels = (size_t)conv->h * conv->w;
    float *columns = scratch_of(pixels * (depth + conv->k));
    im2col(conv, x, 0, conv->kernel_h, 0, run, columns);
    add_product(conv, depth, columns, columns + pixels * depth, dy, dw);
}

void rt_conv_weight_rows(const ConvCall *conv, const float *x, const float *dy, float *dw,
                         int first, int count)
{
    if (conv->groups > 1) {
        conv_groups_weight(conv, x, dy, dw, first, count);
        return;
    }
    int run = conv->kernel_w * conv->c;
    size_t pixels = (size_t)conv->h * conv->w;
    float *columns = scratch_of(pixels * (count + conv->k));
    im2col(conv, x, first / run, 1, first % run, count, columns);
    add_product(conv, count, columns, columns + pixels * count, dy,
                dw + (size_t)first * conv->k);
}

const char *rt_blas_core(void)
{
    return openblas_get_corename();
}

/* The OPENBLAS_CORETYPE that suits this machine, or NULL where OpenBLAS is trusted. */
static const char *best_core(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}

/* How wide the kernels of that name are: 2 AVX-512, 1 AVX2, 0 less. */
static int core_width(const char *core)
{
    static const char *const avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *const avx2[] = {"Haswell", "Zen", "Excavator"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(core, avx512[i]) == 0)
            return 2;
        if (strcmp(core, avx2[i]) == 0)
            return 1;
    }
    return 0;
}

void rt_prepare_process(char **argv)
{
    const char *best = best_core();
    if (getenv("LATHE_PREPARED") == NULL) {
        setenv("LATHE_PREPARED", "1", 1);
        setenv("OMP_WAIT_POLICY", "passive", 0);
        setenv("OPENBLAS_NUM_THREADS", "1", 1); /* our own loops share the work */
        if (best && core_width(rt_blas_core()) < core_width(best))
            setenv("OPENBLAS_CORETYPE", best, 0); /* what the user chose stays */
        execv("/proc/self/exe", argv);
    }
    if (best && core_width(rt_blas_core()) == 0)
        fprintf(stderr,
                "warning: OpenBLAS runs its %s kernels where %s ones would be several "
                "times as "
                "fast; set OPENBLAS_CORETYPE=%s\n",
                rt_blas_core(), best, best);
    openblas_set_num_threads(1); /* where LATHE_PREPARED was inherited */
}
