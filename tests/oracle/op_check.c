/* Ops one by one: see op_check.h. All memory of a step is one block, so that a stray
 * write lands in it and is seen. */
#include "tests/oracle/op_check.h"

#include "runtime/base/support.h"
#include "runtime/kernels/kernels.h"
#include "tests/oracle/op_reference.h"
#include "tests/tools/random_weights.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 6, IMAGE = 4, CHUNK = 13, WORKER = 3, GUARD = 4096 };

typedef void ImageOp(const At *at);
typedef void TaskOp(const At *at, int task);

typedef struct {
    const BuiltNet *built;
    const Net *net;
    const Op *op;
    Function *function;
    char *memory, *before; /* the block, and what it was before the op ran */
    bool *changes;         /* by byte */
    size_t bytes;
    Step step;
    int labels[IMAGES];
    At at;
    double error; /* largest of a convolution, in units of the sum of its terms' sizes */
} Bench;

/* ---- Memory ---- */

static char *carve(Bench *b, size_t bytes)
{
    char *part = b->memory ? b->memory + b->bytes : NULL;
    b->bytes += (bytes + 63) / 64 * 64 + GUARD;
    return part;
}

static void carve_all(Bench *b)
{
    const Model *model = b->built->model;
    b->bytes = GUARD;
    b->step.arena = carve(b, b->net->arena_bytes);
    b->step.params = (float *)carve(b, model->param_floats * sizeof(float));
    b->step.gradient = (float *)carve(b, model->param_floats * sizeof(float));
    b->step.stats = (float *)carve(b, model->stat_floats * sizeof(float));
    b->step.logits = (float *)carve(b, (size_t)IMAGES * model->classes * sizeof(float));
    b->step.images = (uint8_t *)carve(b, (size_t)IMAGES * model->height * model->width *
                                             model->channels);
}

static void bench_open(Bench *b, const BuiltNet *built, const Net *net)
{
    *b = (Bench){.built = built, .net = net};
    ck_assert_int_ge(net->batch, IMAGES);
    carve_all(b);
    b->memory = rt_alloc_aligned(b->bytes);
    b->before = rt_alloc(b->bytes);
    b->changes = rt_alloc(b->bytes);
    carve_all(b);
    b->step.count = IMAGES;
    b->step.chunks = RT_CHUNKS;
    b->step.labels = b->labels;
    b->step.label_smoothing = 0.125f;
    b->step.loss_scale = 0.25f;
}

static void bench_close(Bench *b)
{
    free(b->memory);
    free(b->before);
    free(b->changes);
}

/* Where a copy of the tensor begins, halo included. */
static char *place_of(const Bench *b, const Tensor *t, int image, int chunk)
{
    switch (t->role) {
    case ROLE_PIXELS:
        return (char *)b->step.images + image * tensor_count(t);
    case ROLE_LOGITS:
        return (char *)(b->step.logits + (size_t)image * t->c);
    case ROLE_PARAM:
        return (char *)(b->step.params + t->offset);
    case ROLE_STAT:
        return (char *)(b->step.stats + t->offset);
    case ROLE_GRADIENT:
        return (char *)(b->step.gradient + t->offset);
    case ROLE_PARTIAL:
        return b->step.arena + t->offset + (size_t)chunk * ((t->bytes + 63) / 64 * 64);
    case ROLE_DATA:
        if (t->place == PLACE_WORKER)
            return b->step.arena + b->net->worker_bytes * WORKER + t->offset;
        return b->step.arena + t->offset + (size_t)image * t->bytes;
    default:
        return b->step.arena + t->offset;
    }
}

static bool has_halo(const Tensor *t)
{
    return t->role == ROLE_DATA;
}

/* Index of the i-th value of a copy, in its memory. */
static size_t index_of(const Tensor *t, long i)
{
    if (!has_halo(t))
        return i;
    long row = (long)t->w * t->c;
    return (size_t)(t->top + i / row) * tensor_row(t) + (size_t)t->left * t->c + i % row;
}

static double get(const Tensor *t, const char *copy, long i)
{
    size_t at = index_of(t, i);
    if (t->type == TYPE_F64)
        return ((const double *)copy)[at];
    return t->type == TYPE_U8 ? ((const uint8_t *)copy)[at] : ((const float *)copy)[at];
}

static void put(const Tensor *t, char *copy, long i, double value)
{
    size_t at = index_of(t, i);
    if (t->type == TYPE_F64)
        ((double *)copy)[at] = value;
    else if (t->type == TYPE_U8)
        ((uint8_t *)copy)[at] = (uint8_t)(127.5 + 127.5 * value);
    else
        ((float *)copy)[at] = (float)value;
}

