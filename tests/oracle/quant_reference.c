/* See quant_reference.h. */
#include "tests/oracle/quant_reference.h"

#include "runtime/base/support.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 Wide; /* sums that may not fit 64 bits */

typedef struct {
    const QuantNet *net;
    const Net *layout;
    const Constants *constants;
    int64_t **codes; /* by tensor: [h][w][c]; sums behind the average pool */
} Reference;

static const Op *producer(const Net *layout, int tensor)
{
    int i = 0;
    while (!op_writes(&layout->ops[i], tensor))
        i++;
    return &layout->ops[i];
}

static double image_deviation(const Config *config, int channels)
{
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += config->std[c];
    return sum / channels;
}

/* ---- Steps and codes ---- */

static double step_at(const QuantNet *net, const Quantiser *q, int which, int *largest)
{
    const float *step = quant_number(net, q->step), *range = quant_number(net, q->range);
    return quant_formula_step(q, step ? step[which] : 0, range ? range[which] : 0,
                              largest);
}

static int steps_of(const QuantNet *net, const Quantiser *q)
{
    return net->config.net.tensors[q->step != NONE ? q->step : q->range].k;
}

static bool reads_image(const QuantNet *net, const Op *layer)
{
    return producer(&net->config.net, layer->in[0])->kind == OP_IMAGE;
}

/* What multiplies weights of input channel c before they are quantised. */
static double factor_of(const QuantNet *net, const Op *layer, int c)
{
    int channels = net->config.net.tensors[layer->in[0]].c;
    return reads_image(net, layer)
               ? image_deviation(&net->config, channels) / net->config.std[c]
               : 1;
}

static int *codes_of(const QuantNet *net, const Op *layer, const Quantiser *q,
                     int weights)
{
    const Tensor *w = &net->config.net.tensors[weights];
    const float *values = net->params + w->offset;
    int *codes = rt_alloc(tensor_count(w) * sizeof(int)), largest;
    for (long i = 0; i < tensor_count(w); i++) {
        int k = (int)(i % w->k), c = w->rank == 1 ? 0 : (int)(i / w->k % w->c);
        double step = step_at(net, q, steps_of(net, q) == 1 ? 0 : k, &largest);
        double factor = layer->kind == OP_CONV ? factor_of(net, layer, c) : 1;
        double x = values[i] * factor / step;
        codes[i] = (int)rint(fmin(fmax(x, -largest), largest));
    }
    return codes;
}

int *quant_ref_codes(const QuantNet *net, const Op *layer)
{
    return codes_of(net, layer, &layer->own, layer->in[1]);
}

/* The step of a tensor of codes: the image's, or that of the ReLU it comes from. */
static double input_step(const QuantNet *net, int tensor)
{
    const Op *op = producer(&net->config.net, tensor);
    int largest;
    while (op->kind != OP_IMAGE && op->kind != OP_RELU)
        op = producer(&net->config.net, op->in[0]);
    if (op->kind == OP_RELU)
        return step_at(net, &op->own, 0, &largest);
    return 1 / image_deviation(&net->config, net->config.net.tensors[tensor].c);
}

enum { CHANNELS = 256 }; /* at most, of a test's layers */

/* ---- What a ReLU quantises: one convolution's sums, and one more's or codes ---- */

typedef struct {
    const Op *conv, *bn; /* NULL: codes */
    int codes;           /* tensor */
    double gain[CHANNELS], offset[CHANNELS],
        size[CHANNELS]; /* size: of what offset is the sum of */
} Term;

static const Constant *constant(const Constants *constants, const Op *op,
                                const char *suffix)
{
    char name[NAME_SIZE + 8];
    snprintf(name, sizeof name, "%s%s", op->name, suffix);
    return constants_find(constants, name);
}

static int add_terms(const Net *layout, int tensor, Term *terms, int count)
{
    const Op *op = producer(layout, tensor);
    if (op->kind == OP_ADD) {
        count = add_terms(layout, op->in[0], terms, count);
        return add_terms(layout, op->in[1], terms, count);
    }
    const Op *bn = op->kind == OP_BN ? op : NULL;
    const Op *conv = producer(layout, bn ? bn->in[0] : tensor);
    if (conv->kind != OP_CONV)
        terms[count++] = (Term){.codes = tensor};
    else
        terms[count++] = (Term){.conv = conv, .bn = bn};
    return count;
}

