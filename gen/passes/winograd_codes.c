/* winograd: convolutions of codes in a standalone file, by transformed tiles, where that
 * is exact and faster (Lavin and Gray 2016). All of it is integers, for the transforms
 * are scaled, and the sums so many times the direct ones. Targets of sixteen lanes have
 * F(2x2, 3x3) in bytes, see below: 16 products instead of 36; those of eight F(4x4, 3x3)
 * in 16 bits, see winograd_words.c. Needs: fold. Sets: I_WINOGRAD instead of I_CONV, its
 * tile, halos of maps that tiles do not divide. Its weights are constants, transformed,
 * or as bytes: no I_UNPACK is left; or an I_TRANSFORM is put in front, which makes them
 * for each image, or prepares them; or the kernel makes them.
 *
 * In bytes: a transformed value is a sum or difference of four codes, |v| <= 2 A for
 * codes up to A (0..4 A at position 1, 1), and is kept as v + 2 A in a byte; the sums
 * start where that is taken back. A transformed weight is at most 9 W for weight codes up
 * to W, in a signed byte. Sums of c products, and of nine of those, stay below 2^31. */
#include "gen/passes/winograd_tiles.h"

#include "gen/passes/passes.h"

#include "runtime/kernels/quant.h"

enum { LANES = 16, BYTE = 255, SIGNED_BYTE = 127, MOST_TILES = 14, FEWEST_TILES = 6 };

static bool fits_bytes(const Op *op, long code, long weight, long channels)
{
    (void)op;
    long value = 4 * code, product = 9 * weight;
    return (channels == 16 || channels == 32 || channels % 64 == 0) && value <= BYTE &&
           product <= SIGNED_BYTE && 9 * channels * value * product < 1L << 31;
}

static bool has_shape(const Net *net, const Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    bool same = op->groups == 1 && op->stride == 1 && op->kernel_h == 3 &&
                op->kernel_w == 3 && op->pad_top == 1 && op->pad_left == 1 &&
                y->h == x->h && y->w == x->w;
    return same && y->type == TYPE_U8 && x->c % 16 == 0 && y->c % 16 == 0 && y->w > 2;
}

/* Cycles of both ways at two products of a vector a cycle; what goes with an output
 * vector: rescaling, about 7 either way, and for a tile the loads and sums of its
 * transforms. */
static bool bytes_pay(const Net *net, const Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    double vectors = y->c / (double)LANES, tiles = (y->h + 1) / 2 * ((y->w + 1) / 2);
    double direct = y->h * y->w * vectors * (9 * x->c / 8.0 + 7);
    double transformed = tiles * (vectors * (16 * x->c / 8.0 + 4 * 7 + 28) + x->c / 2.0);
    return transformed < direct;
}

int winograd_block_rows(int down, int across, long weights)
{
    enum { NEAR = 64 << 10, FAR = 512 << 10 };
    int least = weights <= NEAR ? 8 : weights <= FAR ? 28 : down * across, rows = 1;
    while (down % rows != 0 || (rows < down && rows * across < least))
        rows++;
    return rows;
}