/* Random values that suit the tensor: variances and sums of squares are positive. */
static void fill(const Tensor *t, char *copy)
{
    long count = tensor_count(t);
    if (has_halo(t))
        memset(copy, 0, t->bytes);
    for (long i = 0; i < count; i++) {
        bool squares = t->role == ROLE_PARTIAL && t->rank == 2 && t->c == 2 && i >= t->k;
        bool positive =
            squares || (t->role == ROLE_STAT && t->param_kind == PARAM_BN_VAR);
        put(t, copy, i, random_unit() + (positive ? 1.5 : 0));
    }
}

/* ---- One op ---- */

static bool per_image(const Op *op)
{
    return op->scope == SCOPE_IMAGE;
}

static bool per_chunk(const Op *op)
{
    return per_image(op) || op->scope == SCOPE_CHUNK;
}

static bool moves_statistics(const Op *op)
{
    return op->kind == OP_BN_FINISH || op->kind == OP_BN_RUNNING;
}

static void fill_all_copies(Bench *b, const Tensor *t)
{
    if (t->role == ROLE_PARTIAL)
        for (int chunk = 0; chunk < RT_CHUNKS; chunk++)
            fill(t, place_of(b, t, 0, chunk));
    else if (t->role == ROLE_DATA || t->role == ROLE_PIXELS || t->role == ROLE_LOGITS)
        for (int image = 0; image < IMAGES; image++)
            fill(t, place_of(b, t, image, 0));
    else
        fill(t, place_of(b, t, 0, 0));
}

static bool adds(const Op *op, int slot, const Tensor *t)
{
    if (op->scope == SCOPE_CHUNK)
        return op->kind == OP_POINT_FINISH && slot != POINT_FINISH_coef;
    return t->role == ROLE_GRADIENT || t->role == ROLE_PARTIAL ||
           (slot == 0 && op->accumulate) || (slot == 1 && op->accumulate_residual);
}

/* Whether the reference adds to what was there, too: more is done to the sum. */
static bool adds_itself(const Op *op, int slot)
{
    return op->kind == OP_CONV_BWD_INPUT && slot == CONV_BWD_INPUT_dx;
}

/* The op that turns or transforms the weights this one reads, by index; or NONE. */
static int weights_of(const Net *net, const Op *op)
{
    if (op->kind != OP_CONV_BWD_INPUT && op->kind != OP_CONV)
        return NONE;
    const int w = op->in[op->kind == OP_CONV ? CONV_w : CONV_BWD_INPUT_flipped];
    int i = 0;
    while (i < net->op_count && (net->ops[i].out[0] != w || net->ops[i].in[0] == NONE))
        i++;
    return i < net->op_count ? i : NONE;
}

static void run(const Bench *b, const Op *op, Function *function)
{
    At at = b->at;
    if (op->scope != SCOPE_TASKS)
        ((ImageOp *)function)(&at);
    for (int task = 0; op->scope == SCOPE_TASKS && task < op->tasks; task++)
        ((TaskOp *)function)(&at, task);
}

static void prepare(Bench *b, Function *const *functions)
{
    const Op *op = b->op;
    memset(b->memory, 0xff, b->bytes); /* NaN, as float and as double */
    memset(b->changes, 0, b->bytes);
    for (int i = 0; i < IMAGES; i++)
        b->labels[i] = i % b->built->model->classes;
    b->at = per_chunk(op) ? (At){&b->step, b->step.arena, IMAGE, CHUNK, WORKER}
                          : (At){&b->step, b->step.arena, 0, 0, 0};
    for (int i = 0; i < OP_OUTPUTS; i++) {
        if (op->out[i] == NONE)
            continue;
        const Tensor *t = &b->net->tensors[op->out[i]];
        char *copy = place_of(b, t, b->at.image, b->at.chunk);
        if (adds(op, i, t))
            fill(t, copy);
        memset(b->changes + (copy - b->memory), 1,
               t->bytes ? t->bytes : tensor_count(t) * 4);
    }
    for (int i = 0; i < OP_INPUTS; i++) {
        if (op->in[i] == NONE)
            continue;
        const Tensor *t = &b->net->tensors[op->in[i]];
        fill_all_copies(b, t);
        if (t->role == ROLE_PARTIAL) /* used up */
            memset(b->changes + (place_of(b, t, 0, 0) - b->memory), 1,
                   RT_CHUNKS * ((t->bytes + 63) / 64 * 64));
        if (moves_statistics(op) && t->role == ROLE_STAT)
            memset(b->changes + (place_of(b, t, 0, 0) - b->memory), 1,
                   tensor_count(t) * 4);
    }
    int weights = weights_of(b->net, op);
    if (weights != NONE) {
        fill_all_copies(b, op_in(b->net, &b->net->ops[weights], "w"));
        run(b, &b->net->ops[weights], functions[weights]);
    }
    memcpy(b->before, b->memory, b->bytes);
}