/* The first term is the one the constants are named after. */
static int terms_of(const Reference *r, const Op *relu, Term terms[2])
{
    int count = add_terms(r->layout, relu->in[0], terms, 0);
    bool swapped = count > 1 && (terms[0].conv == NULL ||
                                 constant(r->constants, terms[0].conv, ".m") == NULL);
    if (swapped) {
        Term first = terms[0];
        terms[0] = terms[1];
        terms[1] = first;
    }
    ck_assert_ptr_nonnull(constant(r->constants, terms[0].conv, ".m"));
    return count;
}

/* ---- One image ---- */

static int64_t pixel(const Reference *r, const Op *layer, long h, long w, int c)
{
    const Tensor *x = &r->layout->tensors[layer->in[0]];
    if (h >= 0 && h < x->h && w >= 0 && w < x->w)
        return r->codes[layer->in[0]][(h * x->w + w) * x->c + c];
    return reads_image(r->net, layer) ? (int64_t)floor(r->net->config.mean[c] + 0.5) : 0;
}

static int64_t *sums_of(const Reference *r, const Op *conv)
{
    const Tensor *y = &r->layout->tensors[conv->out[0]],
                 *x = &r->layout->tensors[conv->in[0]];
    int *w = quant_ref_codes(r->net, conv), own = x->c / conv->groups;
    int64_t *sums = rt_alloc(tensor_count(y) * sizeof(int64_t));
    for (long i = 0; i < tensor_count(y); i++) {
        int k = (int)(i % y->c);
        long column = i / y->c % y->w, row = i / y->c / y->w;
        for (int a = 0; a < conv->kernel_h; a++)
            for (int b = 0; b < conv->kernel_w; b++)
                for (int c = 0; c < own; c++)
                    sums[i] += pixel(r, conv, row * conv->stride - conv->pad_top + a,
                                     column * conv->stride - conv->pad_left + b,
                                     k / (y->c / conv->groups) * own + c) *
                               w[((a * conv->kernel_w + b) * own + c) * y->c + k];
        ck_assert(sums[i] > INT32_MIN && sums[i] < INT32_MAX);
    }
    free(w);
    return sums;
}

static int64_t floor_shift(Wide value, int shift)
{
    Wide unit = (Wide)1 << shift;
    return (int64_t)(value >= 0 ? value / unit : -((-value + unit - 1) / unit));
}

static void run_relu(const Reference *r, const Op *relu)
{
    Term terms[2];
    int count = terms_of(r, relu, terms), largest;
    const Tensor *y = &r->layout->tensors[relu->out[0]];
    const Op *conv = terms[0].conv;
    const int32_t *m = constant(r->constants, conv, ".m")->values;
    const int64_t *b = constant(r->constants, conv, ".b")->values;
    const int32_t *shift = constant(r->constants, conv, ".shift")->values;
    const int32_t *gain = count > 1 ? constant(r->constants, conv, ".r")->values : NULL;
    int64_t *sums = sums_of(r, conv), *other = NULL;
    if (count > 1 && terms[1].conv)
        other = sums_of(r, terms[1].conv);
    step_at(r->net, &relu->own, 0, &largest);
    int64_t *codes = r->codes[relu->out[0]] = rt_alloc(tensor_count(y) * sizeof(int64_t));
    for (long i = 0; i < tensor_count(y); i++) {
        int k = (int)(i % y->c);
        Wide value = (Wide)sums[i] * m[k] + b[k];
        if (count > 1)
            value += (Wide)(other ? other[i] : r->codes[terms[1].codes][i]) * gain[k];
        ck_assert(value > INT64_MIN && value < INT64_MAX);
        int64_t code = floor_shift(value, shift[0]);
        codes[i] = code < 0 ? 0 : code > largest ? largest : code;
    }
    free(sums);
    free(other);
}

/* Whether a mean stays a sum: it is of the whole image, for dense layers alone. */
static bool is_exact(const Reference *r, const Op *op)
{
    const Tensor *x = &r->layout->tensors[op->in[0]];
    bool exact = op->kernel_h == x->h && op->kernel_w == x->w;
    for (int i = 0; i < r->layout->op_count; i++)
        if (op_reads(&r->layout->ops[i], op->out[0]))
            exact = exact && r->layout->ops[i].kind == OP_DENSE;
    return exact && op->pad_top + op->pad_left == 0;
}

