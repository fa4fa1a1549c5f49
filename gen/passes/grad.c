/* grad: batch statistics, the loss, and the backward ops, derived from the forward ops in
 * reverse. Needs: fuse. Gradients nobody needs (the image's) are not made.
 * A tensor that several ops read gets the sum of their gradients: the first one to run
 * writes, the others add. */
#include "gen/passes/passes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Net *net;
    int *gradient; /* by tensor: the tensor of its gradient, or NONE */
    bool *trained; /* by tensor: whether a parameter lies before it */
} Grad;

static int once_tensor(Net *net, Role role, Type type, const char *name,
                       const char *suffix, int c, int k)
{
    int index = net_add_tensor(net, role, name, suffix);
    Tensor *tensor = &net->tensors[index];
    tensor->type = type;
    tensor->rank = 2;
    tensor->c = c;
    tensor->k = k;
    return index;
}

static bool multiplies(OpKind kind)
{
    return kind == OP_CONV_BWD_INPUT || kind == OP_CONV_BWD_WEIGHT ||
           kind == OP_DENSE_BWD_INPUT || kind == OP_DENSE_BWD_WEIGHT;
}

/* An op of the backward pass of op `of`. */
static int add_backward(Net *net, OpKind kind, int of)
{
    Op like = net->ops[of];
    int index = net_add_op(net, kind, like.name, like.file, like.line);
    Op *op = &net->ops[index];
    op->layer = like.layer;
    op->kernel_h = like.kernel_h;
    op->kernel_w = like.kernel_w;
    op->stride = like.stride;
    op->pad_top = like.pad_top;
    op->pad_left = like.pad_left;
    op->pad_bottom = like.pad_bottom;
    op->pad_right = like.pad_right;
    op->channel_offset = like.channel_offset;
    op->relu = like.relu;
    op->macs = multiplies(kind) ? like.macs : 0;
    return index;
}

static void set_in(Net *net, int op, const char *slot, int tensor)
{
    net->ops[op].in[op_input(net->ops[op].kind, slot)] = tensor;
}

static void set_out(Net *net, int op, const char *slot, int tensor)
{
    net->ops[op].out[op_output(net->ops[op].kind, slot)] = tensor;
}

/* The gradient of a parameter: the same offset in step->gradient. */
static int param_gradient(Net *net, int param)
{
    Tensor like = net->tensors[param];
    int index = net_add_tensor(net, ROLE_GRADIENT, like.name, ".gradient");
    snprintf(like.name, sizeof like.name, "%s", net->tensors[index].name);
    like.role = ROLE_GRADIENT;
    net->tensors[index] = like;
    return index;
}

/* Let op write (or, from the second time on, add) the gradient of `tensor` in its output
 * slot; nothing when the tensor needs none. */
static void write_gradient(Grad *grad, int op, const char *slot, int tensor)
{
    Net *net = grad->net;
    bool first = grad->gradient[tensor] == NONE;
    if (first) {
        Tensor like = net->tensors[tensor];
        grad->gradient[tensor] =
            net_add_data(net, like.name, ".gradient", like.h, like.w, like.c);
    }
    int index = op_output(net->ops[op].kind, slot);
    net->ops[op].out[index] = grad->gradient[tensor];
    if (index == 0)
        net->ops[op].accumulate = !first;
    else
        net->ops[op].accumulate_residual = !first;
}

static bool needs_gradient(const Grad *grad, int tensor)
{
    return grad->net->tensors[tensor].role == ROLE_DATA && grad->trained[tensor];
}

/* The Q_WEIGHTS that makes these codes or values, or NONE for a parameter itself. */
static int quantised_by(const Net *net, int weights)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_Q_WEIGHTS && op_writes(&net->ops[i], weights))
            return i;
    return NONE;
}

/* Where the gradient by weights goes: the parameter's, or that of its quantised
 * values. */
static int weight_gradient(Net *net, int weights)
{
    int by = quantised_by(net, weights);
    return by == NONE ? param_gradient(net, weights)
                      : net->ops[by].out[op_output(OP_Q_WEIGHTS, "dvalues")];
}

/* Codes as floats, made again near where they are used: cheaper than keeping them. */
static int floats_of(Net *net, int forward, int codes)
{
    if (net->tensors[codes].type != TYPE_U8)
        return codes;
    Tensor like = net->tensors[codes];
    int op = add_backward(net, OP_Q_FLOAT, forward);
    int floats = net_add_data(net, net->ops[op].name, ".x", like.h, like.w, like.c);
    set_in(net, op, "x", codes);
    set_out(net, op, "y", floats);
    net->ops[op].in_steps = net->tensors[codes].codes.is_image;
    return floats;
}

