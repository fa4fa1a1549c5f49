/* Pools and concatenations of the quantised network in double: see quant_pass.h. */
#include "tests/oracle/quant_pass.h"

#include "tests/oracle/reference.h"

#include <math.h>

static const Op *writer_of(const Pass *p, int tensor)
{
    int i = 0;
    while (!op_writes(&p->net->ops[i], tensor))
        i++;
    return &p->net->ops[i];
}

/* Whether dense layers alone read what the op puts out, behind dropout or at once. */
static bool is_for_dense(const Pass *p, const Op *op)
{
    bool is = true;
    for (int i = 0; i < p->net->op_count; i++) {
        const Op *reader = &p->net->ops[i];
        if (op_reads(reader, op->out[0]))
            is = is && (reader->kind == OP_DENSE ||
                        (reader->kind == OP_DROPOUT && is_for_dense(p, reader)));
    }
    return is;
}

/* Whether the op is a mean of the whole image for dense layers alone, which is exact. */
static bool is_exact(const Pass *p, const Op *op)
{
    const Tensor *x = &p->net->tensors[op->in[0]];
    return op->kind == OP_AVGPOOL && op->pad_top + op->pad_left == 0 &&
           op->kernel_h == x->h && op->kernel_w == x->w && is_for_dense(p, op);
}

static double own_step(const Pass *p, const Op *op, int *largest)
{
    return quant_formula_step(&op->own, number(p, op->own.step, 0),
                              number(p, op->own.range, 0), largest);
}

/* The step of the codes that a tensor is of; 0: it is not quantised. */
static double code_step(const Pass *p, int tensor)
{
    int largest;
    const Op *op = writer_of(p, tensor);
    bool moves = op->kind == OP_MAXPOOL || op->kind == OP_SUBSAMPLE ||
                 (op->kind == OP_AVGPOOL && !is_exact(p, op));
    if (moves)
        return code_step(p, op->in[0]);
    if (op_is(op, WEIGHTS) || op->own.quantizer == RT_QUANT_NONE)
        return 0;
    return own_step(p, op, &largest);
}

void round_mean(const Pass *p, const Op *op, double *y)
{
    double step = is_exact(p, op) ? 0 : code_step(p, op->in[0]);
    for (long i = 0; step > 0 && i < count_of(p, op->out[0]); i++)
        y[i] = floor(y[i] / step + 0.5 + 1e-9) * step;
}

/* Joins; then, where it has a quantiser, quantises. */
void forward_concat(const Pass *p, const Op *op)
{
    const Tensor *y = &p->net->tensors[op->out[0]];
    long pixels = (long)p->o->count * y->h * y->w;
    double *values = p->values[op->out[0]];
    for (int i = 0, before = 0; i < OP_INPUTS && op->in[i] != NONE; i++) {
        int c = p->net->tensors[op->in[i]].c;
        ref_join(pixels, c, y->c, before, p->values[op->in[i]], values);
        before += c;
    }
    if (op->own.quantizer == RT_QUANT_NONE)
        return;
    int largest;
    double step = own_step(p, op, &largest), zero = op->own.zero;
    for (long i = 0; i < pixels * y->c; i++) /* as integers are: halves go up */
        values[i] =
            (fmin(fmax(floor(values[i] / step + zero + 0.5 + 1e-9), 0), largest) - zero) *
            step;
}

/* Each part gets its channels of dy, through the quantiser; the lowest code's value is
 * within it. */
void backward_concat(const Pass *p, const Op *op)
{
    const Quantiser *q = &op->own;
    const Tensor *y = &p->net->tensors[op->out[0]];
    double by[2] = {0}, size[2] = {0};
    int largest;
    for (int i = 0, before = 0; i < OP_INPUTS && op->in[i] != NONE; i++) {
        int c = p->net->tensors[op->in[i]].c;
        for (long j = 0; j < p->o->count * count_of(p, op->in[i]); j++) {
            double x = p->values[op->in[i]][j], last[2] = {by[0], by[1]};
            double g = p->gradients[op->out[0]][j / c * y->c + before + j % c];
            bool lowest = q->quantizer != RT_QUANT_NONE &&
                          fabs(x + q->zero * own_step(p, op, &largest)) < 1e-9;
            if (q->quantizer != RT_QUANT_NONE && !lowest)
                g = quant_oracle_value(q, x, number(p, q->step, 0),
                                       number(p, q->range, 0), g, &by[0], &by[1]);
            p->gradients[op->in[i]][j] += g;
            size[0] += fabs(by[0] - last[0]);
            size[1] += fabs(by[1] - last[1]);
        }
        before += c;
    }
    add_numbers(p, q, (double)count_of(p, op->out[0]), 0, by[0], by[1], size);
}
