/* Keras' layers beside a network's arrays: see import_keras.h. */
#include "gen/weights/import_keras.h"

#include "gen/weights/keras_model.h"
#include "gen/weights/match_table.h"
#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *path;
    KerasModel model;
    const KerasPlace *names;
    int count;
    const KerasLayer **kernels; /* [count] the layer whose kernel it is, or is behind */
    const KerasLayer *
        *norms; /* [count] of BN's arrays: the layer, NULL: the file has none */
    bool *used; /* of the model's layers */
} Match;

static bool is_kernel(const Param *param)
{
    return param->kind == PARAM_CONV || param->kind == PARAM_DENSE;
}

static bool is_norm(const Param *param)
{
    return param->kind == PARAM_BN_SCALE || param->kind == PARAM_BN_SHIFT ||
           param->kind == PARAM_BN_MEAN || param->kind == PARAM_BN_VAR;
}

/* ---- Which layer ---- */

/* A depthwise kernel is [kh][kw][c][multiple], which lies as [kh][kw][1][c multiple]. */
static bool has_shape(const KerasLayer *layer, const Param *param)
{
    const Array *kernel = layer->kernel;
    if (kernel == NULL || kernel->rank != param->rank ||
        (layer->kind == KERAS_DENSE) != (param->kind == PARAM_DENSE))
        return false;
    int shape[4];
    memcpy(shape, kernel->shape, sizeof shape);
    if (layer->kind == KERAS_DEPTHWISE) {
        shape[3] *= shape[2];
        shape[2] = 1;
    }
    return memcmp(shape, param->shape, (size_t)param->rank * sizeof *shape) == 0;
}

static bool has_name(const KerasLayer *layer, const Param *param)
{
    size_t length = strlen(layer->name);
    return strncmp(param->name, layer->name, length) == 0 && param->name[length] == '.';
}

static const KerasLayer *take_kernel(Match *match, const Param *param)
{
    const KerasModel *model = &match->model;
    int found = -1;
    for (int i = 0; i < model->count; i++) {
        const KerasLayer *layer = &model->layers[i];
        if (match->used[i] || !has_shape(layer, param))
            continue;
        if (has_name(layer, param) || found < 0)
            found = i;
        if (has_name(layer, param))
            break;
    }
    if (found < 0)
        return NULL;
    match->used[found] = true;
    return &model->layers[found];
}

static const KerasLayer *of_kernel(const Match *match, const char *kernel)
{
    for (int i = 0; kernel && i < match->count; i++)
        if (strcmp(match->names[i].param->name, kernel) == 0)
            return match->kernels[i];
    return NULL;
}

/* The normalisation behind that layer, or the next that is behind none. */
static const KerasLayer *take_norm(Match *match, const KerasLayer *kernel, size_t count)
{
    const KerasModel *model = &match->model;
    int behind = kernel ? (int)(kernel - model->layers) : -1;
    for (int i = 0; i < model->count; i++) {
        const KerasLayer *layer = &model->layers[i];
        if (layer->kind != KERAS_BN || layer->behind != behind || match->used[i] ||
            layer->mean->count != count)
            continue;
        match->used[i] = true;
        return layer;
    }
    return NULL;
}

static const KerasPlace *find_scale(const Match *match, const KerasPlace *name)
{
    for (int i = 0; i < match->count; i++) {
        const Param *param = match->names[i].param;
        if (param->kind == PARAM_BN_SCALE &&
            strcmp(match->names[i].layer, name->layer) == 0)
            return &match->names[i];
    }
    return NULL;
}

