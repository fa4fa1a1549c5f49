/* Which convolutions become products of transformed tiles, and what ops that needs: see
 * winograd.h. */
#include "gen/passes/winograd.h"

#include <string.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

Tiling winograd_tiling(const Net *net, const Op *op)
{
    const bool back = op->kind == OP_CONV_BWD_INPUT;
    Tiling it = {.from = op_in(net, op, back ? "dy" : "x"),
                 .to = op->kind == OP_CONV_BWD_WEIGHT
                           ? op_in(net, op, "dy")
                           : op_out(net, op, back ? "dx" : "y")};
    const int reach = op->kernel_h - 1; /* of windows of dy, as far as the turned one */
    it.above = back ? reach - op->pad_top : op->pad_top;
    it.before = back ? reach - op->pad_left : op->pad_left;
    it.rows = (it.to->h + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
    it.columns = (it.to->w + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
    it.c = it.from->c;
    it.k = it.to->c;
    return it;
}

bool winograd_can(const Net *net, const Op *op)
{
    bool product = op->kind == OP_CONV || op->kind == OP_CONV_FOLDED ||
                   op->kind == OP_CONV_BWD_INPUT ||
                   (op->kind == OP_CONV_BWD_WEIGHT && op->scope == SCOPE_IMAGE);
    if (!product || op->kernel_h != 3 || op->kernel_w != 3 || op->stride != 1 ||
        op->groups != 1 || op->pad_top > 2 || op->pad_left > 2)
        return false;
    const Tiling it = winograd_tiling(net, op);
    enum { MOST_WEIGHTS = 1 << 24 }; /* of one tap: their points are counted in ints */
    return it.c % 4 == 0 && it.k % 4 == 0 && /* vectors of four at least */
           (long)it.c * it.k <= MOST_WEIGHTS;
}

/* Costs are in multiply-adds. What is read from beyond the second-level cache, 8 bytes a
 * cycle of 32 multiply-adds, takes its time beside them. */
static double with_weights(double products, double floats)
{
    enum { CACHED = 1 << 18 };
    return products + (floats > CACHED ? floats * 4 / 8 * 32 : 0);
}

bool winograd_pays(const Net *net, const Op *op)
{
    const Tiling it = winograd_tiling(net, op);
    const double weights = (double)it.c * it.k, tiles = (double)it.rows * it.columns;
    const double direct = with_weights(it.to->h * it.to->w * 9 * weights, 9 * weights);
    /* Measured: a tile's transforms take as long as so many products a channel, and those
     * of sums to a gradient as so many a weight. */
    const double transforms = tiles * (250 * it.c + 180 * it.k) +
                              (op->kind == OP_CONV_BWD_WEIGHT ? 90 * weights : 0);
    const double products = tiles * WINOGRAD_POINTS * weights;
    return it.c >= 8 && it.k >= 8 &&
           with_weights(products, WINOGRAD_POINTS * weights) + transforms < 0.9 * direct;
}

int winograd_chunk(const Tiling *tiling)
{
    enum { SMALL = 40000, ROOM = 1 << 17, FEW = 8 }; /* floats */
    const int tiles = tiling->rows * tiling->columns;
    if (tiles <= FEW)
        return tiles;
    if (WINOGRAD_POINTS * tiling->c * tiling->k <= SMALL)
        return FEW;
    const int fit = ROOM / (WINOGRAD_POINTS * (tiling->c + tiling->k)) / 4 * 4;
    return least(fit > FEW ? fit : FEW, tiles / 4 * 4);
}

int winograd_gradient_chunk(const Tiling *tiling, int *images)
{
    enum { CACHED = 1 << 18, MANY = 64, FEW = 16, MOST_IMAGES = 8 }; /* floats, tiles */
    const int tiles = tiling->rows * tiling->columns;
    const int want = WINOGRAD_POINTS * tiling->c * tiling->k > CACHED ? MANY : FEW;
    *images = tiles < want ? least(want / tiles, MOST_IMAGES) : 1;
    if (*images > 1)
        return *images * tiles;
    const int parts = (tiles + want - 1) / want;
    return (tiles + parts - 1) / parts;
}

int winograd_weight_count(int weights)
{
    return WINOGRAD_POINTS * (weights + WINOGRAD_APART);
}

int winograd_panel(int k)
{
    enum { WIDEST = 16, MOST = 64 };
    int vector = WIDEST, panel = MOST < k ? MOST : k;
    while (k % vector != 0)
        vector /= 2;
    panel -= panel % vector;
    while (k % panel != 0)
        panel -= vector;
    return panel;
}

/* The slot of what its tiles are multiplied by. */
static int weights_slot(const Op *op)
{
    return op->kind == OP_CONV          ? CONV_w
           : op->kind == OP_CONV_FOLDED ? CONV_FOLDED_w
                                        : CONV_BWD_INPUT_flipped;
}

Op *winograd_weights(const Net *net, const Op *op)
{
    const int weights = op->in[weights_slot(op)];
    Op *writer = net->ops;
    while (writer->out[0] != weights)
        writer++;
    return writer;
}

/* Put an op that transforms its weights in front of the convolution at `index`. */
static void add_transform(Net *net, int index)
{
    const int slot = weights_slot(&net->ops[index]);
    Op *added = net_insert_like(net, index, OP_CONV_TRANSFORM);
    const int w = net->ops[index + 1].in[slot];
    const int points = net_add_array(net, ROLE_ONCE, TYPE_F32, added->name, ".points", 1,
                                     (int)tensor_count(&net->tensors[w]));
    added->in[CONV_TRANSFORM_w] = w;
    added->out[CONV_TRANSFORM_points] = points;
    net->ops[index + 1].in[slot] = points;
}

/* A constant takes the place of the weights. */
static void add_points(Net *net, int index)
{
    const Tensor w = net->tensors[net->ops[index].in[CONV_FOLDED_w]];
    const int points = net_add_array(net, ROLE_PARAM, TYPE_F32, net->ops[index].name,
                                     ".points", 1, winograd_weight_count(w.c * w.k));
    net->ops[index].in[CONV_FOLDED_w] = points;
}

/* Tiles of both at all points, 16 floats behind each, and the sums of their products. */
static void add_tiles(Net *net, int index)
{
    const Tiling it = winograd_tiling(net, &net->ops[index]);
    int images;
    const int tiles = winograd_gradient_chunk(&it, &images);
    const int floats = tiles * (it.c + it.k) + 2 * WINOGRAD_APART + it.c * it.k;
    net->ops[index].tiles = tiles;
    net->ops[index].images = images;
    net->ops[index].out[CONV_BWD_WEIGHT_scratch] =
        net_add_data(net, net->ops[index].name, ".tiles", 1, 1, WINOGRAD_POINTS * floats);
}

void winograd_lower(Net *net, int index)
{
    net->ops[index].lowering = LOWER_WINOGRAD;
    if (net->ops[index].kind == OP_CONV_BWD_WEIGHT) {
        add_tiles(net, index);
        return;
    }
    const bool folded = net->ops[index].kind == OP_CONV_FOLDED;
    if (folded && !net->prepares && net->ops[index].quant.winograd == WINOGRAD_ALWAYS) {
        add_points(net, index);
        return;
    }
    if (folded || net->ops[index].kind == OP_CONV)
        add_transform(net, index++);
    Op *weights = winograd_weights(net, &net->ops[index]);
    weights->lowering = LOWER_WINOGRAD;
    Tensor *points = &net->tensors[weights->out[0]];
    points->k = winograd_weight_count((int)tensor_count(points) / 9);
    points->c = 1;
}
