/* Part of winograd: F(4x4, 3x3) in words of 16 bits, products added in pairs: 36 where 144
 * were. Weights at a point are 24 times the true ones, or 6 times at the last of six
 * points, which the way back makes up for; so sums come out as 576 times the direct ones,
 * modulo 2^32. They are divided by 9, exactly, and by 64: right where a direct sum is
 * below 2^25.
 *
 * A value at a point takes at most 50 codes of either sign, 12,750 for codes of 8 bits,
 * and a weight at most 12 * 12 codes, 18,288: words hold both, and two products a sum.
 * There are eight times as many bytes of such weights as of codes. So they are no
 * constants: where all tiles are multiplied at once, the kernel makes them, of sixteen
 * outputs and `depth` channels at a time; else an I_TRANSFORM does. */
#include "gen/passes/winograd_tiles.h"

enum { SIDE = 4, POINTS = 36, LANES = 8, WIDTH = 2 * LANES, APART = 32, DEPTH = 64 };

static bool fits(const Op *op, long code, long weight, long channels)
{
    const long most = op->most_sum > 0 ? op->most_sum : 9 * channels * weight;
    return code <= 255 && weight <= 127 && code * most < 1L << 25;
}

static int tiles_in(int pixels)
{
    return (pixels + SIDE - 1) / SIDE;
}

static long bytes_of_weights(const Tensor *x, const Tensor *y)
{
    return 2L * POINTS * x->c * y->c;
}

/* Rows of tiles that are multiplied at once. */
static int block_rows(const Tensor *x, const Tensor *y)
{
    return winograd_block_rows(tiles_in(y->h), tiles_in(y->w), bytes_of_weights(x, y));
}

/* Cycles of both ways, measured on Zen 3: products, 20 a cycle of direct ones and 28 of
 * these; what goes with 16 channels of a tile, with eight outputs of one and of a pixel;
 * making a weight, or reading those that were made from beyond a second-level cache. */
static bool pays(const Net *net, const Op *op)
{
    enum { NEAR = 512 << 10 };
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    const double pairs = (double)x->c * y->c, bytes = bytes_of_weights(x, y);
    const double tiles = tiles_in(y->h) * tiles_in(y->w);
    const double direct = y->h * y->w * (9 * pairs / 20 + y->c / 8.0 * 5);
    const double far = net->prepares && bytes > NEAR ? bytes / 8 : 0;
    const double made = net->prepares ? far : pairs * 7;
    return tiles * (36 * pairs / 28 + x->c / 16.0 * 70 + y->c / 8.0 * 130) + made <
           direct;
}

/* And one more of each point, which keeps them apart. */
static int words(int channels)
{
    return POINTS * (channels / 2 + 1);
}

/* templates/ops/codes_words.c.in lays the bytes out. */
static int tile(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    op->scratch = 12 << 10; /* vectors of the transforms, without optimisation */
    op->blocks = block_rows(x, y);
    const int tiles = op->blocks * tiles_in(y->w);
    op->tile_vectors = WIDTH / LANES;
    op->tile_rows = winograd_tiles_at_once(tiles, 3, 6);
    op->depth = op->code_block == 0 ? 0 : x->c % DEPTH == 0 ? DEPTH : x->c;
    const int panel = 4 * WIDTH * words(op->depth);
    return POINTS * (2 * (tiles * x->c + APART) + 4 * (tiles * WIDTH + APART / 2)) +
           panel;
}

static bool makes_weights(const Net *net, const Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    return !net->prepares && block_rows(x, y) == tiles_in(y->h);
}

const TileScheme winograd_words = {.lanes = LANES,
                                   .side = SIDE,
                                   .fits = fits,
                                   .pays = pays,
                                   .words = words,
                                   .makes_weights = makes_weights,
                                   .tile = tile};