/* Values of a tensor as they were before the op: of one image, of a partial all chunks,
 * or the op's own. */
static double *read_before(const Bench *b, const Tensor *t, int image)
{
    double *values = rt_alloc(tensor_count(t) * sizeof(double));
    const bool own = per_chunk(b->op);
    int chunks = t->role == ROLE_PARTIAL && !own ? RT_CHUNKS : 1;
    for (int i = 0; i < chunks; i++) {
        const int chunk = own ? CHUNK : i;
        const char *copy = b->before + (place_of(b, t, image, chunk) - b->memory);
        for (long j = 0; j < tensor_count(t); j++)
            values[j] += get(t, copy, j);
    }
    return values;
}

/* Memory holds these values, up to rounding. */
static void check_values(const Bench *b, const Tensor *t, const char *slot,
                         const char *copy, const double *want)
{
    double most = 0.01;
    for (long i = 0; i < tensor_count(t); i++)
        most = fmax(most, fabs(want[i]));
    for (long i = 0; i < tensor_count(t); i++) {
        double got = get(t, copy, i);
        if (!(fabs(got - want[i]) <= 1e-5 * most))
            ck_abort_msg("%s %s (%s): %s[%ld] is %.9g, want %.9g", b->op->name,
                         op_info[b->op->kind].name, b->op->kernel, slot, i, got, want[i]);
    }
}

static void check_halo(const Bench *b, const Tensor *t, const char *copy)
{
    const float *values = (const float *)copy;
    for (long i = 0; i < tensor_padded_count(t); i++) {
        long row = i / tensor_row(t), column = i % tensor_row(t) / t->c;
        bool inside = row >= t->top && row < t->top + t->h && column >= t->left &&
                      column < t->left + t->w;
        if (!inside && values[i] != 0)
            ck_abort_msg("%s %s (%s): halo of %s at %ld, %ld is %g", b->op->name,
                         op_info[b->op->kind].name, b->op->kernel, t->name, row, column,
                         (double)values[i]);
    }
}

static void check_outputs(const Bench *b, const OpView *view)
{
    const Op *op = b->op;
    for (int i = 0; i < OP_OUTPUTS; i++) {
        if (op->out[i] == NONE || strcmp(op_info[op->kind].outputs[i], "scratch") == 0)
            continue;
        const Tensor *t = &b->net->tensors[op->out[i]];
        char *copy = place_of(b, t, b->at.image, b->at.chunk);
        if (adds(op, i, t) && !adds_itself(op, i)) {
            const char *old = b->before + (copy - b->memory);
            for (long j = 0; j < tensor_count(t); j++)
                view->out[i][j] += get(t, old, j);
        }
        check_values(b, t, op_info[op->kind].outputs[i], copy, view->out[i]);
        if (has_halo(t))
            check_halo(b, t, copy);
    }
    for (int i = 0; moves_statistics(op) && i < OP_INPUTS && op->in[i] != NONE; i++) {
        const Tensor *t = &b->net->tensors[op->in[i]];
        if (t->role == ROLE_STAT)
            check_values(b, t, op_info[op->kind].inputs[i], place_of(b, t, 0, 0),
                         view->in[i]);
    }
    if (op->kind == OP_LOSS_FINISH) {
        ck_assert_double_eq_tol(b->step.loss, view->loss, 1e-9 * fabs(view->loss));
        ck_assert_int_eq(b->step.correct, (int)view->correct);
    }
}

static void check_rest(const Bench *b)
{
    enum { BLOCK = 4096 };
    for (size_t at = 0; at < b->bytes; at += BLOCK) {
        size_t end = at + BLOCK < b->bytes ? at + BLOCK : b->bytes;
        if (memcmp(b->memory + at, b->before + at, end - at) == 0)
            continue;
        for (size_t i = at; i < end; i++)
            if (!b->changes[i] && b->memory[i] != b->before[i])
                ck_abort_msg("%s %s (%s): byte %td of the arena's %ld changed",
                             b->op->name, op_info[b->op->kind].name, b->op->kernel,
                             b->memory + i - b->step.arena, b->net->arena_bytes);
    }
}

/* As read_before; without signs where `sizes`. */
static double *read_terms(const Bench *b, const Tensor *t, int image, bool sizes)
{
    double *values = read_before(b, t, image);
    for (long i = 0; sizes && i < tensor_count(t); i++)
        values[i] = fabs(values[i]);
    return values;
}

