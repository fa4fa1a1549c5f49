/* Keras' description of a model, JSON in an attribute, beside its arrays: see
 * keras_model.h. */
#include "gen/weights/keras_model.h"

#include "gen/weights/hdf5_file.h"
#include "gen/weights/reader.h"
#include "runtime/base/support.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    KerasKind kind;
} kinds[] = {
    {"Conv2D", KERAS_CONV},
    {"DepthwiseConv2D", KERAS_DEPTHWISE},
    {"Dense", KERAS_DENSE},
    {"BatchNormalization", KERAS_BN},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int kind_of(const json_t *layer)
{
    int i = 0;
    while (i < KINDS && strcmp(text_of(layer, "class_name"), kinds[i].word) != 0)
        i++;
    return i < KINDS ? (int)kinds[i].kind : -1;
}

static const char *name_of(const json_t *layer)
{
    return text_of(json_object_get(layer, "config"), "name");
}

/* The name of the layer whose output is read: the first text in lists like
 * [[["relu", 0, 0, {}]]], or in "keras_history" of Keras 3; NULL: none. */
static const char *source_of(const json_t *node, int depth)
{
    enum { MOST_DEPTH = 16 };
    if (depth > MOST_DEPTH)
        return NULL;
    if (json_is_string(node))
        return json_string_value(node);
    if (json_is_object(node)) {
        const json_t *inner = json_object_get(node, "config");
        inner = inner ? json_object_get(inner, "keras_history")
                      : json_object_get(node, "args");
        return source_of(inner, depth + 1);
    }
    const char *found = NULL;
    for (size_t i = 0; i < json_array_size(node) && found == NULL; i++)
        found = source_of(json_array_get(node, i), depth + 1);
    return found;
}

static int find_layer(const KerasModel *model, const char *name)
{
    int i = 0;
    while (name && i < model->count && strcmp(model->layers[i].name, name) != 0)
        i++;
    return name && i < model->count ? i : -1;
}

/* Of a Sequential there are no nodes: each layer reads the one before. */
static bool take_layer(KerasModel *model, const char *path, const json_t *layer,
                       const char *before)
{
    int kind = kind_of(layer);
    const char *name = name_of(layer);
    const json_t *config = json_object_get(layer, "config"),
                 *nodes = json_object_get(layer, "inbound_nodes");
    if (kind < 0)
        return true;
    if (!weights_name_ok(name, strlen(name)) || find_layer(model, name) >= 0)
        return rt_fail("%s: model_config: a layer without a name of its own", path);
    KerasLayer *it = &model->layers[model->count];
    *it = (KerasLayer){.name = rt_format("%s", name), .kind = (KerasKind)kind};
    it->behind = find_layer(model, nodes ? source_of(nodes, 0) : before);
    model->count++;
    const json_t *eps = json_object_get(config, "epsilon");
    it->eps = eps ? json_number_value(eps) : 1e-3; /* as Keras has it */
    return kind != KERAS_BN || (it->eps > 0 && it->eps < 1) ||
           rt_fail("%s: %s: epsilon %g, want a number between 0 and 1", path, name,
                   it->eps);
}

static bool take_layers(KerasModel *model, const char *path, const json_t *config)
{
    const json_t *layers = json_object_get(json_object_get(config, "config"), "layers");
    if (!json_is_array(layers))
        return rt_fail("%s: model_config: no list of layers", path);
    model->layers = rt_alloc((json_array_size(layers) + 1) * sizeof *model->layers);
    const char *before = NULL;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        if (!take_layer(model, path, layer, before))
            return false;
        before = name_of(layer);
    }
    return true;
}

