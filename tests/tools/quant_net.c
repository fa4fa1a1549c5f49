/* See quant_net.h. */
#include "tests/tools/quant_net.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/random_weights.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const layers[] = {"stem", "b0_a",    "b0_b", "b1_a",
                                     "b1_b", "b1_proj", "last"};
enum { LAYERS = sizeof layers / sizeof *layers };

/* "quant = { ... layers = { ... } }", every layer with bits of its own. */
static char *quant_table(const QuantCase *c, bool projection)
{
    char *text = rt_format("quant={ quantizer = '%s', per_channel = %s, %slayers = {",
                           c->quantizer, c->per_channel ? "true" : "false",
                           c->also ? c->also : "");
    for (int i = 0; i < LAYERS; i++) {
        if (i == 5 && !projection)
            continue;
        char *more = rt_format("%s { '%s', w_bits = %d, a_bits = %d },", text, layers[i],
                               2 + (i + c->turn) % 7, 1 + (3 * i + c->turn) % 8);
        free(text);
        text = more;
    }
    char *all = rt_format("%s }, }", text);
    free(text);
    return all;
}

void quant_net_sets(QuantNet *net, const QuantCase *c)
{
    int count = 0;
    bool projection = false;
    for (int i = 0; c->net[i]; i++) {
        projection = projection || strstr(c->net[i], "'B'");
        net->sets[count++] = rt_format("%s", c->net[i]);
    }
    if (c->turn >= 0)
        net->sets[count++] = quant_table(c, projection);
    net->sets[count] = NULL;
}

float *quant_number(const QuantNet *net, int tensor)
{
    if (tensor == NONE)
        return NULL;
    const Tensor *t = &net->config.net.tensors[tensor];
    return (t->role == ROLE_PARAM ? net->params : net->stats) + t->offset;
}

double quant_formula_most(const Quantiser *q)
{
    double most = q->is_signed ? 127 : 255;
    return q->ceiling > 0 ? fmin(q->ceiling, most) : most;
}

double quant_formula_step(const Quantiser *q, double step, double range, int *largest)
{
    *largest = q->is_signed ? (1 << (q->bits - 1)) - 1 : (1 << q->bits) - 1;
    double bound = q->ceiling > 0 ? q->ceiling : 1e30;
    if (q->quantizer == RT_QUANT_STATIC)
        return fmin(range, bound) / *largest;
    if (q->quantizer == RT_QUANT_STEP)
        return fmin(step, bound / *largest);
    double d = exp2(rint(log2(fmin(fmax(step, 1 / 256.0), 1))));
    double most = fmin(fmax(range, 1 / 256.0), quant_formula_most(q));
    *largest = (int)fmin(rint(most / d), q->is_signed ? 127 : 255);
    return d;
}

int quant_formula_bits(const Quantiser *q, double step, double range)
{
    if (q->quantizer != RT_QUANT_STEP_RANGE)
        return q->bits;
    int largest;
    quant_formula_step(q, step, range, &largest);
    int bits = (int)ceil(log2(largest + 1.0));
    return q->is_signed ? (int)fmax(bits + 1, 2) : (int)fmax(bits, 1);
}

static double about_one(double width)
{
    return 1 + width * random_unit();
}

/* Numbers for codes up to about `most`: a part of it is clipped, learned bits move. */
static void draw_numbers(const Quantiser *q, double most, float *step, float *range)
{
    int codes = q->is_signed ? (1 << (q->bits - 1)) - 1 : (1 << q->bits) - 1;
    if (q->quantizer == RT_QUANT_STATIC) {
        *range = (float)(most * about_one(0.3));
    } else if (q->quantizer == RT_QUANT_STEP) {
        *step = (float)(most / codes * about_one(0.3));
    } else {
        *step = (float)fmin(fmax(most / codes * about_one(0.3), 1 / 256.0), 1);
        double d = exp2(rint(log2(*step))), top = q->is_signed ? 127 : 255;
        *range = (float)fmin(fmax(most * about_one(0.3), d), fmin(top * d, top));
    }
}

static double largest_weight(const QuantNet *net, const Tensor *w, int first, int stride)
{
    double most = 0;
    for (long i = first; i < tensor_count(w); i += stride)
        most = fmax(most, fabs(net->params[w->offset + i]));
    return most;
}

static void draw_weight_quantiser(QuantNet *net, const Quantiser *q, int weights)
{
    const Tensor *w = &net->config.net.tensors[weights];
    int number = q->step != NONE ? q->step : q->range;
    int steps = number == NONE ? 0 : net->config.net.tensors[number].k;
    float none, *step = quant_number(net, q->step), *range = quant_number(net, q->range);
    for (int i = 0; i < steps; i++)
        draw_numbers(q, largest_weight(net, w, i, steps), step ? step + i : &none,
                     range ? range + i : &none);
}

static void draw_quantisers(QuantNet *net)
{
    const Net *layout = &net->config.net;
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind == OP_CONV || op->kind == OP_DENSE)
            draw_weight_quantiser(net, &op->own, op->in[1]);
        if (op->kind == OP_DENSE)
            draw_weight_quantiser(net, &op->bias, op->in[2]);
        float none, *step = quant_number(net, op->own.step);
        float *range = quant_number(net, op->own.range);
        bool activation = op->kind == OP_RELU || op->kind == OP_CONCAT;
        if (activation && op->own.quantizer != RT_QUANT_NONE)
            draw_numbers(&op->own, op->ceiling > 0 ? op->ceiling : 2.5,
                         step ? step : &none, range ? range : &none);
        else if ((op->kind == OP_BN || op->kind == OP_ADD) && range) /* of both signs */
            draw_numbers(&op->own, 5, &none, range);
        if (op->kind != OP_BN)
            continue;
        float *scale = net->params + op_in(layout, op, "scale")->offset;
        scale[0] = -scale[0];
        scale[1] = 0;
    }
}

/* The net of that name with the overrides in net->sets. */
static void open_net(QuantNet *net, const char *name, int seed)
{
    int sets = 0;
    while (net->sets[sets])
        sets++;
    char *path = net_path(name);
    ck_assert_msg(config_load(path, (const char *const *)net->sets, sets, &net->config),
                  "%s", rt_error());
    free(path);
    const Net *layout = &net->config.net;
    net->pixels = tensor_count(&layout->tensors[layout->ops[0].in[0]]);
    net->classes = net->config.class_count;
    net->params = rt_alloc_aligned((layout->param_floats + 16) * sizeof(float));
    net->stats = rt_alloc_aligned((layout->stat_floats + 16) * sizeof(float));
    random_seed(seed);
    random_weights(layout, net->params, net->stats);
    draw_quantisers(net);
}

void quant_net_open(QuantNet *net, const QuantCase *c)
{
    *net = (QuantNet){0};
    quant_net_sets(net, c);
    open_net(net, "quant_family", 11 + c->turn);
}

void quant_net_open_other(QuantNet *net, const char *name, const char *const *sets)
{
    *net = (QuantNet){0};
    for (int i = 0; sets[i]; i++)
        net->sets[i] = rt_format("%s", sets[i]);
    open_net(net, name, 11);
}

void quant_net_close(QuantNet *net)
{
    for (int i = 0; net->sets[i]; i++)
        free(net->sets[i]);
    free(net->params);
    free(net->stats);
    config_free(&net->config);
}