/* What the op should give for one image, added to `sum`; see reference_of. */
static bool add_reference(const Bench *b, int image, bool sizes, OpView *sum)
{
    OpView view = *sum;
    const Op *op = b->op;
    for (int i = 0; i < OP_INPUTS; i++)
        view.in[i] = op->in[i] == NONE
                         ? NULL
                         : read_terms(b, &b->net->tensors[op->in[i]], image, sizes);
    for (int i = 0; i < OP_OUTPUTS; i++)
        if (op->out[i] != NONE)
            view.out[i] =
                rt_alloc(tensor_count(&b->net->tensors[op->out[i]]) * sizeof(double));
    const int weights = weights_of(b->net, op);
    const Tensor *w = weights == NONE ? NULL : op_in(b->net, &b->net->ops[weights], "w");
    double *weight = w ? read_terms(b, w, 0, sizes) : NULL, *before = NULL;
    view.weight = weight;
    if (op->accumulate && adds_itself(op, 0))
        before = read_terms(b, &b->net->tensors[op->out[0]], image, sizes);
    view.before = before;
    view.label = b->labels[image];
    view.image = image;
    bool known = reference_op(&view);
    sum->loss = view.loss;
    sum->correct = view.correct;
    for (int i = 0; i < OP_OUTPUTS; i++) {
        for (long j = 0; view.out[i] && j < tensor_count(&b->net->tensors[op->out[i]]);
             j++)
            sum->out[i][j] += view.out[i][j];
        free(view.out[i]);
    }
    for (int i = 0; i < OP_INPUTS; i++) {
        free(sum->in[i]);
        sum->in[i] = view.in[i];
    }
    free(weight);
    free(before);
    return known;
}

/* What the op should give, or, `sizes`, what its terms add up to without their signs. */
static OpView reference_of(const Bench *b, bool sizes, bool *known)
{
    const Op *op = b->op;
    OpView view = {.config = &b->built->config,
                   .net = b->net,
                   .op = op,
                   .images = op->scope == SCOPE_CHUNK
                                 ? end_of_chunk(&b->at) - first_of_chunk(&b->at)
                                 : IMAGES,
                   .all_images = IMAGES,
                   .smoothing = b->step.label_smoothing,
                   .loss_scale = b->step.loss_scale};
    for (int i = 0; i < OP_OUTPUTS; i++)
        if (op->out[i] != NONE)
            view.out[i] =
                rt_alloc(tensor_count(&b->net->tensors[op->out[i]]) * sizeof(double));
    bool all_images = op->kind == OP_DENSE_BWD_WEIGHT || op->kind == OP_CONV_BWD_WEIGHT;
    *known = true;
    for (int image = 0; image < IMAGES; image++) {
        bool wanted = per_image(op) ? image == IMAGE : image == 0 || all_images;
        *known = wanted ? add_reference(b, image, sizes, &view) : *known;
    }
    return view;
}

static void view_free(OpView *view)
{
    for (int i = 0; i < OP_OUTPUTS; i++)
        free(view->out[i]);
    for (int i = 0; i < OP_INPUTS; i++)
        free(view->in[i]);
}

/* Of a convolution: how far its results are from `view`. */
static void note_error(Bench *b, const OpView *view)
{
    bool known;
    OpView sizes = reference_of(b, true, &known);
    const Tensor *t = &b->net->tensors[view->op->out[0]];
    const char *copy = place_of(b, t, b->at.image, b->at.chunk);
    const char *old = b->before + (copy - b->memory);
    for (long i = 0; i < tensor_count(t); i++) {
        const bool more = adds(b->op, 0, t) && !adds_itself(b->op, 0);
        double terms = sizes.out[0][i] + (more ? fabs(get(t, old, i)) : 0);
        double error = fabs(get(t, copy, i) - view->out[0][i]) / fmax(terms, 1e-30);
        b->error = fmax(b->error, error);
    }
    view_free(&sizes);
}

static void check_op(Bench *b, Function *const *functions)
{
    const Op *op = b->op;
    prepare(b, functions);
    bool known;
    OpView view = reference_of(b, false, &known);
    run(b, op, b->function);
    ck_assert_msg(known || op->kind == OP_CONV_FLIP || op->kind == OP_CONV_TRANSFORM,
                  "%s has no reference", op_info[op->kind].name);
    if (known)
        check_outputs(b, &view);
    check_rest(b);
    if (op_is(op, MATMUL) && op->out[0] != NONE)
        note_error(b, &view);
    view_free(&view);
}

static double check_program(const BuiltNet *built, const Net *net,
                            Function *const *functions)
{
    Bench bench;
    bench_open(&bench, built, net);
    for (int i = 0; i < net->op_count; i++) {
        random_seed(i + 1);
        bench.op = &net->ops[i];
        bench.function = functions[i];
        check_op(&bench, functions);
    }
    const double error = bench.error;
    bench_close(&bench);
    return error;
}

double check_ops(const BuiltNet *built)
{
    const double train = check_program(built, &built->train, built->train_ops);
    return fmax(train, check_program(built, &built->evaluate, built->evaluate_ops));
}
