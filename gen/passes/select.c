/* select: how each op is lowered. Needs: shapes. Sets: halos, lanes, tiles, lowering, and
 * the way weight gradients are shared among threads. */
#include "gen/passes/passes.h"

#include "gen/ir/transposed.h"
#include "gen/passes/winograd.h"
#include "runtime/base/support.h"
#include "runtime/kernels/chunks.h"
#include "runtime/kernels/quant.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TASKS = 64 };

static int most(int a, int b)
{
    return a > b ? a : b;
}

void want_halo(Tensor *tensor, int top, int left, int bottom, int right)
{
    tensor->top = most(tensor->top, top);
    tensor->left = most(tensor->left, left);
    tensor->bottom = most(tensor->bottom, bottom);
    tensor->right = most(tensor->right, right);
}

static void axis_halo(int kernel, int stride, int pad, int inputs, int outputs,
                      int *before, int *after)
{
    Phase phases[MOST_STRIDE];
    int count = axis_phases(kernel, stride, pad, inputs, phases);
    *before = *after = 0;
    for (int i = 0; i < count; i++) {
        const Phase *phase = &phases[i];
        if (phase->taps == 0)
            continue;
        *before = most(*before, -phase->start);
        *after = most(*after, phase->start + phase->count - 1 + phase->taps - outputs);
    }
}

static void want_tiles(const Net *net, const Op *op)
{
    const Tiling it = winograd_tiling(net, op);
    const int reach = WINOGRAD_SIDE - WINOGRAD_TILE;
    want_halo(it.from, it.above, it.before,
              WINOGRAD_TILE * it.rows + reach - it.above - it.from->h,
              WINOGRAD_TILE * it.columns + reach - it.before - it.from->w);
    if (op->kind == OP_CONV_BWD_WEIGHT) /* reads tiles of that, too */
        want_halo(it.to, 0, 0, WINOGRAD_TILE * it.rows - it.to->h,
                  WINOGRAD_TILE * it.columns - it.to->w);
}

static void set_halos(Net *net)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->lowering == LOWER_WINOGRAD && op_is(op, MACS))
            want_tiles(net, op);
        if (op_is(op, HALO))
            want_halo(op_in(net, op, "x"), op->pad_top, op->pad_left, op->pad_bottom,
                      op->pad_right);
        if (op->kind != OP_CONV_BWD_INPUT)
            continue;
        Tensor *dy = op_in(net, op, "dy");
        int top, left, bottom, right;
        axis_halo(op->kernel_h, op->stride, op->pad_top, op->rows, dy->h, &top, &bottom);
        axis_halo(op->kernel_w, op->stride, op->pad_left, op->columns, dy->w, &left,
                  &right);
        want_halo(dy, top, left, bottom, right);
    }
}

/* The widest vector that divides the channels. */
static int lanes_for(const Target *target, int channels)
{
    int lanes = target->lanes;
    while (lanes > 1 && (lanes == 2 || channels % lanes != 0))
        lanes /= 2;
    return lanes;
}

/* Of work pixel by pixel: up to four vectors of channels stay in registers while all
 * pixels go by. */
static void choose_vectors(Op *op, const Target *target, int channels)
{
    op->lanes = lanes_for(target, channels);
    op->tile_vectors = 4;
    while (channels / op->lanes % op->tile_vectors != 0)
        op->tile_vectors--;
}

/* Integer kernels have one vector width, or none. */
static int integer_lanes_for(const Target *target, int channels)
{
    return channels % target->integer_lanes == 0 ? target->integer_lanes : 1;
}

/* Cycles a tile of rows x vectors takes per input value: two multiply-adds, or two loads,
 * a cycle, four cycles until a sum can be added to again, and a little for the loop. */
static double tile_cycles(int rows, int vectors)
{
    double sums = rows * vectors / 2.0, loads = (rows + vectors) / 2.0;
    double cycles = sums > loads ? sums : loads;
    return (cycles > 4 ? cycles : 4) + 0.25;
}

/* The tile with the least time for `rows` x `vectors` results: its sums and one row of
 * weights stay in registers. A remainder of rows gets a smaller tile of its own, unless
 * the tiles must come out `whole`. Where weights lie in blocks of `block` vectors, a tile
 * is a part of one, or several. */