static void move(const Reference *r, const Op *op)
{
    const Tensor *x = &r->layout->tensors[op->in[0]],
                 *y = &r->layout->tensors[op->out[0]];
    const int64_t *from = r->codes[op->in[0]];
    int64_t *to = r->codes[op->out[0]] = rt_alloc(tensor_count(y) * sizeof(int64_t));
    bool pools = op->kind != OP_SUBSAMPLE, means = op->kind == OP_AVGPOOL;
    int rows = pools ? op->kernel_h : 1, columns = pools ? op->kernel_w : 1;
    bool exact = means && is_exact(r, op);
    for (long i = 0; i < (long)y->h * y->w * x->c; i++) {
        long c = i % x->c, column = i / x->c % y->w, row = i / x->c / y->w;
        int64_t value = 0; /* codes are not negative: 0 serves both sum and maximum */
        int64_t inside = 0;
        for (int a = 0; a < rows; a++)
            for (int b = 0; b < columns; b++) {
                long h = row * op->stride - op->pad_top + a;
                long w = column * op->stride - op->pad_left + b;
                if (h < 0 || h >= x->h || w < 0 || w >= x->w)
                    continue;
                int64_t code = from[(h * x->w + w) * x->c + c];
                value = means ? value + code : code > value ? code : value;
                inside++;
            }
        int64_t count = op->count_pad ? (int64_t)rows * columns : inside;
        if (means && !exact)
            value = (2 * value + count) / (2 * count);
        to[(row * y->w + column) * y->c + op->channel_offset + c] = value;
    }
}

static double score_unit(const QuantNet *net)
{
    const Net *layout = &net->config.net;
    const Op *dense = &layout->ops[layout->op_count - 1];
    const Tensor *pooled = &layout->tensors[producer(layout, dense->in[0])->in[0]];
    int largest;
    double x = (float)input_step(net, dense->in[0]);
    double w = (float)step_at(net, &dense->own, 0, &largest);
    return x * w / (pooled->h * pooled->w);
}

float quant_ref_unit(const QuantNet *net)
{
    return (float)score_unit(net);
}

static int64_t bias_code(const QuantNet *net, const Op *dense, int k, const int *codes)
{
    int largest;
    double step = step_at(net, &dense->bias, 0, &largest);
    /* the runtime holds quantised values as floats */
    return llrint((double)(float)(codes[k] * (float)step) / score_unit(net));
}

static void run_dense(const Reference *r, const Op *dense, int32_t *scores)
{
    const Tensor *w = &r->layout->tensors[dense->in[1]];
    int *codes = quant_ref_codes(r->net, dense);
    int *bias = codes_of(r->net, dense, &dense->bias, dense->in[2]);
    for (int k = 0; k < w->k; k++) {
        int64_t sum = bias_code(r->net, dense, k, bias);
        for (int c = 0; c < w->c; c++)
            sum += r->codes[dense->in[0]][c] * codes[c * w->k + k];
        ck_assert(sum > INT32_MIN && sum < INT32_MAX);
        scores[k] = (int32_t)sum;
    }
    free(codes);
    free(bias);
}

void quant_ref_scores(const QuantNet *net, const Constants *constants,
                      const uint8_t *image, int32_t *scores)
{
    const Net *layout = &net->config.net;
    Reference r = {net, layout, constants,
                   rt_alloc(layout->tensor_count * sizeof(int64_t *))};
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind == OP_IMAGE) {
            r.codes[op->out[0]] = rt_alloc(net->pixels * sizeof(int64_t));
            for (size_t p = 0; p < net->pixels; p++)
                r.codes[op->out[0]][p] = image[p];
        } else if (op->kind == OP_RELU) {
            run_relu(&r, op);
        } else if (op->kind == OP_DENSE) {
            run_dense(&r, op, scores);
        } else if (op->kind != OP_CONV && op->kind != OP_BN && op->kind != OP_ADD) {
            move(&r, op);
        }
    }
    for (int i = 0; i < layout->tensor_count; i++)
        free(r.codes[i]);
    free(r.codes);
}

/* ---- Constants ---- */

