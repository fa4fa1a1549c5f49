/* Part of select: convolutions of codes that a target has a form of its own for, see FORMS.
 * What each wants of a layer, the tile it is printed with, and the arrays it keeps. */
#include "gen/passes/passes.h"

/* The rows under a strip of outputs, in 16 bits. */
static long rows_bytes(const Op *op, int channels)
{
    int columns = (op->strip - 1) * op->stride + op->kernel_w;
    return 2L * op->kernel_h * columns * channels;
}

/* Two pixels by two channels, from rows widened to 16 bits. */
static bool choose_dsp(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x");
    const Tensor *y = op_out(net, op, "y");
    enum { FEW = 4 << 10, MOST = 16 << 10 };
    op->strip = y->w;
    while (rows_bytes(op, x->cs) > FEW && op->strip > 2)
        op->strip = (op->strip + 3) / 4 * 2;
    op->scratch = rows_bytes(op, x->cs);
    int next = 2 * op->stride * x->cs, step = 4 * op->code_block; /* of ldrd */
    if (y->c % 2 != 0 || op->scratch > MOST || next > 1020 || step > 1020)
        return false;
    op->lanes = 1;
    op->tile_rows = op->tile_vectors = 2;
    return true;
}

bool choose_form(const Net *net, Op *op, const Target *target)
{
    bool chosen = false;
    if (op->kind == OP_I_CONV && target->form == FORM_DSP)
        chosen = choose_dsp(net, op);
    op->form = chosen ? target->form : FORM_LANES;
    op->scratch = chosen ? op->scratch : 0;
    return chosen;
}
