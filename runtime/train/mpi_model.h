/* What a network would train at on several machines, from what it trains at on one. */
#ifndef LATHE_MPI_MODEL_H
#define LATHE_MPI_MODEL_H

#include "runtime/rt.h"

#include <stdio.h>

/* A network between machines: what one message takes at least, and bits per second of
 * each machine's line, each way at once. */
typedef struct {
    const char *name;
    double latency, bandwidth; /* seconds, bits per second */
} MpiNetwork;

/* Seconds of one step of `batch` images on so many processes, of which one alone does
 * `speed` images per second. A pass computes for images / (speed * processes); and waits
 * for the statistics, forward and backward, of each BN layer and for each quantiser's
 * sums: log2 P messages each. Gradients take 2 log2 P messages and 2 (P - 1) / P times
 * their bytes each way, hidden behind the backward pass, two thirds of the time, but for
 * those of the last message, which are there when it ends. */
double mpi_model_step(const Model *model, const MpiNetwork *network, int batch,
                      double speed, int processes);

/* The table: images per second and the share of P times one machine's, for 2 to 64
 * machines that are each like this one, with its threads. */
void mpi_model_print(FILE *file, const Model *model, int batch, double speed,
                     int threads);

#endif