static void check_codes(const Reference *r, const Op *layer)
{
    const Tensor *w = &r->layout->tensors[layer->in[1]];
    const uint32_t *all = constant(r->constants, layer, ".codes")->values;
    int *want = quant_ref_codes(r->net, layer), block = w->k % 32 == 0 ? 32 : w->k;
    /* Codes of a tap, whole words; in groups of an output channel. */
    long stride = layer->groups > 1 ? w->c : (w->c + 3) / 4 * 4;
    long taps = tensor_count(w) / w->c / w->k, words = (taps * stride + 3) / 4;
    for (long i = 0; i < tensor_count(w); i++) {
        long k = i % w->k, c = i / w->k % w->c, tap = i / w->k / w->c;
        long code_at = tap * stride + c;
        long at = (k / block * words + code_at / 4) * block + k % block;
        int8_t code = (int8_t)(all[at] >> 8 * (code_at % 4));
        ck_assert_msg(code == want[i], "%s: weight %ld: code %d, want %d", layer->name, i,
                      code, want[i]);
    }
    free(want);
}

/* gain and offset per channel, in units of the output's step. */
static void real_numbers(const Reference *r, Term *term, double step)
{
    const QuantNet *net = r->net;
    if (term->conv == NULL) {
        for (int k = 0; k < CHANNELS; k++)
            term->gain[k] = input_step(net, term->codes) / step;
        return;
    }
    const Tensor *y = &r->layout->tensors[term->conv->out[0]];
    ck_assert_int_le(y->c, CHANNELS);
    const Tensor *w = &r->layout->tensors[term->conv->in[1]];
    const Quantiser *q = &term->conv->own;
    int *codes = quant_ref_codes(net, term->conv), largest;
    double in = input_step(net, term->conv->in[0]);
    for (int k = 0; k < y->c; k++) {
        const float *p[4];
        for (int i = 0; i < 4; i++)
            p[i] = quant_number(net, term->bn->in[1 + i]); /* scale shift mean var */
        double factor = p[0][k] / sqrt(p[3][k] + 1e-5);
        double unit = in * step_at(net, q, steps_of(net, q) == 1 ? 0 : k, &largest);
        double zero = 0;
        for (long i = k; reads_image(net, term->conv) && i < tensor_count(w); i += w->k)
            zero -= codes[i] * net->config.mean[i / w->k % w->c];
        term->gain[k] = unit * factor / step;
        term->offset[k] = (unit * zero * factor + p[1][k] - p[2][k] * factor) / step;
        term->size[k] =
            (fabs(unit * zero * factor) + fabs(p[1][k]) + fabs(p[2][k] * factor)) / step;
    }
    free(codes);
}

/* number, an integer, is value * 2^shift to within half and the precision of floats. */
static void check_number(const Op *op, int k, const char *what, double number,
                         double value, double size, int shift)
{
    double want = ldexp(value, shift), apart = fabs(number - want);
    ck_assert_msg(apart <= 0.500001 + 1e-6 * ldexp(size, shift),
                  "%s: %s[%d] is %.17g, want %.17g", op->name, what, k, number, want);
}

static void check_relu(const Reference *r, const Op *relu)
{
    Term terms[2] = {0};
    int count = terms_of(r, relu, terms), largest;
    const Op *conv = terms[0].conv;
    double step = step_at(r->net, &relu->own, 0, &largest);
    for (int i = 0; i < count; i++)
        real_numbers(r, &terms[i], step);
    const int32_t *m = constant(r->constants, conv, ".m")->values;
    const int64_t *b = constant(r->constants, conv, ".b")->values;
    const int32_t *shift = constant(r->constants, conv, ".shift")->values;
    ck_assert_int_ge(shift[0], 1);
    ck_assert_int_le(shift[0], 62);
    ck_assert_int_eq(shift[1], largest);
    for (int k = 0; k < r->layout->tensors[relu->out[0]].c; k++) {
        double offset = terms[0].offset[k] + terms[1].offset[k];
        double size = terms[0].size[k] + terms[1].size[k];
        check_number(conv, k, "m", m[k], terms[0].gain[k], fabs(terms[0].gain[k]),
                     shift[0]);
        check_number(conv, k, "b", (double)b[k], offset + 0.5, size, shift[0]);
        if (count > 1)
            check_number(conv, k, "r",
                         ((int32_t *)constant(r->constants, conv, ".r")->values)[k],
                         terms[1].gain[k], fabs(terms[1].gain[k]), shift[0]);
    }
}

void quant_ref_check_constants(const QuantNet *net, const Constants *constants)
{
    const Net *layout = &net->config.net;
    const Reference r = {net, layout, constants, NULL};
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind == OP_CONV || op->kind == OP_DENSE)
            check_codes(&r, op);
        if (op->kind == OP_RELU)
            check_relu(&r, op);
    }
    float unit = constants_score_unit(constants, &net->config);
    ck_assert_float_eq(unit, quant_ref_unit(net));
}
