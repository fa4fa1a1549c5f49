/* Messages by MPI, and the main function of trainers that have it: see peers.h. Not part
 * of lathe: mpicc compiles it for a trainer that is made with --mpi. */
#include "runtime/peers/peers.h"
#include "runtime/rt.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(PeerCall) >= 2 * sizeof(MPI_Request), "a PeerCall holds two");

/* MPI ends all processes when one of its functions fails. */
static void begin(PeerCall *call, int peer, int tag, const void *out, size_t out_bytes,
                  void *in, size_t in_bytes)
{
    MPI_Request *requests = (MPI_Request *)(void *)call->state;
    requests[0] = requests[1] = MPI_REQUEST_NULL;
    if (out_bytes > INT_MAX || in_bytes > INT_MAX) {
        fprintf(stderr, "a message of %zu bytes, MPI takes at most %d\n",
                out_bytes > in_bytes ? out_bytes : in_bytes, INT_MAX);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (in_bytes > 0)
        MPI_Irecv(in, (int)in_bytes, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &requests[0]);
    if (out_bytes > 0)
        MPI_Isend(out, (int)out_bytes, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &requests[1]);
}

static bool done(PeerCall *call)
{
    int flag;
    MPI_Status statuses[2]; /* MPICH's word for none looks like a wild pointer to gcc */
    MPI_Testall(2, (MPI_Request *)(void *)call->state, &flag, statuses);
    return flag;
}

/* Processes on one machine that may run on the same cores share them: each gets the ones
 * of its own, by rank, and its threads go there. */
static void take_cores(void)
{
    MPI_Comm machine;
    int rank, count, before = 0, alike = 0;
    cpu_set_t mine, own;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &rank);
    MPI_Comm_size(machine, &count);
    cpu_set_t *sets = calloc((size_t)count, sizeof *sets);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        CPU_ZERO(&mine);
    if (sets == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Allgather(&mine, sizeof mine, MPI_BYTE, sets, sizeof mine, MPI_BYTE, machine);
    for (int i = 0; i < count; i++)
        if (CPU_EQUAL(&sets[i], &mine)) {
            before += i < rank;
            alike++;
        }
    free(sets);
    MPI_Comm_free(&machine);
    int cores = CPU_COUNT(&mine), seen = 0;
    int first = cores * before / alike, end = cores * (before + 1) / alike;
    end = end > first ? end : first + 1;
    CPU_ZERO(&own);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &mine)) {
            if (seen >= first && seen < end)
                CPU_SET(i, &own);
            seen++;
        }
    if (alike > 1 && CPU_COUNT(&own) > 0)
        sched_setaffinity(0, sizeof own, &own);
}

/* Only the first process prints. */
static void be_quiet(const Peers *peers)
{
    if (!peers_first(peers) && freopen("/dev/null", "w", stdout) == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
}

static bool count_fits(const Peers *peers, const Model *model)
{
    bool ok = (peers->count & (peers->count - 1)) == 0 && peers->count <= model->chunks;
    if (!ok && peers->rank == 0)
        fprintf(stderr,
                "%s: %d processes, want a power of two and no more than the %d chunks of "
                "train.chunks\n",
                model->name, peers->count, model->chunks);
    return ok;
}

int rt_mpi_trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe)
{
    static char host[MPI_MAX_PROCESSOR_NAME];
    Peers peers = {.begin = begin, .done = done, .host = host};
    int level, length, status = 1;
    /* Open MPI 4.1's PMIx 4.2 may fail to attach to its store in shared memory: "getting
     * local rank failed". This one is in each process's own. */
    setenv("PMIX_MCA_gds", "hash", 0);
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &peers.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &peers.count);
    MPI_Get_processor_name(host, &length);
    if (level < MPI_THREAD_FUNNELED && peers.rank == 0)
        fprintf(stderr, "%s: this MPI has no MPI_THREAD_FUNNELED\n", model->name);
    if (level >= MPI_THREAD_FUNNELED && count_fits(&peers, model)) {
        take_cores();
        be_quiet(&peers);
        if (peers.count > 1)
            rt_set_peers(&peers);
        status = rt_trainer_main(argc, argv, model, recipe);
        rt_set_peers(NULL);
        peers_free_sharing(&peers);
        if (status == 1 && peers.count > 1 && !peers.ended)
            MPI_Abort(MPI_COMM_WORLD, 1); /* the others wait for this one */
    }
    MPI_Finalize();
    return status;
}
