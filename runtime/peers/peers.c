/* Sums over processes, few and at once: see peers.h. Those of many floats are in share.c.
 */
#include "runtime/peers/peers.h"

#include "runtime/base/support.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 0 }; /* the tag; share.c has others */

static Peers *all;

Peers *rt_peers(void)
{
    return all;
}

void rt_set_peers(Peers *peers)
{
    all = peers;
}

/* Others may need the core; a wait of seconds, while a process evaluates or writes, is
 * not worth one. */
void peers_wait(Peers *peers, double since)
{
    peers_progress(peers);
    if (seconds_now() - since > 0.02)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    else
        sched_yield();
}

static void wait_for(Peers *peers, PeerCall *call)
{
    double start = seconds_now();
    while (!peers->done(call))
        peers_wait(peers, start);
}

static void exchange(Peers *peers, int peer, const void *out, size_t out_bytes, void *in,
                     size_t in_bytes)
{
    PeerCall call;
    peers->begin(&call, peer, AT_ONCE, out, out_bytes, in, in_bytes);
    wait_for(peers, &call);
}

/* The sum of two is the same from both sides, so that both may add. */
void peers_total(Peers *peers, double *values, int count)
{
    size_t bytes = (size_t)count * sizeof *values;
    double *others = rt_alloc(bytes);
    for (int reach = 1; reach < peers->count; reach *= 2) {
        exchange(peers, peers->rank ^ reach, values, bytes, others, bytes);
        for (int i = 0; i < count; i++)
            values[i] += others[i];
    }
    free(others);
}

/* Ranks below `reach`, counted from the sender, have it already. */
void peers_send(Peers *peers, int from, void *data, size_t bytes)
{
    int place = peers->rank ^ from;
    for (int reach = 1; reach < peers->count; reach *= 2) {
        int peer = (place ^ reach) ^ from;
        if (place < reach)
            exchange(peers, peer, data, bytes, NULL, 0);
        else if (place < 2 * reach)
            exchange(peers, peer, NULL, 0, data, bytes);
    }
}

/* Each process's number, [count]. */
static void gather(Peers *peers, double own, double numbers[MOST_PEERS])
{
    memset(numbers, 0, MOST_PEERS * sizeof *numbers);
    numbers[peers->rank] = own;
    peers_total(peers, numbers, peers->count);
}

bool peers_all(Peers *peers, bool ok)
{
    enum { MOST_TEXT = 4096 };
    if (peers == NULL)
        return ok;
    double failed[MOST_PEERS];
    gather(peers, !ok, failed);
    int first = 0;
    while (first < peers->count && failed[first] == 0)
        first++;
    if (first == peers->count)
        return true;
    char text[MOST_TEXT] = "";
    if (first == peers->rank && first > 0)
        snprintf(text, sizeof text, "process %d of %d, on %s: %s", first, peers->count,
                 peers->host, rt_error());
    else if (first == peers->rank)
        snprintf(text, sizeof text, "%s", rt_error());
    peers_send(peers, first, text, sizeof text);
    text[MOST_TEXT - 1] = 0;
    rt_error_clear();
    peers->ended = true;
    return rt_fail_lines(text);
}

static bool same_thing(const char *another, const char *own, const char *firsts)
{
    return strcmp(own, firsts) == 0 ||
           rt_fail("%s than process 0's, by SHA-256", another);
}

bool peers_alike(Peers *peers, const PeerThing *things, int count)
{
    if (peers == NULL)
        return true;
    size_t bytes;
    char own[65], first[65], *program = rt_read_file("/proc/self/exe", &bytes);
    bool ok = program != NULL;
    rt_sha256(program ? program : "", program ? bytes : 0, own);
    free(program);
    memcpy(first, own, sizeof first);
    peers_send(peers, 0, first, sizeof first);
    ok = ok && same_thing("another program", own, first);
    for (int i = 0; i < count; i++) {
        memcpy(first, things[i].hash, sizeof first);
        peers_send(peers, 0, first, sizeof first);
        ok = ok && same_thing(things[i].another, things[i].hash, first);
    }
    return peers_all(peers, ok);
}

int peers_largest(Peers *peers, int number)
{
    if (peers == NULL)
        return number;
    double numbers[MOST_PEERS];
    gather(peers, number, numbers);
    for (int i = 0; i < peers->count; i++)
        number = (int)numbers[i] > number ? (int)numbers[i] : number;
    return number;
}
