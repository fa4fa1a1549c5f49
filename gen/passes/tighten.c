/* tighten: for a standalone file. Where the arena's peak is, less memory is made do with,
 * as long as that does not raise it elsewhere. A convolution whose output could lie where
 * its residual did, but for another halo, gets it there with the wider one. A
 * projection's sums, which take four bytes each, are made and added some rows at a time,
 * inside the loop over rows of the convolution that adds them. Needs: sequence. Sets:
 * halos and in_place; band and within, the order of ops and their segments, rows and role
 * of the sums. */
#include "gen/passes/passes.h"

#include <string.h>

/* Rows at a time, of which there is a multiple: their sums take half of the bytes that the
 * codes take that become of all, or are of a single row; or they are those of a block of
 * transformed tiles. */
static int band_rows(const Op *conv)
{
    int h = conv->band, rows = h >= 16 ? h / 8 : 1;
    if (conv->kind == OP_I_WINOGRAD)
        return conv->side * conv->blocks;
    while (h % rows != 0)
        rows--;
    return rows;
}

/* The projection whose sums the convolution alone adds, and can add in bands; or NULL.
 * Weights that are unpacked in blocks of channels are so for both, or for none. */
static const Op *projection_of(const Net *net, const Links *links, const Op *conv)
{
    const bool adds = conv->kind == OP_I_CONV || conv->kind == OP_I_WINOGRAD;
    int sums = adds ? conv->in[I_CONV_residual] : NONE; /* its place in both */
    const Op *made = sums == NONE ? NULL : net_writer(links, sums);
    bool can = made && made->kind == OP_I_CONV && net_readers(links, sums) == 1 &&
               made->groups == 1 && conv->groups == 1 &&
               made->channels == conv->channels &&
               conv->band == op_out(net, conv, "y")->h &&
               conv->band % band_rows(conv) == 0 && band_rows(conv) < conv->band;
    return can ? made : NULL;
}

/* A convolution that adds sums which are there at the peak; NONE: there is none. */
static int find(const Net *net, const Links *links, const Op *peak)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *conv = &net->ops[i];
        if (projection_of(net, links, conv) == NULL)
            continue;
        const Tensor *sums = op_in(net, conv, "residual");
        if (sums->first <= peak->segment && peak->segment <= sums->last)
            return i;
    }
    return NONE;
}

/* The projection goes where its sums are added. */
static void cut(Net *net, int conv, int projection)
{
    Op *to = &net->ops[conv], made = net->ops[projection];
    Tensor *sums = op_in(net, to, "residual");
    sums->role = ROLE_ONCE;
    sums->h = to->band = made.band = band_rows(to);
    made.within = true;
    memmove(&net->ops[projection], &net->ops[projection + 1],
            (conv - 1 - projection) * sizeof(Op));
    net->ops[conv - 1] = made;
}

/* Whether there was anything to change at this op. */
static bool tighten(Net *net, const Op *peak)
{
    bool changed = sequence_widen(net, (int)(peak - net->ops));
    if (!changed) {
        Links links = links_of(net);
        int conv = find(net, &links, peak);
        if (conv != NONE) {
            const Op *made = projection_of(net, &links, &net->ops[conv]);
            cut(net, conv, (int)(made - net->ops));
        }
        links_free(&links);
        changed = conv != NONE;
    }
    pass_sequence(net);
    return changed;
}

void pass_tighten(Net *net)
{
    for (bool better = true; better;) {
        long before, after;
        plan_lives(net, 1);
        const Op *peak = plan_peak(net, &before);
        Net next = net_copy(net);
        better = tighten(&next, &next.ops[peak - net->ops]);
        plan_lives(&next, 1);
        plan_peak(&next, &after);
        better = better && after <= before;
        if (better) {
            const Net other = *net;
            *net = next;
            next = other;
        }
        net_free(&next);
    }
}