/* Kernels first: the rest goes by them. */
static void find_layers(Match *match)
{
    for (int i = 0; i < match->count; i++)
        if (is_kernel(match->names[i].param))
            match->kernels[i] = take_kernel(match, match->names[i].param);
    for (int i = 0; i < match->count; i++) {
        const Param *param = match->names[i].param;
        if (!is_kernel(param))
            match->kernels[i] = of_kernel(match, match->names[i].kernel);
        if (param->kind == PARAM_BN_SCALE)
            match->norms[i] = take_norm(match, match->kernels[i], param->count);
    }
    for (int i = 0; i < match->count; i++) {
        const KerasPlace *scale =
            is_norm(match->names[i].param) ? find_scale(match, &match->names[i]) : NULL;
        if (scale)
            match->norms[i] = match->norms[scale - match->names];
    }
}

static bool match_open(Match *match, const char *path, const KerasPlace *names, int count)
{
    *match = (Match){.path = path, .names = names, .count = count};
    if (!keras_read(path, &match->model))
        return false;
    match->used = rt_alloc((size_t)match->model.count + 1);
    match->kernels = rt_alloc((size_t)count * sizeof *match->kernels);
    match->norms = rt_alloc((size_t)count * sizeof *match->norms);
    find_layers(match);
    return true;
}

static void match_close(Match *match)
{
    keras_free(&match->model);
    free(match->used);
    free(match->kernels);
    free(match->norms);
}

/* Whether the file has what the array is made of. A normalisation that the file lacks
 * does nothing, behind a kernel that is there. */
static bool is_there(const Match *match, int i)
{
    return match->kernels[i] || match->norms[i];
}

static bool check(const Match *match, bool ignore_extra)
{
    char shape[SHAPE_TEXT];
    for (int i = 0; i < match->count; i++) {
        const Param *param = match->names[i].param;
        if (!is_there(match, i))
            return rt_fail("%s: no layer left for %s, %s", match->path, param->name,
                           shape_text(param->rank, param->shape, shape));
    }
    int surplus = match->model.other_count;
    const char *first = surplus ? match->model.others[0]->name : NULL;
    for (int i = 0; i < match->model.count; i++) {
        if (!match->used[i] && surplus++ == 0)
            first = match->model.layers[i].name;
    }
    return ignore_extra || surplus == 0 ||
           rt_fail(
               "%s: has %d layer%s or array%s this network does not have, the first is "
               "%s; --ignore-extra leaves them out",
               match->path, surplus, surplus == 1 ? "" : "s", surplus == 1 ? "" : "s",
               first);
}

/* ---- Values ---- */

static double value_of(const Array *array, size_t k, double otherwise)
{
    return array ? (double)array->values[k] : otherwise;
}

/* What the convolution in front adds and the network's does not. */
static double bias_before(const Match *match, int i, size_t k)
{
    const KerasLayer *kernel = match->kernels[i];
    for (int j = 0; j < match->count; j++)
        if (match->names[j].param->kind == PARAM_BIAS && match->kernels[j] == kernel)
            return 0;
    return kernel ? value_of(kernel->bias, k, 0) : 0;
}

/* scale (x - mean) / sqrt(var + eps) + shift with the network's eps is the file's. Where
 * its variance and eps are less than that eps, the scale makes up for it. */
static double norm_value(const Match *match, int i, size_t k)
{
    const KerasLayer *norm = match->norms[i];
    const KerasPlace *name = &match->names[i];
    double bias = bias_before(match, i, k);
    double spread = norm ? value_of(norm->variance, k, 1) + norm->eps : 1;
    double least = name->eps;
    switch (name->param->kind) {
    case PARAM_BN_SCALE:
        return (norm ? value_of(norm->gamma, k, 1) : 1) *
               (spread < least ? sqrt(least / spread) : 1);
    case PARAM_BN_SHIFT:
        return norm ? value_of(norm->beta, k, 0) : bias;
    case PARAM_BN_MEAN:
        return norm ? value_of(norm->mean, k, 0) - bias : 0;
    default:
        return fmax(spread - least, 0);
    }
}

