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
    Links links;   /* of the forward ops */
    int *gradient; /* by tensor: the tensor of its gradient, or NONE */
    bool *trained; /* by tensor: whether a parameter lies before it */
} Grad;

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
    op->groups = like.groups;
    op->depthwise = like.depthwise;
    op->pad_top = like.pad_top;
    op->pad_left = like.pad_left;
    op->pad_bottom = like.pad_bottom;
    op->pad_right = like.pad_right;
    op->count_pad = like.count_pad;
    op->channel_offset = like.channel_offset;
    op->rate = like.rate;
    op_activate(op, &like);
    op->macs = op_is(op, MACS) ? like.macs : 0;
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

/* The Q_WEIGHTS that makes these codes or values, or NULL for a parameter itself. */
static const Op *quantised_by(const Grad *grad, int weights)
{
    const Op *op = net_writer(&grad->links, weights);
    return op && op->kind == OP_Q_WEIGHTS ? op : NULL;
}

/* Where the gradient by weights goes: the parameter's, or that of its quantised
 * values. */
static int weight_gradient(Grad *grad, int weights)
{
    const Op *by = quantised_by(grad, weights);
    return by ? by->out[Q_WEIGHTS_dvalues] : param_gradient(grad->net, weights);
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
    net->ops[op].again = true;
    return floats;
}

static void conv_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    Op conv = net->ops[forward];
    int x = conv.in[LAYER_x], w = conv.in[conv.kind == OP_CONV ? CONV_w : Q_CONV_codes];
    int gradient = weight_gradient(grad, w);
    const Op *by = quantised_by(grad, w);
    if (by)
        w = by->out[Q_WEIGHTS_values];
    int floats = floats_of(net, forward, x);
    int weight = add_backward(net, OP_CONV_BWD_WEIGHT, forward);
    set_in(net, weight, "x", floats);
    set_in(net, weight, "dy", dy);
    set_out(net, weight, "dw", gradient);
    if (!needs_gradient(grad, x))
        return;
    int rows = net->tensors[x].h, columns = net->tensors[x].w;
    int flip = add_backward(net, OP_CONV_FLIP, forward);
    int flipped = net_add_array(net, ROLE_ONCE, TYPE_F32, net->ops[flip].name, ".flipped",
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
    int x = in[DENSE_x], w = in[DENSE_w], b = in[DENSE_b];
    int weight = add_backward(net, OP_DENSE_BWD_WEIGHT, forward);
    set_in(net, weight, "x", x);
    set_in(net, weight, "dy", dy);
    set_out(net, weight, "dw", weight_gradient(grad, w));
    set_out(net, weight, "db", weight_gradient(grad, b));
    if (!needs_gradient(grad, x))
        return;
    int input = add_backward(net, OP_DENSE_BWD_INPUT, forward);
    set_in(net, input, "dy", dy);
    set_in(net, input, "w", w);
    write_gradient(grad, input, "dx", x);
}

/* The bias, where that is all an affine is made of; else NONE. */
static int bias_of(const Grad *grad, int coef)
{
    const Op *affine = coef == NONE ? NULL : net_writer(&grad->links, coef);
    return affine && affine->kind == OP_BN_FOLD ? affine->in[BN_FOLD_bias] : NONE;
}

/* What `sums` adds up for a bias. */
static void bias_sums(Grad *grad, int forward, int sums, int bias)
{
    Net *net = grad->net;
    int partial = net_add_array(net, ROLE_PARTIAL, TYPE_F64, net->ops[forward].name,
                                ".backward_sums", 2, net->tensors[bias].k);
    set_out(net, sums, "partial", partial);
    int finish = add_backward(net, OP_BIAS_FINISH, forward);
    set_in(net, finish, "partial", partial);
    set_out(net, finish, "dbias", param_gradient(net, bias));
}

/* The gradient of a BN's scale or shift, which `finish` puts out: of each chunk, where
 * statistics are a chunk's own, and then added by the tree. */
static void norm_gradient(Net *net, int finish, const char *slot, int param)
{
    int gradient = param_gradient(net, param);
    if (net->norm == NORM_BATCH) {
        set_out(net, finish, slot, gradient);
        return;
    }
    const Tensor like = net->tensors[param];
    int partial = net_add_array(net, ROLE_PARTIAL, TYPE_F32, like.name, ".gradient_sums",
                                1, like.k);
    set_out(net, finish, slot, partial);
    int add = add_backward(net, OP_ADD_CHUNKS, finish);
    op_rename(net, &net->ops[add], strcmp(slot, "dscale") == 0 ? "_scale" : "_shift");
    set_in(net, add, "partial", partial);
    set_out(net, add, "dw", gradient);
}

