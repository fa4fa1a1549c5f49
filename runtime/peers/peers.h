/* Processes that train one network together. Each has a power-of-two range of every
 * pass's chunks, and all take the same steps: what one knows alone is added up by a fixed
 * binary tree over the ranks, so that every process has the same sums, to the bit, as a
 * process that does all the work. Every function here is for all processes to call, in
 * the same order, by the thread that began. */
#ifndef LATHE_PEERS_H
#define LATHE_PEERS_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_PEERS = 256 };

/* Two messages on their way; what is in it is the transport's. */
typedef struct {
    void *state[4];
} PeerCall;

typedef struct Sharing Sharing;

/* What carries messages, and where this process stands. */
typedef struct Peers {
    int rank, count; /* count: a power of two */
    const char *host;
    /* Begin to send to a peer and to receive from it, 0 bytes: not. Calls between two
     * peers that have one tag go in order. A peer that is lost ends the process. */
    void (*begin)(PeerCall *call, int peer, int tag, const void *out, size_t out_bytes,
                  void *in, size_t in_bytes);
    bool (*done)(PeerCall *call);
    bool ended;       /* all processes know that the run has failed, and why */
    Sharing *sharing; /* of floats, see peers_share, which makes it */
} Peers;

/* The processes that this one is with; NULL: it is alone. */
Peers *rt_peers(void);
void rt_set_peers(Peers *peers);
void peers_free_sharing(Peers *peers);

/* values [count] = sum over the processes. By exchanges with ever farther ranks: for few
 * values. */
void peers_total(Peers *peers, double *values, int count);

/* The same for many floats, while other things go on: `values` must stay until
 * peers_shared() returns, and has the sums then. Floats that are given one after the
 * other go in messages of some size: halves of them are exchanged, halves of those, and
 * then the sums sent back the same way, 2 (P - 1) / P of the bytes each way for P
 * processes (Thakur et al. 2005, recursive halving and doubling). */
void peers_share(Peers *peers, float *values, long count);
void peers_shared(Peers *peers);
/* Let what is on its way move on: from time to time, by the thread that began. */
void peers_progress(Peers *peers);
/* The same, for who has nothing else to do since then (seconds_now): it lets others have
 * the core, and sleeps when it takes long. */
void peers_wait(Peers *peers, double since);

/* Rank `from`'s bytes to all. */
void peers_send(Peers *peers, int from, void *data, size_t bytes);

/* Functions that may be called with no peers (NULL), where they do nothing. */
/* Whether it went well everywhere; else false, and rt_error of every process is that of
 * the first process that failed. */
bool peers_all(Peers *peers, bool ok);
/* The largest of the processes' numbers. */
int peers_largest(Peers *peers, int number);
/* What all processes are to have alike: "another X" names one that is not, and its
 * SHA-256. */
typedef struct {
    const char *another;
    char hash[65];
} PeerThing;
/* Whether every process has the first one's program, and these things: else they would
 * wait for one another, or each do something of its own. False and rt_fail as
 * peers_all. */
bool peers_alike(Peers *peers, const PeerThing *things, int count);
/* Whether this is the process that writes, and speaks. */
static inline bool peers_first(const Peers *peers)
{
    return peers == NULL || peers->rank == 0;
}

#endif
