/* Convolutions of 3x3 windows, stride 1, as F(4x4, 3x3) (Winograd 1980; Lavin and Gray
 * 2016): the input is cut into tiles of 6x6 pixels that overlap by 2, each tile and the
 * window become values at 36 points, their products are summed over the channels, and the
 * sums become a tile of 4x4 outputs: 36 products where 144 were. Backward by input is the
 * same with the window turned. Backward by weights is F(3x3, 4x4): tiles of the input and
 * of the outputs' gradient at the same points, products summed over the tiles. */
#ifndef LATHE_WINOGRAD_H
#define LATHE_WINOGRAD_H

#include "gen/ir/ir.h"

/* APART: floats between the values of one point and the next, lest all fall into the same
 * sets of the cache. */
enum { WINOGRAD_TILE = 4, WINOGRAD_SIDE = 6, WINOGRAD_POINTS = 36, WINOGRAD_APART = 16 };

/* What such an op is made of: tiles of `from`, the first of which begins so many pixels
 * above and left of pixel 0, 0, one for each tile of 4x4 pixels of `to`; c and k
 * channels. */
typedef struct {
    Tensor *from, *to;
    int above, before;
    int rows, columns; /* of tiles */
    int c, k;
} Tiling;
/* Of an op that winograd_can. */
Tiling winograd_tiling(const Net *net, const Op *op);

/* Whether the op can be done so. */
bool winograd_can(const Net *net, const Op *op);
/* Whether that is faster. It hangs on the op's shape alone, so that all targets that
 * round alike add in the same order. */
bool winograd_pays(const Net *net, const Op *op);
/* How many tiles are transformed before they are multiplied: so many that weights are
 * used often, and so few that all stays in the cache. */
int winograd_chunk(const Tiling *tiling);
/* The same for a gradient by weights, whose sums are what is used often; *images: those
 * that the tiles come from, 1 where they are a part of one image's. */
int winograd_gradient_chunk(const Tiling *tiling, int *images);
/* Floats of the transformed weights of c x k channels: [point][c k], each APART from the
 * next. */
int winograd_weight_count(int weights);
/* How many of k output channels lie side by side in a standalone file's transformed
 * weights, which all targets read: a divisor of k that vectors of each of them fill. */
int winograd_panel(int k);

/* Give the op at `index` this lowering. Weights that it reads are transformed once a
 * step: by one more op, which is put in front of it, or by the CONV_FLIP that turns them.
 * What it adds up for a gradient by weights lies in one more tensor. */
void winograd_lower(Net *net, int index);
/* Then: what is done pixel by pixel around such ops is done by them. */
void winograd_absorb(Net *net);
/* The op that transforms the weights of such an op. */
Op *winograd_weights(const Net *net, const Op *op);

#endif
