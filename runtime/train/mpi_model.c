/* Speed on several machines: see mpi_model.h. */
#include "runtime/train/mpi_model.h"

#include "runtime/train/size.h"

#include <math.h>

/* Of a message, as in runtime/peers/share.c. */
static const double message_bytes = 4 * (128 << 10);

static double at_once(const MpiNetwork *network, double bytes)
{
    return network->latency + 8 * bytes / network->bandwidth;
}

/* What a pass waits for besides its gradients: sums of doubles. */
static double waits(const Model *model, const MpiNetwork *network)
{
    double seconds = 3 * at_once(network, 16); /* the loss; whether all go on */
    for (int i = 0; i < model->stat_count && !model->norm_by_chunk; i++)
        if (model->stats[i].kind == PARAM_BN_MEAN)
            seconds += 2 * at_once(network, 16.0 * (double)model->stats[i].count);
    for (int i = 0; i < model->sized_count; i++)
        if (model->sized[i].is_activation && size_learns(&model->sized[i]))
            seconds += at_once(network, 16);
    return seconds;
}

double mpi_model_step(const Model *model, const MpiNetwork *network, int batch,
                      double speed, int processes)
{
    int passes = (batch - 1) / model->micro_batch + 1;
    double levels = log2(processes), share = 2 * (processes - 1.0) / processes;
    double bytes = 4 * (double)model->param_floats, computed = batch / speed / processes;
    double gradients = share * 8 * bytes / network->bandwidth;
    double hidden = computed / passes * 2 / 3;
    double last = share * 8 * fmin(bytes, message_bytes) / network->bandwidth;
    double exposed = fmax(gradients - hidden, last) + 2 * levels * network->latency;
    return computed + passes * (levels * waits(model, network) + exposed);
}

void mpi_model_print(FILE *file, const Model *model, int batch, double speed, int threads)
{
    static const MpiNetwork networks[] = {{"10 Gbit/s, 50 us", 50e-6, 10e9},
                                          {"1 Gbit/s, 200 us", 200e-6, 1e9}};
    enum { NETWORKS = sizeof networks / sizeof *networks, MOST = 64 };
    fprintf(file,
            "\nprocesses with %d thread%s each, batches of %d, %.1f MB of gradients; a "
            "model, not measured\n%9s",
            threads, threads == 1 ? "" : "s", batch, 4e-6 * (double)model->param_floats,
            "processes");
    for (int n = 0; n < NETWORKS; n++)
        fprintf(file, "  %24s", networks[n].name);
    for (int processes = 2; processes <= MOST; processes *= 2) {
        fprintf(file, "\n%9d", processes);
        for (int n = 0; n < NETWORKS; n++) {
            double step = mpi_model_step(model, &networks[n], batch, speed, processes);
            fprintf(file, "  %8.0f images/s, %4.2f", batch / step,
                    batch / step / speed / processes);
        }
        if (processes == model->chunks && processes < MOST)
            fprintf(file, "\n%9s  with train.chunks = %d:", "", (int)MOST);
    }
    fputc('\n', file);
}
