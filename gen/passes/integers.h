/* What the files of the integer pass share: integer.c, integer_moves.c,
 * joins.c. */
#ifndef LATHE_INTEGERS_H
#define LATHE_INTEGERS_H

#include "gen/passes/passes.h"

/* A float tensor as integers: codes, sums of products, or a stream. A stream is 32-bit
 * sums of a layer that adds but does not quantise, in one unit that its range allows. */
typedef struct {
    int tensor;       /* NONE: not there */
    const Op *conv;   /* of sums: whose products; else NULL */
    int scales, unit; /* of sums, of a stream: arrays of the trainer's; else NONE */
    int coef;         /* the affine in between, which joins that of the reader, or NONE */
} Value;

typedef struct {
    const Net *from;
    Links links; /* of `from` */
    Net net;
    bool standalone;
    Value *values; /* by float tensor */
} Integers;

extern const Value no_value;

/* False and rt_fail: the layer has no integer form, and why. */
bool refuse(const Op *op, const char *why);
/* The tensor that holds a float one's codes, or 32-bit sums called name and suffix; its
 * Value begins anew. */
int make_codes(Integers *in, int tensor, const Quantiser *quantiser);
int make_sums(Integers *in, int tensor, const char *name, const char *suffix);
/* Whether a float tensor has integers of that type. */
bool holds(const Integers *in, int tensor, Type type);
/* What the POINT puts out, as a stream. */
bool add_stream(Integers *in, const Op *point);

/* The integers that a reader with an affine `coef` (or NONE) of its own gets of a tensor:
 * the affine of *value is its, or one that lies between. */
bool value_before(Integers *in, const Op *reader, int tensor, int coef, Value *value);
/* Constants that bring x to codes of point->own, k channels, into its slots. */
void add_rescale(Integers *in, Op *point, int k, const Value *x);

/* Pools and subsampling, as their ops; false where one has no integer form. */
bool integer_moved(Integers *in, const Op *op);
bool integer_mean(Integers *in, const Op *op);
/* A POINT that quantises what a concatenation joins, part by part: joins.c. */
bool integer_joined(Integers *in, const Op *point, const Op *concat);

#endif