static void choose_tile(Op *op, const Target *target, int rows, int vectors, int block,
                        bool whole)
{
    double best = 1e30;
    for (int v = 1; v <= vectors && v <= 8; v++) {
        for (int r = 1; r <= rows; r++) {
            if (vectors % v != 0 || (block % v != 0 && v % block != 0) ||
                r * v + v + 1 > target->registers || (whole && rows % r != 0))
                continue;
            double time = rows / r * tile_cycles(r, v);
            time += rows % r ? tile_cycles(rows % r, v) : 0;
            time *= vectors / v;
            if (time < best - 1e-9) {
                best = time;
                op->tile_rows = r;
                op->tile_vectors = v;
            }
        }
    }
}

/* Depthwise: one vector of channels, pixels side by side, and, where there is room, the
 * weights of all `taps`. */
static void choose_depthwise(Op *op, const Target *target, int pixels)
{
    enum { MOST_PIXELS = 8, LEAST_PIXELS = 4 };
    int taps = op->kernel_h * op->kernel_w, room = target->registers - taps - 1;
    op->taps_held = room >= LEAST_PIXELS;
    int most_pixels = op->taps_held && room < MOST_PIXELS ? room : MOST_PIXELS;
    int tiles = (pixels + most_pixels - 1) / most_pixels;
    op->tile_rows = (pixels + tiles - 1) / tiles;
    op->tile_vectors = 1;
}

/* Of codes: one vector of outputs of a group. */
static void choose_codes_groups(Op *op, const Target *target, const Tensor *y)
{
    op->lanes = integer_lanes_for(target, op->depthwise ? y->c : y->c / op->groups);
    if (op->depthwise)
        choose_depthwise(op, target, y->w);
    else
        choose_tile(op, target, y->w, 1, 1, false);
}

/* A standalone file's weights lie as kernels read them, which takes half of the time
 * where they fill caches: sixteen output channels side by side, which vectors of every
 * target fill. 0: all lie so. */
static int outputs_beside(const Op *op, int outputs)
{
    enum { BESIDE = 16 };
    return op->groups == 1 && outputs % BESIDE == 0 ? BESIDE : 0;
}

/* The tile of a convolution that puts out `like`. */
static void choose_conv(Op *op, const Target *target, const Tensor *like, int pixels)
{
    op->lanes = lanes_for(target, like->c / (op->depthwise ? 1 : op->groups));
    if (op->depthwise)
        choose_depthwise(op, target, pixels);
    else
        choose_tile(op, target, pixels, like->c / op->groups / op->lanes,
                    op->beside > 0 ? op->beside / op->lanes : 1, false);
}

/* The tile of a gradient by weights: input values of a row of the window, or of a group's
 * pixel; depthwise the window's taps, or those of a row of it. */
static void choose_weight_tile(Op *op, const Target *target, int inputs, int outputs)
{
    int taps = op->kernel_h * op->kernel_w, own = inputs / op->groups;
    op->lanes = lanes_for(target, outputs / (op->depthwise ? 1 : op->groups));
    op->tile_vectors = 1;
    if (op->depthwise)
        op->tile_rows = taps + 1 < target->registers ? taps : op->kernel_w;
    else
        choose_tile(op, target, op->groups == 1 ? op->kernel_w * inputs : own,
                    outputs / op->groups / op->lanes, 1, true);
    op->blocks = taps * own / op->tile_rows;
}

/* Where an op in tasks adds up the sums of `count` floats, chunk after chunk. */
static void add_tree(Net *net, int index, long count)
{
    int sums = net_add_array(net, ROLE_ONCE, TYPE_F32, net->ops[index].name, ".tree",
                             tree_copies(net->chunks), (int)count);
    const bool dense = net->ops[index].kind == OP_DENSE_BWD_WEIGHT;
    net->ops[index].out[dense ? DENSE_BWD_WEIGHT_scratch : CONV_BWD_WEIGHT_scratch] =
        sums;
}

/* Small weight gradients are summed per chunk of images and added up after the loop;
 * large ones would take too much memory so, and are cut into tasks that go through all
 * images. */
