/* Transformed weights of a standalone file: of I_WINOGRAD, from codes, see
 * gen/passes/winograd_codes.c; of CONV_FOLDED, see gen/passes/winograd.h. */
#include "gen/emit/constants.h"

#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"

#include <assert.h>
#include <math.h>

/* The code of tap t, input channel c and output channel k in the words of codes. */
static int code_at(const uint32_t *words, int channels, int outputs, int t, int c, int k)
{
    int block = rt_code_block(outputs);
    size_t at =
        (((size_t)k / block * 9 + t) * (channels / 4) + c / 4) * block + k % block;
    return (int8_t)(words[at] >> 8 * (c % 4));
}

/* 4 G g G', the rows of 2 G being 2 0 0, 1 1 1, 1 -1 1, 0 0 2. */
static void transform(const int g[9], int u[16])
{
    static const int rows[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int sum = 0;
            for (int t = 0; t < 9; t++)
                sum += rows[i][t / 3] * rows[j][t % 3] * g[t];
            assert(sum >= -127 && sum <= 127);
            u[4 * i + j] = sum;
        }
}

/* Starts [k / width][16][width], then words [k / width][16][c / 4][width]. */
static void make_layer(const Net *net, const Op *op, Constants *constants)
{
    enum { SUMMED = 5 }; /* position 1, 1 needs no start: its values are none below 0 */
    int channels = op_in(net, op, "x")->c, outputs = op_out(net, op, "y")->c;
    int width = op->tile_vectors * op->lanes;
    const Tensor *made = op_in(net, op, "codes");
    uint32_t *to = constants_add(constants, made->name, "", TYPE_U32, tensor_count(made));
    char name[NAME_SIZE];
    name_behind(name, op->name, ".codes");
    const uint32_t *codes = constants_find(constants, name)->values;
    uint32_t *words = to + (size_t)16 * outputs;
    for (int k = 0; k < outputs; k++)
        for (int c = 0; c < channels; c++) {
            int g[9], u[16];
            for (int t = 0; t < 9; t++)
                g[t] = code_at(codes, channels, outputs, t, c, k);
            transform(g, u);
            for (int p = 0; p < 16; p++) {
                size_t at = ((size_t)k / width * 16 + p) * width + k % width;
                size_t word =
                    (((size_t)k / width * 16 + p) * (channels / 4) + c / 4) * width;
                if (p != SUMMED)
                    to[at] -= (uint32_t)(2 * op->most_code * u[p]);
                words[word + k % width] |= (uint32_t)(uint8_t)u[p] << 8 * (c % 4);
            }
        }
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

/* [36 points][k / panel][c][panel], from folded weights [9][c][k]. */
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
            to[(size_t)p * c * k + place] = (float)at_point(columns[p / 6], p % 6);
    }
}

bool constants_transformed(const Op *op)
{
    return op->kind == OP_I_WINOGRAD ||
           (op->kind == OP_CONV_FOLDED && op->lowering == LOWER_WINOGRAD);
}

void constants_winograd(const Net *net, Constants *constants)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (constants_transformed(op))
            (op->kind == OP_I_WINOGRAD ? make_layer : make_points)(net, op, constants);
    }
}
