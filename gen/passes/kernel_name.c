/* names: what each kernel is called. Needs: all that decides its text. Sets: kernel. Ops
 * of one name share a kernel, so a name says everything in which texts of its kind
 * differ, in one order:
 *   kind_window_shapes_what the op has and does_rows_rounding
 * such as i_conv_3x3_8x8x64_plus_codes_in_place_relu_x10_y10: what goes without saying,
 * a stride of 1 or rows without a halo, is left out. */
#include "gen/passes/passes.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Slots that may be empty, and the word when they are not. */
typedef enum { INPUT, OUTPUT } Side;
static const struct {
    OpKind kind;
    Side side;
    int slot;
    const char *word;
} optional[] = {
    {OP_POINT, INPUT, POINT_coef, "bn"},
    {OP_POINT, INPUT, POINT_residual, "plus"},
    {OP_CONV_FOLDED, INPUT, CONV_FOLDED_b, "bias"},
    {OP_CONV_FOLDED, INPUT, CONV_FOLDED_residual, "plus"},
    {OP_CONV, OUTPUT, CONV_partial, "sums"},
    {OP_CONV_BWD_INPUT, OUTPUT, CONV_BWD_INPUT_partial, "sums"},
    {OP_POINT_SUMS, INPUT, POINT_SUMS_y, "relu"},
    {OP_POINT_BWD, INPUT, POINT_BWD_coef, "bn"},
    {OP_POINT_BWD, INPUT, POINT_BWD_y, "relu"},
    {OP_POINT_BWD, OUTPUT, POINT_BWD_dx, "dx"},
    {OP_POINT_BWD, OUTPUT, POINT_BWD_dresidual, "dresidual"},
    {OP_Q_POINT, INPUT, Q_POINT_coef, "bn"},
    {OP_Q_POINT, INPUT, Q_POINT_residual, "plus"},
    {OP_Q_POINT_SUMS, INPUT, Q_POINT_SUMS_x, "x"},
    {OP_Q_POINT_SUMS, INPUT, Q_POINT_SUMS_coef, "bn"},
    {OP_Q_POINT_SUMS, INPUT, Q_POINT_SUMS_residual, "plus"},
    {OP_Q_POINT_SUMS, INPUT, Q_POINT_SUMS_saved, "sums"},
    {OP_Q_POINT_SUMS, OUTPUT, Q_POINT_SUMS_quantiser, "learned"},
    {OP_Q_POINT_BWD, INPUT, Q_POINT_BWD_x, "x"},
    {OP_Q_POINT_BWD, INPUT, Q_POINT_BWD_coef, "bn"},
    {OP_Q_POINT_BWD, INPUT, Q_POINT_BWD_residual, "plus"},
    {OP_Q_POINT_BWD, INPUT, Q_POINT_BWD_affine, "affine"},
    {OP_Q_POINT_BWD, OUTPUT, Q_POINT_BWD_dx, "dx"},
    {OP_Q_POINT_BWD, OUTPUT, Q_POINT_BWD_dresidual, "dresidual"},
    {OP_I_CONV, INPUT, I_CONV_residual, "plus"},
    {OP_I_WINOGRAD, INPUT, I_WINOGRAD_residual, "plus"},
    {OP_I_POINT, INPUT, I_POINT_residual, "plus"},
};

__attribute__((format(printf, 2, 3))) static void add(char *name, const char *format, ...)
{
    size_t length = strlen(name), room = KERNEL_SIZE - length;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(name + length, room, format, arguments);
    va_end(arguments);
    assert(wanted >= 0 && (size_t)wanted < room);
}

static void add_kind(char *name, const Op *op)
{
    for (const char *letter = op_info[op->kind].name; *letter; letter++)
        add(name, "%c", tolower((unsigned char)*letter));
}

static void add_window(char *name, const Op *op)
{
    if (op_is(op, VECTORS)) /* pixel by pixel: a convolution's, left over */
        return;
    if (op->kernel_h)
        add(name, "_%dx%d", op->kernel_h, op->kernel_w);
    if (op->stride > 1)
        add(name, "_stride%d", op->stride);
    if (op->groups > 1)
        add(name, "_groups%d", op->groups);
    bool middle = 2 * op->pad_top == op->kernel_h - 1 &&
                  2 * op->pad_left == op->kernel_w - 1; /* of the window on the pixel */
    if (op->kernel_h && !middle && op->pad_top == op->pad_left)
        add(name, "_pad%d", op->pad_top);
    else if (op->kernel_h && !middle)
        add(name, "_pad%dx%d", op->pad_top, op->pad_left);
}

