/* winograd: convolutions of codes in a standalone file, by transformed tiles where that
 * is exact and faster. F(2x2, 3x3) of Lavin and Gray 2016: 4x4 pixels make 2x2 outputs
 * with 16 products instead of 36. With weights' transform scaled by 4, all of it is
 * integers, and the sums are four times the direct ones. Needs: fold. Sets: I_WINOGRAD
 * instead of I_CONV, its tile, halos of odd maps. Leaves no I_UNPACK then: weights are
 * constants, transformed or as bytes; or adds an I_TRANSFORM, which prepares them.
 *
 * Exact, because nothing leaves its type. A transformed value is a sum or difference of
 * four codes, |v| <= 2 A for codes up to A (0..4 A at position 1, 1), and is kept as v +
 * 2 A in a byte; the sums start where that is taken back. A transformed weight is at
 * most 9 W for weight codes up to W, in a signed byte. Sums of c products, and of nine
 * of those, stay below 2^31. */
#include "gen/passes/passes.h"

#include "runtime/kernels/quant.h"

enum { LANES = 16, BYTE = 255, SIGNED_BYTE = 127, MOST_TILES = 14, FEWEST_TILES = 6 };

static bool in_range(long code, long weight, long channels)
{
    long value = 4 * code, product = 9 * weight;
    return value <= BYTE && product <= SIGNED_BYTE &&
           9 * channels * value * product < 1L << 31;
}

static bool has_shape(const Net *net, const Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    bool same = op->groups == 1 && op->stride == 1 && op->kernel_h == 3 &&
                op->kernel_w == 3 && op->pad_top == 1 && op->pad_left == 1 &&
                y->h == x->h && y->w == x->w;
    bool channels = x->c == 16 || x->c == 32 || (x->c > 0 && x->c % 64 == 0);
    return same && channels && y->type == TYPE_U8 && y->c % LANES == 0 && y->w > 2;
}

/* Cycles of both ways at two products of a vector a cycle; what goes with an output
 * vector: rescaling, about 7 either way, and for a tile the loads and sums of its
 * transforms. */
static bool is_faster(const Tensor *x, const Tensor *y)
{
    double vectors = y->c / (double)LANES, tiles = (y->h + 1) / 2 * ((y->w + 1) / 2);
    double direct = y->h * y->w * vectors * (9 * x->c / 8.0 + 7);
    double transformed = tiles * (vectors * (16 * x->c / 8.0 + 4 * 7 + 28) + x->c / 2.0);
    return transformed < direct;
}

static bool wanted(const Net *net, const Op *op)
{
    if (op->kind != OP_I_CONV || op->quant.winograd == WINOGRAD_NEVER ||
        !has_shape(net, op))
        return false;
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    return in_range(integer_largest_code(&x->codes), integer_largest_weight(op), x->c) &&
           (op->quant.winograd == WINOGRAD_ALWAYS || is_faster(x, y));
}

/* Rows of tiles in a block: few, for what they transform to takes memory, but more the
 * farther away the weights are that each block reads: all rows for those beyond a
 * second-level cache. */
static int block_rows(int down, int across, long weights)
{
    enum { NEAR = 64 << 10, FAR = 512 << 10 };
    int least = weights <= NEAR ? 8 : weights <= FAR ? 28 : down * across, rows = 1;
    while (down % rows != 0 || (rows < down && rows * across < least))
        rows++;
    return rows;
}

/* Tiles multiplied at a time: as many as divide the block, or about equal shares. */
static int tiles_at_once(int tiles)
{
    for (int n = MOST_TILES; n >= FEWEST_TILES; n--)
        if (tiles % n == 0)
            return n;
    int groups = (tiles + MOST_TILES - 1) / MOST_TILES;
    return (tiles + groups - 1) / groups;
}

/* Bytes of a block's transformed tiles and sums; templates/ops/codes_winograd.c.in lays
 * them out. */
static int scratch_bytes(const Op *op, int tiles, int channels)
{
    int width = op->tile_vectors * LANES;
    int values = 8 * (tiles * 2 * channels + 64);
    int sums =
        channels == LANES ? 4 * (tiles * 2 * width + 16) : 16 * (tiles * width + 16);
    return values + 4 * sums;
}

static void choose_tile(Net *net, int index)
{
    Op *op = &net->ops[index];
    Tensor *x = op_in(net, op, "x");
    const Tensor *y = op_out(net, op, "y");
    int across = (y->w + 1) / 2, down = (y->h + 1) / 2, channels = x->c;
    x->right = x->right > 2 * across - y->w + 1 ? x->right : 2 * across - y->w + 1;
    x->bottom = x->bottom > 2 * down - y->h + 1 ? x->bottom : 2 * down - y->h + 1;
    op->most_code = (int)integer_largest_code(&x->codes);
    op->channels = y->c;
    op->band = y->h;
    op->lanes = LANES;
    op->scratch = 128 * 4 * LANES; /* vectors of the transforms, without optimisation */
    op->blocks = block_rows(down, across, 16L * channels * y->c);
    int tiles = op->blocks * across;
    op->tile_vectors = channels == LANES || y->c % (2 * LANES) != 0 ? 1 : 2;
    op->tile_rows = channels == LANES ? 1 : tiles_at_once(tiles);
    int bytes = scratch_bytes(op, tiles, channels);
    int scratch = net_add_array(net, ROLE_ONCE, TYPE_U8, op->name, ".tiles", 1, bytes);
    net->ops[index].out[I_WINOGRAD_tiles] = scratch;
}

/* Its weights become a constant of their own, or are made one before the first image:
 * where the sums start, and the words. */
static void transform(Net *net, int index)
{
    Op *op = &net->ops[index];
    const int channels = op_in(net, op, "x")->c, k = op_out(net, op, "y")->c;
    const int codes = op->in[I_CONV_codes];
    op->kind = OP_I_WINOGRAD;
    int made = net_add_array(net, net->prepares ? ROLE_ONCE : ROLE_PARAM, TYPE_U32,
                             op->name, ".transformed", 16 * (channels / 4 + 1), k);
    net->ops[index].in[I_WINOGRAD_codes] = made;
    choose_tile(net, index);
    if (!net->prepares)
        return;
    Op *prepares = net_insert_like(net, index, OP_I_TRANSFORM);
    prepares->channels = channels;
    prepares->code_block = rt_code_block(k);
    prepares->in[I_TRANSFORM_codes] = codes;
    prepares->out[I_TRANSFORM_transformed] = made;
}

/* Where memory was spent on speed, no other layer's weights are unpacked for
 * each image. */
static void keep_unpacked(Net *net)
{
    int kept = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->kind == OP_I_UNPACK)
            net->tensors[op->out[I_UNPACK_codes]].role = ROLE_PARAM;
        else
            net->ops[kept++] = *op;
    }
    net->op_count = kept;
}

void pass_winograd(Net *net, const Target *target)
{
    int transformed = 0;
    for (int i = 0; target->integer_lanes == LANES && i < net->op_count; i++)
        if (wanted(net, &net->ops[i])) {
            transform(net, i);
            transformed++;
        }
    if (transformed > 0 && !net->prepares)
        keep_unpacked(net);
}
