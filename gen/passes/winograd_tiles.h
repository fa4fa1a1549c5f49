/* How a target multiplies codes by transformed tiles: see winograd_codes.c. */
#ifndef LATHE_WINOGRAD_TILES_H
#define LATHE_WINOGRAD_TILES_H

#include "gen/ir/ir.h"

typedef struct {
    int lanes;     /* of the targets that do it so */
    int side;      /* outputs of a tile, down and across */
    bool constant; /* a file has the transformed weights, unless it prepares them */
    /* Whether it is there for so many channels, and exact for codes and weights that
     * large. */
    bool (*fits)(const Op *op, long code, long weight, long channels);
    /* Whether it is faster than the I_CONV. */
    bool (*pays)(const Net *net, const Op *op);
    /* 32-bit words of transformed weights for an output channel. */
    int (*words)(int channels);
    /* Whether the kernel transforms weights; NULL: none does. */
    bool (*makes_weights)(const Net *net, const Op *op);
    /* Gives the I_WINOGRAD its tile; the bytes of a block's transformed tiles and sums. */
    int (*tile)(const Net *net, Op *op);
} TileScheme;

extern const TileScheme winograd_words;

/* Rows of tiles in a block: few, for what they transform to takes memory, but more the
 * farther away the bytes of weights are that each block reads: all rows for those beyond
 * a second-level cache. */
int winograd_block_rows(int down, int across, long weights);
/* Tiles multiplied at a time: as many as divide the block's, or about equal shares. */
int winograd_tiles_at_once(int tiles, int fewest, int most);

#endif
