/* Transformed weights of a standalone file: of I_WINOGRAD, from codes, see
 * gen/passes/winograd_codes.c; of CONV_FOLDED, see gen/passes/winograd.h. */
#include "gen/emit/constants.h"

#include "gen/passes/winograd.h"

#include "runtime/base/support.h"
#include "runtime/kernels/dots_plain.h"
#include "runtime/kernels/quant.h"
#include "runtime/kernels/winograd_weights.h"

#include <math.h>

static void make_layer(const Net *net, const Op *op, Constants *constants)
{
    const int channels = op_in(net, op, "x")->c, outputs = op_out(net, op, "y")->c;
    const Tensor *made = op_in(net, op, "codes");
    uint32_t *to = constants_add(constants, made->name, "", TYPE_U32, tensor_count(made));
    char name[NAME_SIZE];
    name_behind(name, op->name, ".codes");
    transform_weights(constants_find(constants, name)->values, channels, outputs,
                      rt_code_block(outputs), op->tile_vectors * op->lanes, op->most_code,
                      to);
}

/* Three weights at point p, as weights_to_points of templates/ops/winograd.c.in. */
static double at_point(const double g[3], int p)
{
    const double sign = p % 2 ? 1 : -1;
    if (p == 0 || p == 5)
        return g[p == 0 ? 0 : 2];
    if (p < 3)
        return -2 / 3.0 * g[0] - 1 / 3.0 * g[2] - sign * sqrt(2) / 3 * g[1];
    return 1 / 6.0 * g[0] + 1 / 3.0 * g[2] + sign * sqrt(2) / 6 * g[1];
}

/* At 36 points, winograd_weight_count in all: [k / panel][c][panel], from folded weights
 * [9][c][k]. */
static void make_points(const Net *net, const Op *op, Constants *constants)
{
    const int c = op_in(net, op, "x")->c, k = op_out(net, op, "y")->c;
    const int panel = op->panel;
    char name[NAME_SIZE];
    name_behind(name, op->name, ".weight");
    const float *w = constants_find(constants, name)->values;
    const Tensor *points = op_in(net, op, "w");
    float *to =
        constants_add(constants, points->name, "", TYPE_F32, tensor_count(points));
    for (int i = 0; i < c * k; i++) {
        double columns[6][3];
        for (int v = 0; v < 3; v++)
            for (int p = 0; p < 6; p++) {
                const double g[3] = {w[v * c * k + i], w[(3 + v) * c * k + i],
                                     w[(6 + v) * c * k + i]};
                columns[p][v] = at_point(g, p);
            }
        const int n = i % k, place = n / panel * c * panel + i / k * panel + n % panel;
        for (int p = 0; p < 36; p++)
            to[p * ((size_t)c * k + WINOGRAD_APART) + place] =
                (float)at_point(columns[p / 6], p % 6);
    }
}

/* Whether the op has weights that were transformed when the file was made. */
static bool has_transformed(const Net *net, const Op *op)
{
    if (op->kind == OP_I_WINOGRAD)
        return op->code_block == 0 && op_in(net, op, "codes")->role == ROLE_PARAM;
    return op->kind == OP_CONV_FOLDED && op->lowering == LOWER_WINOGRAD &&
           op_in(net, op, "w")->role == ROLE_PARAM;
}

void constants_winograd(const Net *net, Constants *constants)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (has_transformed(net, op))
            (op->kind == OP_I_WINOGRAD ? make_layer : make_points)(net, op, constants);
    }
}
