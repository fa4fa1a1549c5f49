/* The passes, in the order main.c runs them. Each file's head says what it needs and
 * sets. */
#ifndef LATHE_PASSES_H
#define LATHE_PASSES_H

#include "gen/ir/links.h"
#include "gen/passes/target.h"

/* Ahead of fuse: a POINT behind each concatenation that quantises what it joins. */
void quantise_joins(Net *net);
/* fuse: runs of bn, add and relu become one op; there is dropout in training alone. */
void pass_fuse(Net *net, bool training);
/* fold: for inference; convolutions take in the affine, add and ReLU that follow. */
void pass_fold(Net *net);
/* The convolution that takes in this op of a fused net, or NULL. */
const Op *fold_conv(const Links *links, const Op *op);
/* quantise: for training, where the config quantises; codes and integer convolutions. */
void pass_quantise(Net *net);
/* Whether a mean of codes stays exact, a sum whose divisor is in the dense layers'
 * scales: it is of the whole image, and nothing else reads it. Any other is rounded to a
 * code. */
bool mean_is_exact(const Links *links, const Op *pool);
/* integer: for evaluation and inference; nothing but integers from the image to the
 * scores. False and rt_fail, naming the layer, when one is kept in floats. When
 * `standalone`, what depends on weights is constant instead of computed. */
bool pass_integer(Net *net, bool standalone);
/* Whether a standalone file packs such weights, with an I_UNPACK in front of their
 * layer. */
bool integer_packs(const Quantiser *quantiser);
/* The largest code that a tensor of codes can have, and a layer's weights. */
long integer_largest_code(const Quantiser *codes);
int integer_largest_weight(const Op *layer);
/* winograd: for a standalone file; convolutions by transformed tiles, where the target
 * has kernels for them. */
void pass_winograd(Net *net, const Target *target);
/* What a POINT or Q_POINT reads and puts out. */
typedef struct {
    int x, coef, residual, y;
} PointSlots;
PointSlots point_slots(const Op *point);
/* The first part of grad: a BN_FOLD becomes the sums and the batch's affine, ahead of the
 * POINT that applies it. */
void batch_statistics(Net *net);
/* Of what comes of a pass's, or each chunk's, statistics. */
Role norm_role(const Net *net);
/* grad: for training; batch statistics, loss and backward ops. */
void pass_grad(Net *net);
/* again: for training; what is cheap to make is made again for the backward pass. */
void pass_again(Net *net);
/* blocks: for a standalone file; packed weights of wide convolutions are unpacked a block
 * at a time. */
void pass_blocks(Net *net);
/* fetch: for a standalone file; weights are copied to the arena when a layer's turn
 * comes. */
void pass_fetch(Net *net);
/* select: lowering, vectors and tiles of every op, as the target wants them. */
void pass_select(Net *net, const Target *target, const Lowering *force);
/* The part of select that gives an I_CONV the form of its target, its tile and scratch;
 * false: it is one of lanes. */
bool choose_form(const Net *net, Op *op, const Target *target);
/* schedule: order and segments. */
void pass_schedule(Net *net);
/* ahead: what convolutions fetch of the next image. */
void pass_ahead(Net *net);
/* sequence: for one image; every op its own segment, in order. */
void pass_sequence(Net *net);
/* At least so wide a halo. A convolution reads its borders from one of zeros, so that no
 * loop tests for them. */
void want_halo(Tensor *tensor, int top, int left, int bottom, int right);
/* Let the op put its codes where its residual lies, for which both, and what else lies
 * there, get a wider halo; false: it cannot, or does already. pass_sequence follows. */
bool sequence_widen(Net *net, int index);
/* tighten: for one image; less memory for what the arena's peak is made of. */
void pass_tighten(Net *net);
/* prepare: for a standalone file; what is made of weights alone is made once. */
void pass_prepare(Net *net);
/* names: what kernels are called, so that those of one text share a name. */
void pass_names(Net *net);
/* plan: halos, arena offsets from liveness. */
void pass_plan(Net *net, int batch);
/* The part of plan that places nothing: sizes, and from when to when tensors are used. */
void plan_lives(Net *net, int batch);
/* The op at which most bytes of the arena are in use, and how many; needs lives. */
const Op *plan_peak(const Net *net, long *bytes);

#endif
