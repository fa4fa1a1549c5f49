/* Finds a network's arrays in a weight file, checks that the file is of this network and
 * no other, and brings them into lathe's layout. */
#include "gen/weights/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"

typedef struct {
    const char *name; /* without what PyTorch's wrappers put in front */
    const Array *array;
    bool used;
} Entry;

typedef struct {
    const char *path;
    Entry *entries; /* sorted by name */
    int count;
    bool ours; /* lathe wrote the file: a name that is both lathe's and PyTorch's is
                  lathe's */
} File;

typedef struct {
    const Array *array;
    bool torch; /* in PyTorch's layout */
} Source;

static const char *strip(const char *name)
{
    static const char module[] = "module.", model[] = "model.";
    while (true) {
        if (strncmp(name, module, sizeof module - 1) == 0)
            name += sizeof module - 1;
        else if (strncmp(name, model, sizeof model - 1) == 0)
            name += sizeof model - 1;
        else
            return name;
    }
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

static bool file_open(File *file, const Array *arrays, int count)
{
    file->count = count;
    file->entries = rt_alloc((size_t)count * sizeof *file->entries);
    for (int i = 0; i < count; i++)
        file->entries[i] = (Entry){.name = strip(arrays[i].name), .array = &arrays[i]};
    qsort(file->entries, (size_t)count, sizeof *file->entries, compare_entries);
    for (int i = 1; i < count; i++)
        if (compare_entries(&file->entries[i - 1], &file->entries[i]) == 0)
            return rt_fail("%s: %s and %s are the same array", file->path,
                           file->entries[i - 1].array->name,
                           file->entries[i].array->name);
    return true;
}

/* The entry named prefix + the first `length` bytes of `name`, or NULL. */
static Entry *find(const File *file, const char *prefix, const char *name, size_t length)
{
    char *full = rt_format("%s%.*s", prefix, (int)length, name);
    Entry wanted = {.name = full};
    Entry *found = bsearch(&wanted, file->entries, (size_t)file->count, sizeof wanted,
                           compare_entries);
    free(full);
    return found;
}

/* The length of the first of "a|b|c"; returns the rest, "" after the last. */
static const char *next_name(const char *names, size_t *length)
{
    *length = strcspn(names, "|");
    return names + *length + (names[*length] == '|');
}

static Entry *find_torch(const File *file, const char *names)
{
    while (names && *names) {
        size_t length;
        const char *rest = next_name(names, &length);
        Entry *found = find(file, "", names, length);
        if (found)
            return found;
        names = rest;
    }
    return NULL;
}

static bool is_torch_name(const char *names, const char *name)
{
    while (names && *names) {
        size_t length;
        const char *rest = next_name(names, &length);
        if (length == strlen(name) && strncmp(names, name, length) == 0)
            return true;
        names = rest;
    }
    return false;
}

/* lathe wrote it when it has a name that only lathe gives. */
static bool is_ours(const File *file, const ImportName *names, int n_names)
{
    for (int i = 0; i < n_names; i++) {
        const char *name = names[i].param->name;
        if (!is_torch_name(names[i].torch, name) && find(file, "", name, strlen(name)))
            return true;
    }
    return false;
}

/* The nearest name that nothing else uses is likely the one that was meant. */
static bool missing(const File *file, const ImportName *name)
{
    const char **unused = rt_alloc((size_t)file->count * sizeof *unused);
    int count = 0;
    for (int i = 0; i < file->count; i++)
        if (!file->entries[i].used)
            unused[count++] = file->entries[i].name;
    char *torch = NULL;
    if (name->torch)
        torch = rt_format("%.*s", (int)strcspn(name->torch, "|"), name->torch);
    const char *wanted = torch && !file->ours ? torch : name->param->name;
    const char *nearest = rt_nearest(wanted, unused, count);
    rt_fail("%s: no array %s%s%s%s%s", file->path, name->param->name,
            torch ? ", in PyTorch " : "", torch ? torch : "",
            nearest ? "; the nearest is " : "", nearest ? nearest : "");
    free(torch);
    free(unused);
    return false;
}

/* Marks what belongs to the array as used; source->array is NULL when nothing does. */
static void find_source(const File *file, const ImportName *name, Source *source)
{
    static const char *const prefixes[] = {"ema/", "", "momentum/"};
    const char *own = name->param->name;
    Entry *entry = NULL;
    bool take_own = file->ours || !is_torch_name(name->torch, own);
    for (int i = 0; i < 3 && take_own; i++) {
        Entry *found = find(file, prefixes[i], own, strlen(own));
        if (found)
            found->used = true;
        if (i < 2 && entry == NULL)
            entry = found;
    }
    bool torch = entry == NULL;
    if (torch)
        entry = find_torch(file, name->torch);
    if (entry)
        entry->used = true;
    *source = (Source){entry ? entry->array : NULL, torch};
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* An array that finds no place means that the file is of another network. */
static bool check_surplus(const File *file)
{
    int surplus = 0;
    const Array *first = NULL;
    for (int i = 0; i < file->count; i++) {
        const Entry *entry = &file->entries[i];
        if (entry->used || ends_with(entry->name, "num_batches_tracked"))
            continue;
        surplus++;
        if (first == NULL || entry->array < first)
            first = entry->array;
    }
    if (surplus == 0)
        return true;
    return rt_fail("%s: has %d array%s this network does not have, the first is %s",
                   file->path, surplus, surplus == 1 ? "" : "s", first->name);
}

/* PyTorch has conv weights as [k][c][kh][kw] and linear ones as [k][c]. */
static void shape_in_file(const Param *param, bool torch, int shape[4])
{
    static const int conv[4] = {3, 2, 0, 1}, dense[4] = {1, 0, 2, 3},
                     same[4] = {0, 1, 2, 3};
    const int *axes = torch && param->kind == PARAM_CONV    ? conv
                      : torch && param->kind == PARAM_DENSE ? dense
                                                            : same;
    for (int i = 0; i < param->rank; i++)
        shape[i] = param->shape[axes[i]];
}

static const char *show_shape(int rank, const int *shape, char text[64])
{
    strcpy(text, rank == 0 ? "a single number" : "");
    for (int i = 0, at = 0; i < rank; i++)
        at += snprintf(text + at, 64 - (size_t)at, "[%d]", shape[i]);
    return text;
}

static bool check_shape(const char *path, const Param *param, const Source *source)
{
    const Array *array = source->array;
    int want[4];
    shape_in_file(param, source->torch, want);
    if (array->rank == param->rank &&
        memcmp(array->shape, want, (size_t)param->rank * sizeof *want) == 0)
        return true;
    char has_text[64], want_text[64];
    return rt_fail("%s: %s is %s, want %s for %s", path, array->name,
                   show_shape(array->rank, array->shape, has_text),
                   show_shape(param->rank, want, want_text), param->name);
}

static bool check_values(const char *path, const Param *param, const Array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        if (!isfinite(array->values[i]))
            return rt_fail("%s: %s: element %zu is %g, want finite numbers", path,
                           array->name, i, (double)array->values[i]);
        if (param->kind == PARAM_BN_VAR && array->values[i] < 0)
            return rt_fail("%s: %s: element %zu is %g, want variances from 0 up", path,
                           array->name, i, (double)array->values[i]);
    }
    return true;
}

/* [outputs][inputs][area] to [area][inputs][outputs]. */
static void transpose(const float *from, int outputs, int inputs, int area, float *to)
{
    for (int k = 0; k < outputs; k++)
        for (int c = 0; c < inputs; c++)
            for (int p = 0; p < area; p++)
                to[((size_t)p * inputs + c) * outputs + k] = *from++;
}

static void add(Checkpoint *out, const Param *param, const Source *source)
{
    const int *shape = param->shape;
    const float *values = source->array->values;
    bool conv = param->kind == PARAM_CONV;
    if (!source->torch || (!conv && param->kind != PARAM_DENSE)) {
        checkpoint_add(out, "", param, values);
        return;
    }
    float *turned = rt_alloc(source->array->count * sizeof *turned);
    if (conv)
        transpose(values, shape[3], shape[2], shape[0] * shape[1], turned);
    else
        transpose(values, shape[1], shape[0], 1, turned);
    checkpoint_add(out, "", param, turned);
    free(turned);
}

/* Each name's array, by name and shape; nothing is left over. */
static bool resolve(File *file, const ImportName *names, int n_names, Source *sources)
{
    file->ours = is_ours(file, names, n_names);
    for (int i = 0; i < n_names; i++)
        find_source(file, &names[i], &sources[i]);
    for (int i = 0; i < n_names; i++)
        if (sources[i].array == NULL)
            return missing(file, &names[i]);
    if (!check_surplus(file))
        return false;
    for (int i = 0; i < n_names; i++)
        if (!check_shape(file->path, names[i].param, &sources[i]))
            return false;
    return true;
}

/* The names that sources have in the file, sorted. */
typedef struct {
    const char **names;
    int count;
} Wanted;

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_wanted(const void *context, const char *name)
{
    const Wanted *wanted = context;
    return bsearch(&name, wanted->names, (size_t)wanted->count, sizeof name,
                   compare_texts) != NULL;
}

/* The values of what was found by name and shape, and of nothing else. The file may have
 * changed since: shapes are looked at again. */
static bool read_sources(File *file, const Wanted *wanted, const ImportName *names,
                         Source *sources, Checkpoint *out)
{
    Array *arrays;
    int count;
    if (!weights_read_some(file->path, is_wanted, wanted, &arrays, &count))
        return false;
    bool ok = true;
    for (int i = 0; i < wanted->count && ok; i++) {
        const char *name = sources[i].array->name;
        const Array *found = NULL;
        for (int k = 0; k < count && found == NULL; k++)
            found = strcmp(arrays[k].name, name) == 0 ? &arrays[k] : NULL;
        Source source = {found, sources[i].torch};
        ok = found ? check_shape(file->path, names[i].param, &source) &&
                         check_values(file->path, names[i].param, found)
                   : rt_fail("%s: %s: gone while it was read", file->path, name);
        if (ok)
            add(out, names[i].param, &source);
    }
    arrays_free(arrays, count);
    return ok;
}

bool import_weights(const char *path, const ImportName *names, int n_names,
                    Checkpoint *out)
{
    Array *arrays;
    int count;
    *out = (Checkpoint){0};
    if (!weights_outline(path, &arrays, &count))
        return false;
    File file = {.path = path};
    Source *sources = rt_alloc((size_t)n_names * sizeof *sources);
    bool ok = file_open(&file, arrays, count) && resolve(&file, names, n_names, sources);
    if (ok) {
        Wanted wanted = {rt_alloc((size_t)n_names * sizeof *wanted.names), n_names};
        for (int i = 0; i < n_names; i++)
            wanted.names[i] = sources[i].array->name;
        qsort(wanted.names, (size_t)n_names, sizeof *wanted.names, compare_texts);
        ok = read_sources(&file, &wanted, names, sources, out);
        free(wanted.names);
    }
    if (!ok)
        checkpoint_free(out);
    free(sources);
    free(file.entries);
    arrays_free(arrays, count);
    return ok;
}