static void conv_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    int x = net->ops[forward].in[0], w = net->ops[forward].in[1];
    int by = quantised_by(net, w), gradient = weight_gradient(net, w);
    if (by != NONE)
        w = net->ops[by].out[op_output(OP_Q_WEIGHTS, "values")];
    int floats = floats_of(net, forward, x);
    int weight = add_backward(net, OP_CONV_BWD_WEIGHT, forward);
    set_in(net, weight, "x", floats);
    set_in(net, weight, "dy", dy);
    set_out(net, weight, "dw", gradient);
    if (!needs_gradient(grad, x))
        return;
    int rows = net->tensors[x].h, columns = net->tensors[x].w;
    int flip = add_backward(net, OP_CONV_FLIP, forward);
    int flipped = once_tensor(net, ROLE_ONCE, TYPE_F32, net->ops[flip].name, ".flipped",
                              1, (int)tensor_count(&net->tensors[w]));
    set_in(net, flip, "w", w);
    set_out(net, flip, "flipped", flipped);
    int input = add_backward(net, OP_CONV_BWD_INPUT, forward);
    set_in(net, input, "dy", dy);
    set_in(net, input, "flipped", flipped);
    net->ops[input].rows = net->ops[flip].rows = rows;
    net->ops[input].columns = net->ops[flip].columns = columns;
    write_gradient(grad, input, "dx", x);
}

static void dense_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    const int *in = net->ops[forward].in;
    int x = in[0], w = in[1], b = in[2];
    int weight = add_backward(net, OP_DENSE_BWD_WEIGHT, forward);
    set_in(net, weight, "x", x);
    set_in(net, weight, "dy", dy);
    set_out(net, weight, "dw", weight_gradient(net, w));
    set_out(net, weight, "db", weight_gradient(net, b));
    if (!needs_gradient(grad, x))
        return;
    int input = add_backward(net, OP_DENSE_BWD_INPUT, forward);
    set_in(net, input, "dy", dy);
    set_in(net, input, "w", w);
    write_gradient(grad, input, "dx", x);
}

/* The BN_FINISH that computes this affine. */
static int finish_of(const Net *net, int coef)
{
    int i = 0;
    while (net->ops[i].kind != OP_BN_FINISH || net->ops[i].out[0] != coef)
        i++;
    return i;
}

/* Sums over the batch that the gradient of batch normalisation needs, and, for a
 * quantiser that is trained, of its derivatives. Returns the affine of dx, or NONE
 * without BN. */
static int point_sums(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    Op point = net->ops[forward];
    int x = point.in[0], coef = point.in[1];
    bool quantised = point.kind == OP_Q_POINT;
    bool learns = quantised && point.own.step != NONE;
    if (coef == NONE && !learns)
        return NONE;
    int sums = add_backward(net, quantised ? OP_Q_POINT_SUMS : OP_POINT_SUMS, forward);
    net->ops[sums].own = point.own;
    set_in(net, sums, "dy", dy);
    set_in(net, sums, "x", x);
    if (quantised) {
        set_in(net, sums, "coef", coef);
        set_in(net, sums, "residual", point.in[2]);
    } else {
        set_in(net, sums, "y", point.relu ? point.out[0] : NONE);
    }
    if (learns) {
        int partial =
            once_tensor(net, ROLE_PARTIAL, TYPE_F64, point.name, ".quantiser_sums", 1, 2);
        set_out(net, sums, "quantiser", partial);
        int finish = add_backward(net, OP_Q_ACT_FINISH, forward);
        net->ops[finish].own = point.own;
        net->ops[finish].terms = (int)tensor_count(&net->tensors[point.out[0]]);
        set_in(net, finish, "quantiser", partial);
        set_out(net, finish, "dstep", param_gradient(net, point.own.step));
        if (point.own.range != NONE)
            set_out(net, finish, "drange", param_gradient(net, point.own.range));
    }
    if (coef == NONE)
        return NONE;
    Op normalise = net->ops[finish_of(net, coef)];
    int saved = normalise.out[op_output(OP_BN_FINISH, "saved")];
    int scale = normalise.in[op_input(OP_BN_FINISH, "scale")];
    int shift = normalise.in[op_input(OP_BN_FINISH, "shift")];
    int channels = net->tensors[x].c;
    int partial = once_tensor(net, ROLE_PARTIAL, TYPE_F64, point.name, ".backward_sums",
                              2, channels);
    int affine =
        once_tensor(net, ROLE_ONCE, TYPE_F32, point.name, ".backward_coef", 3, channels);
    set_in(net, sums, "saved", saved);
    set_out(net, sums, "partial", partial);
    int finish = add_backward(net, OP_POINT_FINISH, forward);
    net->ops[finish].samples = normalise.samples;
    set_in(net, finish, "partial", partial);
    set_in(net, finish, "scale", scale);
    set_in(net, finish, "saved", saved);
    set_out(net, finish, "coef", affine);
    set_out(net, finish, "dscale", param_gradient(net, scale));
    set_out(net, finish, "dshift", param_gradient(net, shift));
    return affine;
}