/* What `sums` adds up for batch normalisation, and the affine of dx from it. */
static int normalise_sums(Grad *grad, int forward, int sums, const PointSlots *at)
{
    Net *net = grad->net;
    Op point = net->ops[forward], normalise = *net_writer(&grad->links, at->coef);
    int saved = normalise.out[BN_FINISH_saved];
    int scale = normalise.in[BN_FINISH_scale], shift = normalise.in[BN_FINISH_shift];
    int channels = net->tensors[at->x].c;
    int partial = net_add_array(net, ROLE_PARTIAL, TYPE_F64, point.name, ".backward_sums",
                                2, channels);
    int affine = net_add_array(net, norm_role(net), TYPE_F32, point.name,
                               ".backward_coef", 3, channels);
    set_in(net, sums, "saved", saved);
    set_out(net, sums, "partial", partial);
    int finish = add_backward(net, OP_POINT_FINISH, forward);
    net->ops[finish].scope = normalise.scope;
    net->ops[finish].samples = normalise.samples;
    set_in(net, finish, "partial", partial);
    set_in(net, finish, "scale", scale);
    set_in(net, finish, "saved", saved);
    set_out(net, finish, "coef", affine);
    norm_gradient(net, finish, "dscale", scale);
    norm_gradient(net, finish, "dshift", shift);
    return affine;
}

/* Sums over the batch that the gradient of batch normalisation needs, and, for a
 * quantiser that is trained, of its derivatives. Returns the affine of dx, or NONE
 * without BN; a bias alone leaves dx as it is. */
static int point_sums(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    Op point = net->ops[forward];
    PointSlots at = point_slots(&point);
    bool quantised = point.kind == OP_Q_POINT;
    bool learns = quantised && point.own.step != NONE;
    if (at.coef == NONE && !learns)
        return NONE;
    int sums = add_backward(net, quantised ? OP_Q_POINT_SUMS : OP_POINT_SUMS, forward);
    net->ops[sums].own = point.own;
    set_in(net, sums, "dy", dy);
    int bias = bias_of(grad, at.coef);
    if (quantised || bias == NONE)
        set_in(net, sums, "x", at.x);
    if (quantised) {
        set_in(net, sums, "coef", at.coef);
        set_in(net, sums, "residual", at.residual);
    } else {
        set_in(net, sums, "y", point.relu ? at.y : NONE);
        set_out(net, sums, "g", point.relu ? dy : NONE);
    }
    if (learns) {
        int partial = net_add_array(net, ROLE_PARTIAL, TYPE_F64, point.name,
                                    ".quantiser_sums", 1, 2);
        set_out(net, sums, "quantiser", partial);
        int finish = add_backward(net, OP_Q_ACT_FINISH, forward);
        net->ops[finish].own = point.own;
        net->ops[finish].terms = (int)tensor_count(&net->tensors[at.y]);
        set_in(net, finish, "quantiser", partial);
        set_out(net, finish, "dstep", param_gradient(net, point.own.step));
        if (point.own.range != NONE)
            set_out(net, finish, "drange", param_gradient(net, point.own.range));
    }
    if (bias != NONE)
        bias_sums(grad, forward, sums, bias);
    return at.coef == NONE || bias != NONE ? NONE
                                           : normalise_sums(grad, forward, sums, &at);
}

/* An op that sends dy back to what the POINT read. */
static int send_back(Net *net, int forward, int dy, const char *suffix)
{
    Op point = net->ops[forward];
    bool quantised = point.kind == OP_Q_POINT;
    int op = add_backward(net, quantised ? OP_Q_POINT_BWD : OP_POINT_BWD, forward);
    if (*suffix)
        op_rename(net, &net->ops[op], suffix);
    net->ops[op].own = point.own;
    set_in(net, op, "dy", dy);
    if (quantised) {
        set_in(net, op, "x", point.in[Q_POINT_x]);
        set_in(net, op, "coef", point.in[Q_POINT_coef]);
        set_in(net, op, "residual", point.in[Q_POINT_residual]);
    } else if (point.in[POINT_coef] != NONE) { /* its sums left dy where y > 0 */
        op_activate(&net->ops[op], &(const Op){0});
    } else {
        set_in(net, op, "y", point.relu ? point.out[POINT_y] : NONE);
    }
    return op;
}

static void point_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    Op point = net->ops[forward];
    PointSlots at = point_slots(&point);
    int x = at.x, residual = at.residual;
    int affine = point_sums(grad, forward, dy), backward = NONE;
    if (needs_gradient(grad, x)) {
        backward = send_back(net, forward, dy, "");
        set_in(net, backward, "x", affine == NONE && point.kind == OP_POINT ? NONE : x);
        set_in(net, backward, point.kind == OP_POINT ? "coef" : "affine", affine);
        write_gradient(grad, backward, "dx", x);
    }
    if (residual == NONE || !needs_gradient(grad, residual))
        return;
    bool passes_all = point.kind == OP_POINT && (at.coef != NONE || !point.relu);
    if (passes_all && grad->gradient[residual] == NONE) {
        grad->gradient[residual] = dy; /* in its place: nothing else waits for dy */
        return;
    }
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
    set_in(net, op, "w", quantise.in[Q_WEIGHTS_w]);
    set_in(net, op, "dvalues", quantise.out[Q_WEIGHTS_dvalues]);
    set_out(net, op, "dw", param_gradient(net, quantise.in[Q_WEIGHTS_w]));
    if (quantise.own.step != NONE)
        set_out(net, op, "dstep", param_gradient(net, quantise.own.step));
    if (quantise.own.range != NONE && quantise.own.step != NONE)
        set_out(net, op, "drange", param_gradient(net, quantise.own.range));
}

