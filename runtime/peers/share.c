/* Sums of many floats over processes, on their way while the network goes on: see
 * peers.h. */
#include "runtime/base/support.h"
#include "runtime/peers/peers.h"

#include <stdlib.h>
#include <string.h>

/* A message is sent once it has this many floats: far more bytes than a network moves in
 * the time it takes to answer, far fewer than a network has. */
enum { FULL = 128 << 10, LEVELS = 8 };

/* Where a message's floats came from and go back to. */
typedef struct {
    float *values;
    long count;
} Part;

/* Floats on their way. In stage s of the first half it has floats at[s] .. end[s] - 1 of
 * the sum over 2^s ranks; the peer whose rank differs in bit s has the same floats of
 * the others', and takes the half that this one does not keep. The second half goes
 * through the stages backwards. */
typedef struct {
    Part *parts;
    int part_count, part_room;
    float *values, *others;
    long count, room;
    long at[LEVELS + 1], end[LEVELS + 1];
    int stage; /* of 2 log2 P; -1: being filled */
    PeerCall call;
} Message;

struct Sharing {
    Message *messages;
    int count, room; /* the last one may be being filled */
    int levels;      /* log2 P */
};

static Sharing *sharing_of(Peers *peers)
{
    if (peers->sharing == NULL) {
        peers->sharing = rt_alloc(sizeof *peers->sharing);
        while (1 << peers->sharing->levels < peers->count)
            peers->sharing->levels++;
    }
    return peers->sharing;
}

void peers_free_sharing(Peers *peers)
{
    Sharing *sharing = peers->sharing;
    for (int i = 0; sharing && i < sharing->room; i++) {
        free(sharing->messages[i].parts);
        free(sharing->messages[i].values);
        free(sharing->messages[i].others);
    }
    if (sharing)
        free(sharing->messages);
    free(sharing);
    peers->sharing = NULL;
}

/* ---- One message ---- */

/* The stage's exchange: floats out[0] .. out[1] - 1 go, in[0] .. in[1] - 1 come. */
static void stage_ranges(const Message *it, const Sharing *sharing, int level,
                         long out[2], long in[2])
{
    long from = it->at[level], end = it->end[level];
    long kept = it->at[level + 1], kept_end = it->end[level + 1];
    bool low = kept == from && kept_end <= end;
    long sent = low ? kept_end : from, sent_end = low ? end : kept;
    bool back = it->stage >= sharing->levels;
    out[0] = back ? kept : sent;
    out[1] = back ? kept_end : sent_end;
    in[0] = back ? sent : kept;
    in[1] = back ? sent_end : kept_end;
}

static int level_of(const Message *it, const Sharing *sharing)
{
    int levels = sharing->levels;
    return it->stage < levels ? it->stage : 2 * levels - 1 - it->stage;
}

static void begin_stage(Peers *peers, Message *it, int tag)
{
    const Sharing *sharing = peers->sharing;
    int level = level_of(it, sharing);
    long out[2], in[2];
    if (it->stage < sharing->levels) {
        long from = it->at[level], end = it->end[level], middle = from + (end - from) / 2;
        bool high = peers->rank >> level & 1;
        it->at[level + 1] = high ? middle : from;
        it->end[level + 1] = high ? end : middle;
    }
    stage_ranges(it, sharing, level, out, in);
    float *to = it->stage < sharing->levels ? it->others : it->values;
    peers->begin(&it->call, peers->rank ^ 1 << level, tag, it->values + out[0],
                 (size_t)(out[1] - out[0]) * sizeof(float), to + in[0],
                 (size_t)(in[1] - in[0]) * sizeof(float));
}

static void end_stage(const Sharing *sharing, Message *it)
{
    long out[2], in[2];
    stage_ranges(it, sharing, level_of(it, sharing), out, in);
    if (it->stage < sharing->levels)
        for (long i = in[0]; i < in[1]; i++)
            it->values[i] += it->others[i];
    it->stage++;
}

static bool arrived(const Sharing *sharing, const Message *it)
{
    return it->stage == 2 * sharing->levels;
}

static void send(Peers *peers, Message *it, int tag)
{
    long at = 0;
    if (it->room < it->count) {
        free(it->values);
        free(it->others);
        it->room = it->count;
        it->values = rt_alloc_aligned((size_t)it->room * sizeof(float));
        it->others = rt_alloc_aligned((size_t)it->room * sizeof(float));
    }
    for (int i = 0; i < it->part_count; at += it->parts[i++].count)
        memcpy(it->values + at, it->parts[i].values,
               (size_t)it->parts[i].count * sizeof(float));
    it->stage = 0;
    it->at[0] = 0;
    it->end[0] = it->count;
    begin_stage(peers, it, tag);
}

static void hand_back(const Message *it)
{
    long at = 0;
    for (int i = 0; i < it->part_count; at += it->parts[i++].count)
        memcpy(it->parts[i].values, it->values + at,
               (size_t)it->parts[i].count * sizeof(float));
}

/* ---- All of them ---- */

/* The message to fill, cleared if there was none. */
static Message *open_message(Sharing *sharing)
{
    if (sharing->count > 0 && sharing->messages[sharing->count - 1].stage < 0)
        return &sharing->messages[sharing->count - 1];
    if (sharing->count == sharing->room) {
        sharing->messages = rt_grow(sharing->messages, (size_t)(sharing->room + 1) *
                                                           sizeof *sharing->messages);
        sharing->messages[sharing->room++] = (Message){0};
    }
    Message *it = &sharing->messages[sharing->count++];
    it->part_count = 0;
    it->count = 0;
    it->stage = -1;
    return it;
}

void peers_share(Peers *peers, float *values, long count)
{
    Sharing *sharing = sharing_of(peers);
    Message *it = open_message(sharing);
    if (it->part_count == it->part_room) {
        it->part_room = 2 * it->part_room + 4;
        it->parts = rt_grow(it->parts, (size_t)it->part_room * sizeof *it->parts);
    }
    it->parts[it->part_count++] = (Part){values, count};
    it->count += count;
    if (it->count >= FULL)
        send(peers, it, sharing->count);
    peers_progress(peers);
}

void peers_progress(Peers *peers)
{
    Sharing *sharing = peers->sharing;
    for (int i = 0; sharing && i < sharing->count; i++) {
        Message *it = &sharing->messages[i];
        while (it->stage >= 0 && !arrived(sharing, it) && peers->done(&it->call)) {
            end_stage(sharing, it);
            if (!arrived(sharing, it))
                begin_stage(peers, it, i + 1);
        }
    }
}

void peers_shared(Peers *peers)
{
    Sharing *sharing = sharing_of(peers);
    if (sharing->count > 0 && sharing->messages[sharing->count - 1].stage < 0)
        send(peers, &sharing->messages[sharing->count - 1], sharing->count);
    const double start = seconds_now();
    peers_progress(peers);
    for (int i = 0; i < sharing->count; i++) {
        while (!arrived(sharing, &sharing->messages[i]))
            peers_wait(peers, start);
        hand_back(&sharing->messages[i]);
    }
    sharing->count = 0;
}