/* An op that sends dy back to what the POINT read. */
static int send_back(Net *net, int forward, int dy, const char *suffix)
{
    Op point = net->ops[forward];
    bool quantised = point.kind == OP_Q_POINT;
    int op = add_backward(net, quantised ? OP_Q_POINT_BWD : OP_POINT_BWD, forward);
    strncat(net->ops[op].name, suffix, NAME_SIZE - 1 - strlen(net->ops[op].name));
    net->ops[op].own = point.own;
    set_in(net, op, "dy", dy);
    if (quantised) {
        set_in(net, op, "x", point.in[0]);
        set_in(net, op, "coef", point.in[1]);
        set_in(net, op, "residual", point.in[2]);
    } else {
        set_in(net, op, "y", point.relu ? point.out[0] : NONE);
    }
    return op;
}

static void point_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    Op point = net->ops[forward];
    int x = point.in[0], residual = point.in[2];
    int affine = point_sums(grad, forward, dy), backward = NONE;
    if (needs_gradient(grad, x)) {
        backward = send_back(net, forward, dy, "");
        set_in(net, backward, "x", affine == NONE && point.kind == OP_POINT ? NONE : x);
        set_in(net, backward, point.kind == OP_POINT ? "coef" : "affine", affine);
        write_gradient(grad, backward, "dx", x);
    }
    if (residual == NONE || !needs_gradient(grad, residual))
        return;
    if (backward == NONE || residual == x) /* an op writes a tensor once: another adds */
        backward = send_back(net, forward, dy, "_residual");
    write_gradient(grad, backward, "dresidual", residual);
}

/* Gradients by quantised weights become those of the weights and their quantiser. */
static void weights_backward(Grad *grad, int forward)
{
    Net *net = grad->net;
    Op quantise = net->ops[forward];
    int op = add_backward(net, OP_Q_WEIGHTS_BWD, forward);
    net->ops[op].own = quantise.own;
    net->ops[op].input = quantise.input;
    set_in(net, op, "w", quantise.in[0]);
    set_in(net, op, "dvalues", quantise.out[op_output(OP_Q_WEIGHTS, "dvalues")]);
    set_out(net, op, "dw", param_gradient(net, quantise.in[0]));
    if (quantise.own.step != NONE)
        set_out(net, op, "dstep", param_gradient(net, quantise.own.step));
    if (quantise.own.range != NONE && quantise.own.step != NONE)
        set_out(net, op, "drange", param_gradient(net, quantise.own.range));
}

/* Pools and subsample: one op that sends dy back. */
static void simple_backward(Grad *grad, int forward, int dy, OpKind kind)
{
    Net *net = grad->net;
    int x = net->ops[forward].in[0];
    if (!needs_gradient(grad, x))
        return;
    int op = add_backward(net, kind, forward);
    if (kind == OP_MAXPOOL_BWD)
        set_in(net, op, "x", x);
    set_in(net, op, "dy", dy);
    write_gradient(grad, op, "dx", x);
}

/* A float copy of codes sends its gradient on unchanged. */
static void floats_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    int x = net->ops[forward].in[0];
    if (!needs_gradient(grad, x))
        return;
    int op = add_backward(net, OP_POINT_BWD, forward);
    strncat(net->ops[op].name, "_floats", NAME_SIZE - 1 - strlen(net->ops[op].name));
    net->ops[op].relu = false;
    set_in(net, op, "dy", dy);
    write_gradient(grad, op, "dx", x);
}