static bool is_picture(const Tensor *t)
{
    return t->role == ROLE_DATA || t->role == ROLE_PIXELS || t->role == ROLE_LOGITS ||
           (t->role == ROLE_ONCE && t->rank == 3);
}

/* The nth tensor of an op, inputs first; NULL for an empty slot. */
enum { SLOTS = OP_INPUTS + OP_OUTPUTS };
static const Tensor *nth_tensor(const Net *net, const Op *op, int n)
{
    int tensor = n < OP_INPUTS ? op->in[n] : op->out[n - OP_INPUTS];
    return tensor == NONE ? NULL : &net->tensors[tensor];
}

static bool same_shape(const Tensor *a, const Tensor *b)
{
    return a->h == b->h && a->w == b->w && a->c == b->c;
}

static bool is_scratch(const Op *op, int n)
{
    return op->kind == OP_CONV_BWD_WEIGHT && n == OP_INPUTS + CONV_BWD_WEIGHT_scratch;
}

/* What is fetched for others: its bytes are all that the kernel knows. */
static bool is_ahead(const Op *op, int n)
{
    const char *slot = n < OP_INPUTS ? op_info[op->kind].inputs[n] : NULL;
    return slot && strncmp(slot, "ahead", strlen("ahead")) == 0;
}

/* The first tensor's shape, and the first other one: of a band of rows, where a call makes
 * no more. */
static void add_shapes(char *name, const Net *net, const Op *op)
{
    const Tensor *from = NULL, *to = NULL;
    for (int n = 0; n < SLOTS; n++) {
        const Tensor *t = nth_tensor(net, op, n);
        if (t == NULL || !is_picture(t) || is_scratch(op, n) || is_ahead(op, n))
            continue;
        if (from == NULL)
            from = t;
        else if (to == NULL && !same_shape(from, t))
            to = t;
    }
    if (from)
        add(name, "_%dx%dx%d", from->h, from->w, from->c);
    if (to)
        add(name, "_to_%dx%dx%d", to->h, to->w, to->c);
    if (op->kind == OP_CONV_TRANSFORM) {
        const Tensor *w = op_in(net, op, "w");
        add(name, "_%dx%d", w->c, w->k);
    }
    if (op->channel_offset)
        add(name, "_at%d", op->channel_offset);
    for (int n = 0; op->kind == OP_CONCAT && n < OP_INPUTS && op->in[n] != NONE; n++)
        add(name, "%s%d", n == 0 ? "_of_" : "_", net->tensors[op->in[n]].c);
    if (op->kind == OP_CONV_FLIP) {
        const Tensor *w = op_in(net, op, "w");
        add(name, "_%dx%d_phases_%dx%d", w->c, w->k,
            op->rows < op->stride ? op->rows : op->stride,
            op->columns < op->stride ? op->columns : op->stride);
    }
    if (op->kind == OP_I_UNPACK) {
        const Tensor *codes = op_out(net, op, "codes");
        add(name, "_%dx%d_%dbits", codes->c, op->code_block, op->own.bits);
    }
}

/* What values are, where a kind takes several. */
static const char *type_word(const Tensor *t)
{
    return t->type == TYPE_U8    ? "_codes"
           : t->type == TYPE_I32 ? "_sums"
           : t->type == TYPE_I64 ? "_wide"
                                 : "";
}

/* A word and a number, exactly: 0.2 is 0p2. */
static void add_number(char *name, const char *word, double value)
{
    char text[32] = "";
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *p = text; *p; p++)
        *p = *p == '.' ? 'p' : *p == '-' ? 'm' : *p == '+' ? '_' : *p;
    add(name, "%s%s", word, text);
}

/* Whether sums are those of a bias alone. */
static bool sums_bias(const Op *op)
{
    if (op->kind == OP_POINT_SUMS)
        return op->in[POINT_SUMS_saved] == NONE;
    return op->kind == OP_Q_POINT_SUMS && op->out[Q_POINT_SUMS_partial] != NONE &&
           op->in[Q_POINT_SUMS_saved] == NONE;
}