/* Pools and subsample: one op that sends dy back, and sees x if it asks for it. */
static void simple_backward(Grad *grad, int forward, int dy, OpKind kind)
{
    Net *net = grad->net;
    int x = net->ops[forward].in[LAYER_x];
    if (!needs_gradient(grad, x))
        return;
    int op = add_backward(net, kind, forward);
    if (strcmp(op_info[kind].inputs[0], "x") == 0)
        set_in(net, op, "x", x);
    set_in(net, op, "dy", dy);
    write_gradient(grad, op, "dx", x);
}

/* Each part gets its channels of dy. */
static void concat_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    const Op concat = net->ops[forward];
    for (int i = 0, before = 0; i < OP_INPUTS && concat.in[i] != NONE; i++) {
        int x = concat.in[i], op;
        if (needs_gradient(grad, x)) {
            op = add_backward(net, OP_SUBSAMPLE_BWD, forward);
            char part[16];
            snprintf(part, sizeof part, "_part%d", i + 1);
            op_rename(net, &net->ops[op], part);
            net->ops[op].stride = 1;
            net->ops[op].channel_offset = before;
            set_in(net, op, "dy", dy);
            write_gradient(grad, op, "dx", x);
        }
        before += net->tensors[x].c;
    }
}

/* A float copy of codes sends its gradient on unchanged. */
static void floats_backward(Grad *grad, int forward, int dy)
{
    Net *net = grad->net;
    int x = net->ops[forward].in[Q_FLOAT_x];
    if (!needs_gradient(grad, x))
        return;
    int op = add_backward(net, OP_POINT_BWD, forward);
    op_rename(net, &net->ops[op], "_floats");
    op_activate(&net->ops[op], &(const Op){0});
    set_in(net, op, "dy", dy);
    write_gradient(grad, op, "dx", x);
}

static void op_backward(Grad *grad, int forward)
{
    const Op *op = &grad->net->ops[forward];
    int y = op->out[LAYER_y], dy = y == NONE ? NONE : grad->gradient[y];
    if (dy == NONE && op->kind != OP_Q_WEIGHTS)
        return; /* nothing behind it is trained, or waits for a gradient */
    switch (op->kind) {
    case OP_CONV:
    case OP_Q_CONV:
        conv_backward(grad, forward, dy);
        break;
    case OP_POINT:
    case OP_Q_POINT:
        point_backward(grad, forward, dy);
        break;
    case OP_DENSE:
        dense_backward(grad, forward, dy);
        break;
    case OP_AVGPOOL:
    case OP_Q_AVGPOOL:
        simple_backward(grad, forward, dy, OP_AVGPOOL_BWD);
        break;
    case OP_MAXPOOL:
        simple_backward(grad, forward, dy, OP_MAXPOOL_BWD);
        break;
    case OP_CONCAT:
        concat_backward(grad, forward, dy);
        break;
    case OP_DROPOUT:
        simple_backward(grad, forward, dy, OP_DROPOUT_BWD);
        break;
    case OP_SUBSAMPLE:
        simple_backward(grad, forward, dy, OP_SUBSAMPLE_BWD);
        break;
    case OP_Q_FLOAT:
        floats_backward(grad, forward, dy);
        break;
    case OP_Q_WEIGHTS:
        weights_backward(grad, forward);
        break;
    default:
        op_unhandled(grad->net, op, "grad");
    }
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
    batch_statistics(net);
    int forward_ops = net->op_count;
    Grad grad = {.net = net,
                 .links = links_of(net),
                 .gradient = rt_alloc(net->tensor_count * sizeof(int)),
                 .trained = rt_alloc(net->tensor_count)};
    mark_trained(net, grad.trained);
    for (int i = 0; i < net->tensor_count; i++)
        grad.gradient[i] = NONE;
    int logits = net->ops[forward_ops - 1].out[DENSE_y];
    int loss = add_backward(net, OP_LOSS, forward_ops - 1);
    int partial = net_add_array(net, ROLE_PARTIAL, TYPE_F64, "loss", ".sums", 1, 2);
    snprintf(net->ops[loss].name, NAME_SIZE, "softmax");
    set_in(net, loss, "y", logits);
    write_gradient(&grad, loss, "dy", logits);
    set_out(net, loss, "partial", partial);
    int finish = add_backward(net, OP_LOSS_FINISH, loss);
    set_in(net, finish, "partial", partial);
    for (int i = forward_ops - 1; i >= 0; i--)
        op_backward(&grad, i);
    links_free(&grad.links);
    free(grad.gradient);
    free(grad.trained);
}
