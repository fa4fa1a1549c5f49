/* shape: from an op's inputs and geometry to the shapes of its output and parameters, and
 * its cost. Needs: inputs and the fields the config gives. Sets: out, parameter shapes,
 * macs. */
#include "gen/config/shape.h"

#include "runtime/base/support.h"

#include <string.h>

enum { MOST_FLOATS = 1 << 28, MOST_CHANNELS = 65536 };

static void shape_vector(Tensor *tensor, int k)
{
    tensor->rank = 1;
    tensor->k = k;
}

static bool window_size(int in, int before, int after, int kernel, int stride, int *out)
{
    int room = before + in + after - kernel;
    *out = room / stride + 1;
    return room >= 0 || rt_fail("kernel %d is larger than the padded input, %d pixels",
                                kernel, before + in + after);
}

static int out_data(Net *net, int index, int h, int w, int c)
{
    int tensor = net_add_data(net, net->ops[index].name, "", h, w, c);
    net->ops[index].out[LAYER_y] = tensor;
    return tensor;
}

static bool shape_window(Net *net, int index, int c)
{
    const Op *op = &net->ops[index];
    const Tensor *x = &net->tensors[op->in[LAYER_x]];
    int h, w;
    if (!window_size(x->h, op->pad_top, op->pad_bottom, op->kernel_h, op->stride, &h) ||
        !window_size(x->w, op->pad_left, op->pad_right, op->kernel_w, op->stride, &w))
        return false;
    out_data(net, index, h, w, c);
    return true;
}

static bool shape_conv(Net *net, int index)
{
    Op *op = &net->ops[index];
    Tensor *w = op_in(net, op, "w");
    int channels = net->tensors[op->in[LAYER_x]].c;
    if (channels % op->groups != 0 || w->k % op->groups != 0)
        return rt_fail("groups %d: want a divisor of the input's channels, %d, and of "
                       "out, %d",
                       op->groups, channels, w->k);
    op->depthwise = op->groups > 1 && op->groups == channels && op->groups == w->k;
    w->rank = 4;
    w->h = op->kernel_h;
    w->w = op->kernel_w;
    w->c = channels / op->groups;
    if (op->in[CONV_b] != NONE)
        shape_vector(op_in(net, op, "b"), w->k);
    if (tensor_count(w) > MOST_FLOATS)
        return rt_fail("%ld weights, want at most %d", tensor_count(w), MOST_FLOATS);
    long weights = tensor_count(w);
    if (!shape_window(net, index, w->k))
        return false;
    const Tensor *y = &net->tensors[net->ops[index].out[LAYER_y]];
    net->ops[index].macs = weights * y->h * y->w;
    return true;
}

static bool shape_dense(Net *net, int index)
{
    const Op *op = &net->ops[index];
    const Tensor *x = &net->tensors[op->in[LAYER_x]];
    if (x->h != 1 || x->w != 1)
        return rt_fail("input is %d x %d x %d, want 1 x 1 pixel: pool it first", x->h,
                       x->w, x->c);
    Tensor *w = op_in(net, op, "w");
    w->rank = 2;
    w->c = x->c;
    shape_vector(op_in(net, op, "b"), w->k);
    net->ops[index].macs = tensor_count(w);
    out_data(net, index, 1, 1, w->k);
    return true;
}

static bool shape_add(Net *net, int index)
{
    const Tensor *a = &net->tensors[net->ops[index].in[ADD_x]];
    const Tensor *b = &net->tensors[net->ops[index].in[ADD_residual]];
    if (a->h != b->h || a->w != b->w || a->c != b->c)
        return rt_fail("inputs %s %d x %d x %d and %s %d x %d x %d differ in shape",
                       a->name, a->h, a->w, a->c, b->name, b->h, b->w, b->c);
    out_data(net, index, a->h, a->w, a->c);
    return true;
}

static bool shape_concat(Net *net, int index)
{
    const Op *op = &net->ops[index];
    const Tensor *a = &net->tensors[op->in[CONCAT_x]];
    long channels = 0;
    for (int i = 0; i < OP_INPUTS && op->in[i] != NONE; i++) {
        const Tensor *b = &net->tensors[op->in[i]];
        if (a->h != b->h || a->w != b->w)
            return rt_fail("inputs %s %d x %d x %d and %s %d x %d x %d differ in rows or "
                           "columns",
                           a->name, a->h, a->w, a->c, b->name, b->h, b->w, b->c);
        channels += b->c;
    }
    if (channels > MOST_CHANNELS)
        return rt_fail("%ld channels, want at most %d", channels, MOST_CHANNELS);
    out_data(net, index, a->h, a->w, (int)channels);
    return true;
}

static bool shape_bn(Net *net, int index)
{
    const Op *op = &net->ops[index];
    const Tensor *x = &net->tensors[op->in[LAYER_x]];
    const char *const slots[] = {"scale", "shift", "mean", "var"};
    for (int i = 0; i < 4; i++)
        shape_vector(op_in(net, op, slots[i]), x->c);
    out_data(net, index, x->h, x->w, x->c);
    return true;
}

/* A pool without a kernel has the whole image under its window. */
static bool shape_pool(Net *net, int index)
{
    Op *op = &net->ops[index];
    const Tensor *x = &net->tensors[op->in[LAYER_x]];
    if (op->kernel_h == 0) {
        op->kernel_h = x->h;
        op->kernel_w = x->w;
        op->stride = 1;
    }
    return shape_window(net, index, x->c);
}

bool shape_op(Net *net, int index)
{
    const Op *op = &net->ops[index];
    const Tensor *x = &net->tensors[op->in[LAYER_x]];
    bool ok = true;
    switch (op->kind) {
    case OP_CONV:
        ok = shape_conv(net, index);
        break;
    case OP_DENSE:
        ok = shape_dense(net, index);
        break;
    case OP_ADD:
        ok = shape_add(net, index);
        break;
    case OP_CONCAT:
        ok = shape_concat(net, index);
        break;
    case OP_BN:
        ok = shape_bn(net, index);
        break;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        ok = shape_pool(net, index);
        break;
    case OP_SUBSAMPLE: {
        Tensor *y = &net->tensors[op->out[LAYER_y]];
        y->h = (x->h - 1) / op->stride + 1;
        y->w = (x->w - 1) / op->stride + 1;
        break;
    }
    case OP_IMAGE:
    case OP_RELU:
    case OP_DROPOUT:
        out_data(net, index, x->h, x->w, x->c);
        break;
    default:
        op_unhandled(net, op, "shape");
    }
    if (ok && tensor_count(&net->tensors[net->ops[index].out[LAYER_y]]) > MOST_FLOATS)
        return rt_fail("output has over %d values", MOST_FLOATS);
    return ok;
}