static void add_words(char *name, const Net *net, const Op *op)
{
    if (op_is(op, MOVES) || op->kind == OP_MAXPOOL_BWD || op->kind == OP_I_POINT)
        add(name, "%s", type_word(nth_tensor(net, op, 0)));
    if (op->kind == OP_I_CONV && op->channels < op_out(net, op, "y")->c)
        add(name, "_by%d", op->channels);
    if (op->kind == OP_I_CONV || op->kind == OP_I_POINT)
        add(name, "%s", op_out(net, op, "y")->type == TYPE_I32 ? "_to_sums" : "");
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        const int slot = optional[i].slot;
        const Tensor *t =
            nth_tensor(net, op, optional[i].side == INPUT ? slot : OP_INPUTS + slot);
        if (optional[i].kind != op->kind || t == NULL)
            continue;
        add(name, "_%s", optional[i].word);
        if (strcmp(optional[i].word, "plus") == 0)
            add(name, "%s", type_word(t));
    }
    if (op->kind == OP_I_WINOGRAD && op->most_code > 0)
        add(name, "_to_%d", op->most_code);
    const struct {
        bool is;
        const char *word;
    } ways[] = {
        {op->count_pad, "counts_pad"},
        {sums_bias(op), "bias"},
        {op->kind == OP_I_DENSE && op_in(net, op, "x")->type == TYPE_U8, "codes"},
        {op->kind == OP_I_DENSE && op->in[I_DENSE_bias] == NONE, "to_sums"},
        {op->kind == OP_I_DENSE && op_out(net, op, "y")->type == TYPE_I64, "wide"},
        {op->in_place, "in_place"},
        {op->relu, "relu"},
        {op->accumulate, "adds"},
        {op->accumulate_residual, "adds_dresidual"},
        {op->in_steps, "in_steps"},
        {op->lowering == LOWER_CALL, "call"},
        {op->lowering == LOWER_BLAS, "blas"},
        {op->lowering == LOWER_WINOGRAD, "winograd"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (ways[i].is)
            add(name, "_%s", ways[i].word);
    for (int n = 0; n < OP_INPUTS; n++)
        if (is_ahead(op, n) && op->in[n] != NONE)
            add(name, "_ahead%ld", tensor_bytes(&net->tensors[op->in[n]]));
    if (op->panel)
        add(name, "_panel%d", op->panel);
    if (op->ceiling > 0)
        add_number(name, "_to", op->ceiling);
    if (op->slope > 0)
        add_number(name, "_leaky", op->slope);
}

/* Codes of both signs: the one that means 0, of the op and of what it adds. */
static void add_zeros(char *name, const Net *net, const Op *op)
{
    bool point = op_is(op, VECTORS) || op->kind == OP_SUBSAMPLE ||
                 op->kind == OP_Q_AVGPOOL || op->kind == OP_I_AVGPOOL;
    const Tensor *x = nth_tensor(net, op, 0);
    int own = op->own.quantizer != RT_QUANT_NONE ? op->own.zero
              : x && x->type == TYPE_U8          ? x->codes.zero
                                                 : 0;
    if (point && own)
        add(name, "_zero%d", own);
    for (int i = 0; point && op_info[op->kind].inputs[i]; i++)
        if (strcmp(op_info[op->kind].inputs[i], "residual") == 0 && op->in[i] != NONE &&
            net->tensors[op->in[i]].codes.zero)
            add(name, "_rzero%d", net->tensors[op->in[i]].codes.zero);
}

/* Tensors with a halo: pixels of a row with it, "x34". */
static void add_rows(char *name, const Net *net, const Op *op)
{
    const OpInfo *info = &op_info[op->kind];
    for (int n = 0; n < SLOTS; n++) {
        const Tensor *t = nth_tensor(net, op, n);
        if (t && !is_ahead(op, n) && t->role == ROLE_DATA && t->left + t->right > 0)
            add(name, "_%s%d",
                n < OP_INPUTS ? info->inputs[n] : info->outputs[n - OP_INPUTS],
                t->left + t->w + t->right);
    }
}

/* Rounding on the way back, and what is learned. */
static void add_rounding(char *name, const Op *op)
{
    if (op->kind != OP_Q_POINT_SUMS && op->kind != OP_Q_POINT_BWD)
        return;
    if (op->kind == OP_Q_POINT_SUMS && op->out[Q_POINT_SUMS_quantiser] != NONE)
        add(name, "_%s", quantizer_words[op->own.quantizer]);
    if (op->own.gradient == ROUND_STE)
        return;
    add(name, "_%s", rounding_words[op->own.gradient]);
    add_number(name, "", op->own.gradient_scale);
    if (op->own.gradient == ROUND_TANH || op->own.gradient == ROUND_INVTANH) {
        add_number(name, "_steep", op->own.steepness);
    }
}

void pass_names(Net *net)
{
    for (int i = 0; i < net->op_count; i++) {
        Op *op = &net->ops[i];
        op->kernel[0] = 0;
        add_kind(op->kernel, op);
        add_window(op->kernel, op);
        add_shapes(op->kernel, net, op);
        add_words(op->kernel, net, op);
        add_zeros(op->kernel, net, op);
        add_rows(op->kernel, net, op);
        add_rounding(op->kernel, op);
    }
}