static bool add(const Match *match, int i, Checkpoint *out)
{
    const Param *param = match->names[i].param;
    const KerasLayer *norm = match->norms[i];
    for (size_t k = 0; norm && k < norm->variance->count; k++)
        if (norm->variance->values[k] < 0)
            return rt_fail("%s: %s: element %zu is %g, want variances from 0 up",
                           match->path, norm->variance->name, k,
                           (double)norm->variance->values[k]);
    float *values = rt_alloc(param->count * sizeof *values);
    if (is_kernel(param))
        memcpy(values, match->kernels[i]->kernel->values, param->count * sizeof *values);
    for (size_t k = 0; k < param->count && !is_kernel(param); k++)
        values[k] = (float)(is_norm(param) ? norm_value(match, i, k)
                                           : value_of(match->kernels[i]->bias, k, 0));
    checkpoint_add(out, "", param, values);
    free(values);
    return true;
}

bool import_keras(const char *path, const KerasPlace *names, int n_names,
                  bool ignore_extra, Checkpoint *out)
{
    Match match;
    *out = (Checkpoint){0};
    bool ok = match_open(&match, path, names, n_names) && check(&match, ignore_extra);
    for (int i = 0; ok && i < n_names; i++)
        ok = add(&match, i, out);
    if (!ok)
        checkpoint_free(out);
    match_close(&match);
    return ok;
}

/* ---- The match as a table ---- */

/* The network's array of that kind that the layer went into, or NULL. */
static const char *place_of(const Match *match, const KerasLayer *layer, ParamKind kind)
{
    for (int i = 0; i < match->count; i++) {
        const Param *param = match->names[i].param;
        const KerasLayer *from =
            is_norm(param) && match->norms[i] ? match->norms[i] : match->kernels[i];
        if (param->kind == kind && from == layer)
            return param->name;
    }
    return NULL;
}

/* A bias goes to the network's own, or else behind the kernel. */
static const char *place_of_bias(const Match *match, const KerasLayer *layer)
{
    const char *own = place_of(match, layer, PARAM_BIAS);
    for (int i = 0; i < match->count && own == NULL; i++)
        if (match->kernels[i] == layer &&
            match->names[i].param->kind ==
                (match->norms[i] ? PARAM_BN_MEAN : PARAM_BN_SHIFT))
            own = match->names[i].param->name;
    return own;
}

static void add_row(MatchTable *table, const Array *array, const char *place)
{
    char shape[SHAPE_TEXT];
    if (array)
        match_table_add(table, array->name, shape_text(array->rank, array->shape, shape),
                        place ? place : "(left over)");
}

static void add_layer(const Match *match, MatchTable *table, const KerasLayer *layer)
{
    const char *kernel = place_of(match, layer, PARAM_CONV);
    add_row(table, layer->kernel, kernel ? kernel : place_of(match, layer, PARAM_DENSE));
    add_row(table, layer->bias, place_of_bias(match, layer));
    add_row(table, layer->gamma, place_of(match, layer, PARAM_BN_SCALE));
    add_row(table, layer->beta, place_of(match, layer, PARAM_BN_SHIFT));
    add_row(table, layer->mean, place_of(match, layer, PARAM_BN_MEAN));
    add_row(table, layer->variance, place_of(match, layer, PARAM_BN_VAR));
}

bool import_keras_explain(const char *path, const KerasPlace *names, int n_names,
                          bool ignore_extra, FILE *out)
{
    Match match;
    bool ok = match_open(&match, path, names, n_names);
    if (ok) {
        MatchTable table = {0};
        char shape[SHAPE_TEXT];
        for (int i = 0; i < match.model.count; i++)
            add_layer(&match, &table, &match.model.layers[i]);
        for (int i = 0; i < match.model.other_count; i++)
            add_row(&table, match.model.others[i], NULL);
        for (int i = 0; i < n_names; i++)
            if (!is_there(&match, i))
                match_table_add(
                    &table, "(missing)",
                    shape_text(names[i].param->rank, names[i].param->shape, shape),
                    names[i].param->name);
        match_table_print(&table, out);
        ok = check(&match, ignore_extra);
    }
    match_close(&match);
    return ok;
}
