/* Part of select: convolutions of codes that a target has a form of its own for, see
 * FORMS. What each wants of a layer, the tile it is printed with, and the arrays it
 * keeps. */
#include "gen/passes/passes.h"

/* Most taps of a depthwise kernel of boards. */
enum { HELD = 9 };

/* The rows under a strip of outputs, in 16 bits. */
static long rows_bytes(const Op *op, int channels)
{
    int columns = (op->strip - 1) * op->stride + op->kernel_w;
    return 2L * op->kernel_h * columns * channels;
}

/* Two pixels by two channels, from rows widened to 16 bits; one pixel where the next is
 * out of reach. */
static bool choose_dsp(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x");
    enum { FEW = 4 << 10, MOST = 16 << 10 };
    op->strip = op_out(net, op, "y")->w;
    while (rows_bytes(op, x->cs) > FEW && op->strip > 2)
        op->strip = (op->strip + 3) / 4 * 2;
    op->scratch = rows_bytes(op, x->cs);
    const int next = 2 * op->stride * x->cs, step = 4 * op->code_block, reach = 1020;
    if (op->channels % 2 != 0 || op->scratch > MOST || step > reach)
        return false;
    op->lanes = 1;
    op->tile_rows = next > reach ? 1 : 2; /* of ldrd */
    op->tile_vectors = 2;
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
    enum { NEXT = 4095, BLOCK = 1024 }; /* bytes and words that one add goes on by */
    if (op->channels % 4 != 0 || op->code_block > BLOCK ||
        op->stride * op_in(net, op, "x")->cs > NEXT)
        return false;
    op->lanes = 1;
    op->tile_rows = 2;
    op->tile_vectors = 4;
    return true;
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
    return op->kernel_h <= 4 && op->lanes == 16 && op_out(net, op, "y")->c >= 64;
}

/* Four channels of two pixels at once. */
static bool choose_mve_deep(const Net *net, Op *op)
{
    const Tensor *y = op_out(net, op, "y");
    if (op->kernel_h * op->kernel_w > HELD || y->c % 4 != 0)
        return false;
    op->tile_rows = y->w > 1 ? 2 : 1;
    op->tile_vectors = op->lanes = 4;
    return true;
}

/* Sixteen channels of two pixels at once, and what is left of the channels by vectors. */
static bool choose_neon_deep(const Net *net, Op *op)
{
    const Tensor *y = op_out(net, op, "y");
    if (op->kernel_h * op->kernel_w > HELD || op->lanes != 4 || y->c < 16)
        return false;
    op->tile_rows = y->w > 1 ? 2 : 1;
    op->scratch = 6 << 10; /* of intrinsics, as above */
    return true;
}

/* The channels of four vectors of sums. */
static bool choose_rvv_deep(Op *op)
{
    if (op->kernel_h * op->kernel_w > HELD)
        return false;
    op->tile_rows = 1;
    op->tile_vectors = op->lanes = 4;
    return true;
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
    case FORM_MVE_DEEP:
        return choose_mve_deep(net, op);
    case FORM_NEON:
        return choose_neon(net, op, 2);
    case FORM_NEON_DOT:
        return choose_neon(net, op, 4);
    case FORM_NEON_DEEP:
        return choose_neon_deep(net, op);
    case FORM_RVV:
        return choose_rvv(net, op);
    case FORM_RVV_DEEP:
        return choose_rvv_deep(op);
    default:
        return false;
    }
}

bool choose_form(const Net *net, Op *op, const Target *target)
{
    const Form form = op->groups == 1 ? target->form
                      : op->depthwise ? target->deep
                                      : FORM_LANES;
    const bool plain =
        op->own.quantizer != RT_QUANT_NONE && /* puts out codes, adds none */
        op->in[I_CONV_residual] == NONE;
    bool chosen =
        op->kind == OP_I_CONV && (op->groups == 1 || plain) && choose(net, op, form);
    op->form = chosen ? form : FORM_LANES;
    op->scratch = chosen ? op->scratch : 0;
    return chosen;
}