static void share_weight_gradient(Net *net, int index)
{
    enum { MOST_COPIES = 16 << 20, ADDERS = 16 };
    Op *op = &net->ops[index];
    const Tensor *dw = op_out(net, op, "dw");
    long bytes = tensor_count(dw) * 4;
    if (bytes * net->chunks > MOST_COPIES) {
        op->scope = SCOPE_TASKS;
        add_tree(net, index, tensor_count(dw));
        return;
    }
    char name[NAME_SIZE], file[2 * NAME_SIZE];
    snprintf(name, sizeof name, "%s", op->name);
    snprintf(file, sizeof file, "%s", op->file);
    int line = op->line, gradient = op->out[CONV_BWD_WEIGHT_dw];
    int partial = net_add_tensor(net, ROLE_PARTIAL, name, ".gradient_sums");
    net->tensors[partial].rank = 2;
    net->tensors[partial].c = 1;
    net->tensors[partial].k = (int)(bytes / 4);
    op->out[CONV_BWD_WEIGHT_partial] = partial;
    op->out[CONV_BWD_WEIGHT_dw] = NONE;
    int total = net_add_op(net, OP_ADD_CHUNKS, name, file, line);
    Op add = net->ops[total];
    add.in[ADD_CHUNKS_partial] = partial;
    add.out[ADD_CHUNKS_dw] = gradient;
    add.tasks = ADDERS;
    add.layer = net->ops[index].layer;
    /* Ahead of what reads the gradient: that of a quantiser. */
    memmove(&net->ops[index + 2], &net->ops[index + 1], (total - index - 1) * sizeof(Op));
    net->ops[index + 1] = add;
}

/* Whether the runtime can do it; not the image as floats: its means differ by channel. */
static bool has_function(const Net *net, const Op *op)
{
    if (op->kind == OP_Q_FLOAT && op_in(net, op, "x")->codes.is_image)
        return false;
    return op_is(op, CALLABLE);
}

/* Of products of transformed tiles; the weights lie as these read them. */
static void choose_winograd(const Net *net, Op *op, const Target *target)
{
    const Tiling it = winograd_tiling(net, op);
    const int in = lanes_for(target, it.c), out = lanes_for(target, it.k);
    op->lanes = in < out ? in : out;
    if (op->kind == OP_CONV_BWD_WEIGHT) {
        choose_tile(op, target, it.c, it.k / op->lanes, 1, true);
        return;
    }
    op->tiles = winograd_chunk(&it);
    if (op->kind == OP_CONV_FOLDED) {
        enum { SPILLED = 24 << 10 }; /* of a tile's transforms, without optimisation */
        op->panel = winograd_panel(it.k);
        choose_tile(op, target, op->tiles, op->panel / op->lanes, 1, true);
        op->scratch = SPILLED + (long)sizeof(float) * WINOGRAD_POINTS *
                                    (op->tiles * (it.c + it.k) + 2 * WINOGRAD_APART);
        if (op_in(net, op, "w")->role == ROLE_PARAM)
            return;
    } else {
        choose_tile(op, target, op->tiles, it.k / op->lanes, 1, true);
    }
    Op *weights = winograd_weights(net, op);
    weights->beside = op->kind == OP_CONV_FOLDED ? outputs_beside(op, it.k) : 0;
    weights->lanes = op->lanes;
    weights->panel = op->panel ? op->panel : op->lanes * op->tile_vectors;
}

/* Whether a convolution has its weights in memory a block at a time. */
static bool has_own_blocks(const Op *op)
{
    return op->kind == OP_I_CONV &&
           (op->out[I_CONV_unpacked] != NONE || op->out[I_CONV_fetched] != NONE);
}

/* Lowering, vectors and tile of one op; which channels vectors run along depends on its
 * kind. */
