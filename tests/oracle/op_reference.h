/* What an op of the IR computes, on dense arrays. */
#ifndef LATHE_OP_REFERENCE_H
#define LATHE_OP_REFERENCE_H

#include "gen/config/config.h"

/* One op, one image. Tensors per image are [h][w][c]; of a partial the sum over its
 * chunks, or, where the op is for one, that one's. */
typedef struct {
    const Config *config;
    const Net *net;
    const Op *op;
    double *in[OP_INPUTS];   /* by slot; running statistics change */
    double *out[OP_OUTPUTS]; /* filled with what the op writes or adds */
    const double *weight;    /* not turned or transformed; NULL: as in `in` */
    const double *before;    /* CONV_BWD_INPUT: dx, where it adds to that; or NULL */
    int images;              /* that the op is for: of the batch, or of a chunk */
    int all_images;          /* of the batch */
    int label;               /* LOSS */
    int image;               /* DROPOUT */
    double smoothing, loss_scale;
    double loss, correct; /* LOSS_FINISH */
} OpView;

/* False for the ops without a reference: CONV_FLIP and CONV_TRANSFORM, whose output is
 * their own affair. */
bool reference_op(OpView *view);

#endif