/* "conv2d_1/conv2d_1/kernel:0" is the kernel of conv2d_1. */
static bool give_array(KerasModel *model, const Array *array)
{
    const char *first = strchr(array->name, '/'), *last = strrchr(array->name, '/');
    if (first == NULL)
        return false;
    char *layer = rt_format("%.*s", (int)(first - array->name), array->name);
    char *what = rt_format("%.*s", (int)strcspn(last + 1, ":"), last + 1);
    int i = find_layer(model, layer);
    KerasLayer none, *it = i >= 0 ? &model->layers[i] : &none;
    bool normalises = i >= 0 && it->kind == KERAS_BN;
    const struct {
        const char *name;
        bool fits;
        const Array **place;
    } places[] = {
        {"kernel", !normalises, &it->kernel},
        {"depthwise_kernel", !normalises, &it->kernel},
        {"bias", !normalises, &it->bias},
        {"gamma", normalises, &it->gamma},
        {"beta", normalises, &it->beta},
        {"moving_mean", normalises, &it->mean},
        {"moving_variance", normalises, &it->variance},
    };
    bool given = false;
    for (size_t p = 0; i >= 0 && p < sizeof places / sizeof *places; p++) {
        if (!places[p].fits || strcmp(places[p].name, what) != 0 || *places[p].place)
            continue;
        *places[p].place = array;
        given = true;
    }
    free(layer);
    free(what);
    return given;
}

static bool fail_array(const char *path, const KerasLayer *layer, const char *what)
{
    return rt_fail("%s: %s: %s", path, layer->name, what);
}

/* Ranks and lengths within a layer. */
static bool check_layer(const char *path, const KerasLayer *layer)
{
    bool normalises = layer->kind == KERAS_BN;
    if (!normalises && layer->kernel == NULL)
        return fail_array(path, layer, "no kernel");
    if (!normalises && layer->kernel->rank != (layer->kind == KERAS_DENSE ? 2 : 4))
        return fail_array(path, layer, "a kernel of another rank");
    if (normalises && (layer->mean == NULL || layer->variance == NULL))
        return fail_array(path, layer, "no moving_mean or moving_variance");
    const Array *kernel = layer->kernel;
    size_t outputs =
        normalises ? layer->mean->count : (size_t)kernel->shape[kernel->rank - 1];
    if (layer->kind == KERAS_DEPTHWISE)
        outputs *= (size_t)kernel->shape[2];
    const Array *const all[] = {layer->bias, layer->gamma, layer->beta, layer->mean,
                                layer->variance};
    for (int i = 0; i < 5; i++)
        if (all[i] && (all[i]->rank != 1 || all[i]->count != outputs))
            return rt_fail("%s: %s: want %zu values", path, all[i]->name, outputs);
    return true;
}

/* Every number that a weight could become. */
static bool check_values(const char *path, const Array *array)
{
    for (size_t i = 0; i < array->count; i++)
        if (!isfinite(array->values[i]))
            return rt_fail("%s: %s: element %zu is %g, want finite numbers", path,
                           array->name, i, (double)array->values[i]);
    return true;
}

static bool read_model(const char *path, KerasModel *model)
{
    const Hdf5 *file = model->file;
    if (file->text == NULL)
        return rt_fail("%s: no model_config: want a whole model of Keras, as model.save "
                       "writes it; weights alone do not say which layer reads which",
                       path);
    json_error_t error;
    json_t *config = json_loads(file->text, 0, &error);
    if (config == NULL)
        return rt_fail("%s: model_config, byte %d: %s", path, error.position, error.text);
    bool ok = take_layers(model, path, config);
    json_decref(config);
    model->others = rt_alloc(((size_t)file->count + 1) * sizeof *model->others);
    for (int i = 0; i < file->count && ok; i++) {
        ok = check_values(path, &file->arrays[i]);
        if (ok && !give_array(model, &file->arrays[i]))
            model->others[model->other_count++] = &file->arrays[i];
    }
    for (int i = 0; i < model->count && ok; i++)
        ok = check_layer(path, &model->layers[i]);
    return ok;
}

bool keras_read(const char *path, KerasModel *model)
{
    *model = (KerasModel){.file = rt_alloc(sizeof *model->file)};
    return hdf5_read(path, "model_weights", "model_config", model->file) &&
           read_model(path, model);
}

void keras_free(KerasModel *model)
{
    for (int i = 0; i < model->count; i++)
        free(model->layers[i].name);
    free(model->layers);
    free(model->others);
    hdf5_free(model->file);
    free(model->file);
    *model = (KerasModel){0};
}
