/* The one parallel construct: independent indices, handed out as threads become free. */
#include "runtime/rt.h"

#include <omp.h>

static int threads = 0;

void rt_set_threads(int count)
{
    threads = count;
}

int rt_threads(void)
{
    int count = threads > 0 ? threads : omp_get_num_procs();
    return count < RT_MAX_THREADS ? count : RT_MAX_THREADS;
}

void rt_parallel_for(int count, void (*body)(void *context, int index, int worker),
                     void *context)
{
    /* No more workers than indices: plans give scratch memory to RT_CHUNKS of them. */
    int team = count < rt_threads() ? count : rt_threads();
    if (count <= 0)
        return;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
    for (int index = 0; index < count; index++)
        body(context, index, omp_get_thread_num());
}