int winograd_tiles_at_once(int tiles, int fewest, int most)
{
    for (int n = most; n >= fewest; n--)
        if (tiles % n == 0)
            return n;
    int groups = (tiles + most - 1) / most;
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

static int tile_of_bytes(const Net *net, Op *op)
{
    const Tensor *x = op_in(net, op, "x"), *y = op_out(net, op, "y");
    int across = (y->w + 1) / 2, down = (y->h + 1) / 2, channels = x->c;
    op->most_code = (int)integer_largest_code(&x->codes);
    op->scratch = 128 * 4 * LANES; /* vectors of the transforms, without optimisation */
    op->blocks = winograd_block_rows(down, across, 16L * channels * y->c);
    int tiles = op->blocks * across;
    op->tile_vectors = channels == LANES || y->c % (2 * LANES) != 0 ? 1 : 2;
    op->tile_rows =
        channels == LANES ? 1 : winograd_tiles_at_once(tiles, FEWEST_TILES, MOST_TILES);
    return scratch_bytes(op, tiles, channels);
}

/* Where sums start, and words of four weights. */
static int words_of_bytes(int channels)
{
    return 16 * (channels / 4 + 1);
}

static const TileScheme of_bytes = {.lanes = LANES,
                                    .side = 2,
                                    .constant = true,
                                    .fits = fits_bytes,
                                    .pays = bytes_pay,
                                    .words = words_of_bytes,
                                    .tile = tile_of_bytes};

/* Of a target, or NULL. */
static const TileScheme *scheme_of(const Target *target)
{
    const TileScheme *const all[] = {&of_bytes, &winograd_words};
    for (int i = 0; i < 2; i++)
        if (target->integer_lanes == all[i]->lanes)
            return all[i];
    return NULL;
}

static bool wanted(const Net *net, const Op *op, const TileScheme *scheme)
{
    if (op->kind != OP_I_CONV || op->quant.winograd == WINOGRAD_NEVER ||
        !has_shape(net, op))
        return false;
    const Tensor *x = op_in(net, op, "x");
    return scheme->fits(op, integer_largest_code(&x->codes), integer_largest_weight(op),
                        x->c) &&
           (op->quant.winograd == WINOGRAD_ALWAYS || scheme->pays(net, op));
}

static void choose_tile(Net *net, int index, const TileScheme *scheme)
{
    Op *op = &net->ops[index];
    Tensor *x = op_in(net, op, "x");
    const Tensor *y = op_out(net, op, "y");
    const int side = scheme->side, right = (y->w + side - 1) / side * side - y->w + 1,
              below = (y->h + side - 1) / side * side - y->h + 1;
    want_halo(x, 0, 0, below, right);
    op->side = side;
    op->channels = y->c;
    op->band = y->h;
    op->lanes = scheme->lanes;
    int bytes = scheme->tile(net, op);
    int scratch = net_add_array(net, ROLE_ONCE, TYPE_U8, op->name, ".tiles", 1, bytes);
    net->ops[index].out[I_WINOGRAD_tiles] = scratch;
}

/* What makes an I_WINOGRAD's weights of its codes. */
static void insert_transform(Net *net, int index, int codes, int made)
{
    Op *op = net_insert_like(net, index, OP_I_TRANSFORM);
    op->channels = net->tensors[net->ops[index + 1].in[I_WINOGRAD_x]].c;
    op->code_block = rt_code_block(net->tensors[made].k);
    op->in[I_TRANSFORM_codes] = codes;
    op->out[I_TRANSFORM_transformed] = made;
}

static void transform(Net *net, int index, const TileScheme *scheme)
{
    Op *op = &net->ops[index];
    const int channels = op_in(net, op, "x")->c, k = op_out(net, op, "y")->c;
    const int codes = op->in[I_CONV_codes];
    const bool constant = scheme->constant && !net->prepares;
    op->kind = OP_I_WINOGRAD;
    if (scheme->makes_weights && scheme->makes_weights(net, op)) {
        op->code_block = rt_code_block(k);
        choose_tile(net, index, scheme);
        return;
    }
    int made = net_add_array(net, constant ? ROLE_PARAM : ROLE_ONCE, TYPE_U32, op->name,
                             ".transformed", scheme->words(channels), k);
    net->ops[index].in[I_WINOGRAD_codes] = made;
    choose_tile(net, index, scheme);
    if (!constant)
        insert_transform(net, index, codes, made);
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
    const TileScheme *scheme = scheme_of(target);
    int transformed = 0;
    for (int i = 0; scheme && i < net->op_count; i++)
        if (wanted(net, &net->ops[i], scheme)) {
            transform(net, i, scheme);
            transformed++;
        }
    if (transformed > 0 && scheme->constant && !net->prepares)
        keep_unpacked(net);
}