static void lower(const Net *net, Op *op, const Target *target, const Lowering *force)
{
    const Tensor *t;
    if (op->lowering == LOWER_WINOGRAD) {
        if (op_is(op, MACS))
            choose_winograd(net, op, target);
        return;
    }
    switch (op->kind) {
    case OP_CONV:
    case OP_CONV_FOLDED:
        t = op_out(net, op, "y");
        op->beside = op->kind == OP_CONV_FOLDED ? outputs_beside(op, t->c) : 0;
        choose_conv(op, target, t, t->w);
        break;
    case OP_Q_CONV:
    case OP_I_CONV:
        t = op_out(net, op, "y");
        op->code_block = rt_code_block(t->c);
        op->channels = has_own_blocks(op) ? op->code_block : t->c;
        op->band = t->h;
        if (op->groups > 1)
            choose_codes_groups(op, target, t);
        if (choose_form(net, op, target) || op->groups > 1)
            break;
        op->lanes = integer_lanes_for(target, t->c);
        if (op->lanes == 1) { /* processors have few registers, and bytes take more */
            op->tile_rows = t->w > 1 ? 2 : 1;
            op->tile_vectors = t->c % 2 == 0 ? 2 : 1;
            break;
        }
        choose_tile(op, target, t->w, op->channels / op->lanes,
                    op->code_block / op->lanes, false);
        break;
    case OP_I_UNPACK:
        op->lanes = 1;
        op->code_block = rt_code_block(op_out(net, op, "codes")->k);
        break;
    case OP_I_DENSE:
        op->lanes = 1;
        op->code_block = rt_code_block(op_out(net, op, "y")->c);
        break;
    case OP_CONV_BWD_INPUT:
        t = op_out(net, op, "dx");
        choose_conv(op, target, t, (t->w - 1) / op->stride + 1);
        break;
    case OP_CONV_BWD_WEIGHT:
        choose_weight_tile(op, target, op_in(net, op, "x")->c, op_in(net, op, "dy")->c);
        if (op->scope == SCOPE_TASKS)
            op->tasks = op->blocks < MOST_TASKS ? op->blocks : MOST_TASKS;
        break;
    case OP_I_TRANSFORM:
    case OP_I_WINOGRAD: /* as their pass decided */
        break;
    default: /* pixel by pixel, or value by value */
        op->lanes = 1;
        if (op_is(op, VECTORS))
            choose_vectors(op, target, net->tensors[op->in[0]].c);
        break;
    }
    if (!has_function(net, op))
        return;
    bool product = op_is(op, MATMUL) && op->groups == 1; /* all that OpenBLAS has */
    if (force && *force != LOWER_WINOGRAD)
        op->lowering = *force == LOWER_BLAS && !product ? LOWER_CALL : *force;
    else if (target->calls || (op_is(op, MATMUL) && op->lanes == 1 && target->lanes > 1))
        op->lowering = LOWER_CALL;
}

/* Cycles of vectors of eight for a weight, both ways: making its values at points for
 * each image goes through memory, beyond a second-level cache where there are many. */
static bool made_tiles_pay(const Net *net, const Op *op)
{
    enum { NEAR = 1 << 20 };
    const Tiling it = winograd_tiling(net, op);
    const long bytes = 4L * WINOGRAD_POINTS * it.c * it.k;
    const double direct = 9.0 / 16 * it.to->h * it.to->w;
    const double products = WINOGRAD_POINTS / 16.0 * it.rows * it.columns;
    return 1.3 * products + (bytes > NEAR ? 37 : 9) < direct;
}

/* Whether a standalone file's convolution does, which takes vectors and weights that the
 * file itself has. Transformed they are four times as many: constants where the config
 * asks for it, else prepared, or made for each image. */
static bool wants_folded_tiles(const Net *net, const Op *op, const Target *target)
{
    const int word = op->quant.winograd;
    return word != WINOGRAD_NEVER && op_in(net, op, "w")->role == ROLE_PARAM &&
           target->lanes > 1 && winograd_pays(net, op) &&
           (word == WINOGRAD_ALWAYS || net->prepares || made_tiles_pay(net, op));
}

/* Whether the op becomes products of transformed tiles. */
static bool wants_tiles(const Net *net, const Op *op, const Target *target,
                        const Lowering *force)
{
    if (!winograd_can(net, op))
        return false;
    if (op->kind == OP_CONV_FOLDED)
        return wants_folded_tiles(net, op, target);
    return force ? *force == LOWER_WINOGRAD : winograd_pays(net, op);
}

/* The convolutions that do; libtcc's compiler would be slower at them than the runtime's
 * matrix products. */
static void choose_algorithms(Net *net, const Target *target, const Lowering *force)
{
    for (int i = net->op_count - 1; i >= 0 && !target->calls; i--)
        if (wants_tiles(net, &net->ops[i], target, force))
            winograd_lower(net, i);
}

void pass_select(Net *net, const Target *target, const Lowering *force)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_CONV_BWD_WEIGHT)
            share_weight_gradient(net, i);
        else if (net->ops[i].kind == OP_DENSE_BWD_WEIGHT)
            add_tree(net, i,
                     (op_in(net, &net->ops[i], "x")->c + 1L) *
                         op_in(net, &net->ops[i], "dy")->c);
    choose_algorithms(net, target, force);
    winograd_absorb(net);
    set_halos(net);
    for (int i = 0; i < net->op_count; i++)
        lower(net, &net->ops[i], target, force);
}
