/* What the files of the quantised network in double share: see quant_oracle.h. */
#ifndef LATHE_QUANT_PASS_H
#define LATHE_QUANT_PASS_H

#include "tests/oracle/quant_oracle.h"

typedef struct {
    QuantOracle *o;
    const Net *net;
    double **values, **gradients; /* by tensor: [count][h][w][c] */
    double **weights;             /* by op: quantised, the image's factor in them */
    double **biases;              /* by op: of the dense layer */
} Pass;

static inline long count_of(const Pass *p, int tensor)
{
    return tensor_count(&p->net->tensors[tensor]);
}

static inline double number(const Pass *p, int tensor, long i)
{
    return tensor == NONE ? 0 : quant_number(p->o->net, tensor)[i];
}

/* Add to the gradients of a quantiser's which-th numbers; size: of what they are sums. */
void add_numbers(const Pass *p, const Quantiser *q, double n, int which, double by_step,
                 double by_range, const double size[2]);

/* A mean of codes is the nearest code, the upper one of two; y is one image's. */
void round_mean(const Pass *p, const Op *op, double *y);
void forward_concat(const Pass *p, const Op *op);
void backward_concat(const Pass *p, const Op *op);

#endif