static void op_backward(Grad *grad, int forward)
{
    const Op *op = &grad->net->ops[forward];
    int dy = op->out[0] == NONE ? NONE : grad->gradient[op->out[0]];
    bool reached = dy != NONE || op->kind == OP_Q_WEIGHTS;
    if (!reached)
        return;
    if (op->kind == OP_CONV || op->kind == OP_Q_CONV)
        conv_backward(grad, forward, dy);
    else if (op->kind == OP_Q_WEIGHTS)
        weights_backward(grad, forward);
    else if (op->kind == OP_DENSE)
        dense_backward(grad, forward, dy);
    else if (op->kind == OP_POINT || op->kind == OP_Q_POINT)
        point_backward(grad, forward, dy);
    else if (op->kind == OP_AVGPOOL || op->kind == OP_Q_AVGPOOL)
        simple_backward(grad, forward, dy, OP_AVGPOOL_BWD);
    else if (op->kind == OP_MAXPOOL)
        simple_backward(grad, forward, dy, OP_MAXPOOL_BWD);
    else if (op->kind == OP_SUBSAMPLE)
        simple_backward(grad, forward, dy, OP_SUBSAMPLE_BWD);
    else if (op->kind == OP_Q_FLOAT)
        floats_backward(grad, forward, dy);
}

/* The BN_FOLD whose affine the op applies, or NONE. */
static int fold_of(const Net *net, const Op *op)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].kind == OP_BN_FOLD && op_reads(op, net->ops[i].out[0]))
            return i;
    return NONE;
}

/* BN_FOLD becomes the sums and the batch's affine, ahead of the POINT that applies it. */
static void use_batch_statistics(Net *net)
{
    Net grown = net_copy(net);
    grown.op_count = 0;
    for (int i = 0; i < net->op_count; i++) {
        Op point = net->ops[i];
        int fold = fold_of(net, &point);
        if (point.kind == OP_BN_FOLD)
            continue;
        if (fold == NONE) {
            net_append_op(&grown, &point);
            continue;
        }
        Op op = net->ops[fold];
        int coef = op.out[0], channels = net->tensors[coef].k, x = point.in[0];
        int partial =
            once_tensor(&grown, ROLE_PARTIAL, TYPE_F64, op.name, ".sums", 2, channels);
        int saved =
            once_tensor(&grown, ROLE_ONCE, TYPE_F32, op.name, ".saved", 2, channels);
        int stats = net_add_op(&grown, OP_BN_STATS, op.name, op.file, op.line);
        set_in(&grown, stats, "x", x);
        set_out(&grown, stats, "partial", partial);
        int finish = net_add_op(&grown, OP_BN_FINISH, op.name, op.file, op.line);
        set_in(&grown, finish, "partial", partial);
        for (int j = 0; j < 4; j++)
            grown.ops[finish].in[j + 1] = op.in[j]; /* scale, shift, mean, var */
        set_out(&grown, finish, "coef", coef);
        set_out(&grown, finish, "saved", saved);
        grown.ops[stats].layer = grown.ops[finish].layer = op.layer;
        grown.ops[finish].samples = net->tensors[x].h * net->tensors[x].w;
        net_append_op(&grown, &point);
    }
    net_free(net);
    *net = grown;
}

static void mark_trained(const Net *net, bool *trained)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        bool behind = false;
        for (int j = 0; j < OP_INPUTS; j++)
            if (op->in[j] != NONE)
                behind = behind || trained[op->in[j]] ||
                         net->tensors[op->in[j]].role == ROLE_PARAM;
        for (int j = 0; j < OP_OUTPUTS; j++)
            if (op->out[j] != NONE)
                trained[op->out[j]] = behind;
    }
}

void pass_grad(Net *net)
{
    use_batch_statistics(net);
    int forward_ops = net->op_count;
    Grad grad = {net, rt_alloc(net->tensor_count * sizeof(int)),
                 rt_alloc(net->tensor_count)};
    mark_trained(net, grad.trained);
    for (int i = 0; i < net->tensor_count; i++)
        grad.gradient[i] = NONE;
    int logits = net->ops[forward_ops - 1].out[0];
    int loss = add_backward(net, OP_LOSS, forward_ops - 1);
    int partial = once_tensor(net, ROLE_PARTIAL, TYPE_F64, "loss", ".sums", 1, 2);
    snprintf(net->ops[loss].name, NAME_SIZE, "softmax");
    set_in(net, loss, "y", logits);
    write_gradient(&grad, loss, "dy", logits);
    set_out(net, loss, "partial", partial);
    int finish = add_backward(net, OP_LOSS_FINISH, loss);
    set_in(net, finish, "partial", partial);
    for (int i = forward_ops - 1; i >= 0; i--)
        op_backward(&grad, i);
    free(grad.gradient);
    free(grad.trained);
}
