/* A pass's images are cut into Step.chunks chunks, a power of two, and sums over the
 * images are kept per chunk. The chunks' sums are added by one fixed binary tree, chunk 0
 * to chunk 1, 2 to 3, then 0..1 to 2..3, whoever computes them: so results do not depend
 * on the number of threads, nor of processes: each of these has the chunks of a subtree,
 * first_own() .. end_own() - 1. */
#ifndef LATHE_CHUNKS_H
#define LATHE_CHUNKS_H

#include "runtime/peers/peers.h"
#include "runtime/rt.h"

static inline int first_own(const Step *step)
{
    return step->peers ? step->chunks / step->peers->count * step->peers->rank : 0;
}

static inline int end_own(const Step *step)
{
    return first_own(step) + step->chunks / (step->peers ? step->peers->count : 1);
}

/* Call body(step, chunk, worker) for each own chunk, shared among the threads. */
void rt_for_chunks(Step *step, void (*body)(void *step, int chunk, int worker));

/* The sum of all chunks' `count` doubles, chunks `stride` bytes apart; it takes the place
 * of the first own chunk's, the others are used up. */
const double *rt_total(const Step *step, double *partial, size_t stride, int count);

/* Piece `task` of `tasks`: total [count] += the sum of the own chunks' floats, which are
 * used up. */
void rt_add_chunks(const Step *step, int task, int tasks, long count, float *partial,
                   size_t stride, float *total);

/* The same sums where a chunk's floats are too many to be kept for all chunks: chunk is
 * computed after chunk, and added to those before as soon as the tree allows it, in
 * `sums`, [tree_copies(chunks)][count]. Both functions, and the adding of sums[0] to the
 * total in the end, do floats from .. from + size - 1 of count, so that threads share. */
static inline int tree_copies(int chunks)
{
    int copies = 1;
    for (; chunks > 1; chunks /= 2)
        copies++;
    return copies;
}
/* Where to add up the floats of the chunk after `done` others: cleared. */
float *rt_tree_begin(float *sums, long count, int done, long from, long size);
/* That chunk is complete. */
void rt_tree_end(float *sums, long count, int done, long from, long size);
void rt_tree_total(const float *sums, long from, long size, float *total);

/* Such a total, of own chunks, is to become that of all: it is on its way from here on,
 * and nobody's until rt_shared() returns. One process has it already. */
void rt_share(const Step *step, float *total, long count);
void rt_shared(const Step *step);

#endif
