/* Part of select: convolutions of codes that a target has a form of its own for, see
 * FORMS. What each wants of a layer, the tile it is printed with, and the arrays it
 * keeps. */
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
    enum { FEW = 4 << 10, MOST = 16 << 10 };
    op->strip = op_out(net, op, "y")->w;
    while (rows_bytes(op, x->cs) > FEW && op->strip > 2)
        op->strip = (op->strip + 3) / 4 * 2;
    op->scratch = rows_bytes(op, x->cs);
    int next = 2 * op->stride * x->cs, step = 4 * op->code_block; /* of ldrd */
    if (op->channels % 2 != 0 || op->scratch > MOST || next > 1020 || step > 1020)
        return false;
    op->lanes = 1;
    op->tile_rows = op->tile_vectors = 2;
    return true;
}

/* Pixels by sixteen channels: in four vectors a pixel, or eight of parts of sums. */
static bool choose_neon(const Net *net, Op *op, int pixels)
{
    const Tensor *y = op_out(net, op, "y");
    if (op->channels % 16 != 0)
        return false;
    op->lanes = op->tile_vectors = 4;
    op->tile_rows = y->w < pixels ? y->w : pixels;
    op->scratch = 6 << 10; /* of intrinsics, whose values all lie in memory at -O0 */
    return true;
}

/* Two pixels by four channels. */
static bool choose_mve(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x");
    op->lanes = 1;
    op->tile_rows = 2;
    op->tile_vectors = 4;
    return op->channels % 4 == 0 && op->stride * x->cs <= 508; /* the reach of vldrw */
}

/* Up to four pixels by the channels of four vectors of sums. */
static bool choose_rvv(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    enum { REACH = 2047 }; /* of lbu */
    int apart = op->stride * x->cs, pixels = REACH / apart + 1;
    op->lanes = 4;
    op->tile_vectors = 4;
    op->tile_rows = pixels < 4 ? pixels : 4;
    op->tile_rows = y->w < op->tile_rows ? y->w : op->tile_rows;
    return true;
}

/* Depthwise, of codes alone: 64 channels at once, and what is left of them by vectors. */
static bool choose_crossed(const Net *net, Op *op)
{
    op->scratch = 8 << 10; /* sums of pixels by four vectors, taps, constants */
    return op->depthwise && op->kernel_h <= 4 && op->lanes == 16 &&
           op_out(net, op, "y")->c >= 64 && op->own.quantizer != RT_QUANT_NONE &&
           op->in[I_CONV_residual] == NONE;
}

static bool choose(const Net *net, Op *op, Form form)
{
    switch (form) {
    case FORM_CROSSED:
        return choose_crossed(net, op);
    case FORM_DSP:
        return choose_dsp(net, op);
    case FORM_MVE:
        return choose_mve(net, op);
    case FORM_NEON:
        return choose_neon(net, op, 2);
    case FORM_NEON_DOT:
        return choose_neon(net, op, 4);
    case FORM_RVV:
        return choose_rvv(net, op);
    default:
        return false;
    }
}

bool choose_form(const Net *net, Op *op, const Target *target)
{
    bool groups = target->form == FORM_CROSSED; /* the others are of dense ones */
    bool chosen = op->kind == OP_I_CONV && (op->groups > 1) == groups &&
                  choose(net, op, target->form);
    op->form = chosen ? target->form : FORM_LANES;
    op->scratch = chosen ? op->scratch : 0;
    return chosen;
}
