/* Sums over the chunks of a pass: see chunks.h. */
#include "runtime/kernels/chunks.h"

#include <string.h>

/* Chunks `first` and on; what is on its way to other processes moves on meanwhile. */
typedef struct {
    Step *step;
    void (*body)(void *step, int chunk, int worker);
    int first;
} OwnChunks;

static void do_own(void *context, int index, int worker)
{
    const OwnChunks *own = context;
    own->body(own->step, own->first + index, worker);
    if (worker == 0) /* the thread that began */
        peers_progress(own->step->peers);
}

void rt_for_chunks(Step *step, void (*body)(void *step, int chunk, int worker))
{
    OwnChunks own = {step, body, first_own(step)};
    if (step->peers)
        rt_parallel_for(end_own(step) - own.first, do_own, &own);
    else
        rt_parallel_for(step->chunks, body, step);
}

static double *doubles_of(double *partial, size_t stride, int chunk)
{
    return (double *)((char *)partial + (size_t)chunk * stride);
}

const double *rt_total(const Step *step, double *partial, size_t stride, int count)
{
    int first = first_own(step), end = end_own(step);
    for (int reach = 1; reach < end - first; reach *= 2)
        for (int chunk = first; chunk < end; chunk += 2 * reach) {
            double *sum = doubles_of(partial, stride, chunk);
            const double *other = doubles_of(partial, stride, chunk + reach);
            for (int i = 0; i < count; i++)
                sum[i] += other[i];
        }
    double *total = doubles_of(partial, stride, first);
    if (step->peers)
        peers_total(step->peers, total, count);
    return total;
}

static void add(float *restrict sum, const float *restrict other, long count)
{
#pragma omp simd
    for (long i = 0; i < count; i++)
        sum[i] += other[i];
}

static float *floats_of(float *partial, size_t stride, int chunk)
{
    return (float *)((char *)partial + (size_t)chunk * stride);
}

void rt_add_chunks(const Step *step, int task, int tasks, long count, float *partial,
                   size_t stride, float *total)
{
    enum { BLOCK = 256 }; /* 16 of them fit the L1 cache */
    long at = count * task / tasks, stop = count * (task + 1) / tasks;
    int first = first_own(step), end = end_own(step);
    for (; at < stop; at += BLOCK) {
        long size = stop - at < BLOCK ? stop - at : BLOCK;
        for (int reach = 1; reach < end - first; reach *= 2)
            for (int chunk = first; chunk < end; chunk += 2 * reach)
                add(floats_of(partial, stride, chunk) + at,
                    floats_of(partial, stride, chunk + reach) + at, size);
        add(total + at, floats_of(partial, stride, first) + at, size);
    }
}

/* Complete subtrees lie one behind the other, the largest first: as many as there are
 * ones in the number of chunks that are done. */
static float *next_place(float *sums, long count, int done)
{
    return sums + count * __builtin_popcount((unsigned)done);
}

float *rt_tree_begin(float *sums, long count, int done, long from, long size)
{
    float *to = next_place(sums, count, done);
    memset(to + from, 0, (size_t)size * sizeof *to);
    return to;
}

void rt_tree_end(float *sums, long count, int done, long from, long size)
{
    float *last = next_place(sums, count, done) + from;
    for (; done % 2; done /= 2, last -= count)
        add(last - count, last, size);
}

void rt_tree_total(const float *sums, long from, long size, float *total)
{
    add(total + from, sums + from, size);
}

void rt_share(const Step *step, float *total, long count)
{
    if (step->peers)
        peers_share(step->peers, total, count);
}

void rt_shared(const Step *step)
{
    if (step->peers)
        peers_shared(step->peers);
}
