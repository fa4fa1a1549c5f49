/* Finds a network's arrays in a weight file, checks that the file is of this network and
 * no other, and brings them into lathe's layout. */
#include "gen/weights/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/weights/file_names.h"
#include "gen/weights/match_table.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

typedef struct {
    FileNames names;
    bool ours; /* lathe wrote the file: a name that is both lathe's and PyTorch's is
                  lathe's */
} File;

typedef struct {
    const Array *array;
    bool torch; /* in PyTorch's layout */
} Source;

/* The length of the first of "a|b|c"; returns the rest, "" after the last. */
static const char *next_name(const char *names, size_t *length)
{
    *length = strcspn(names, "|");
    return names + *length + (names[*length] == '|');
}

static FileName *find_torch(const FileNames *file, const char *names)
{
    while (names && *names) {
        size_t length;
        const char *rest = next_name(names, &length);
        FileName *found = file_names_find(file, "", names, length);
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

static FileName *find_own(const FileNames *file, const char *prefix,
                          const ImportName *name)
{
    return file_names_find(file, prefix, name->param->name, strlen(name->param->name));
}

static bool has_torch_only(const FileNames *file, const ImportName *names, int n_names)
{
    for (int i = 0; i < n_names; i++) {
        const FileName *found = find_torch(file, names[i].torch);
        if (found && strcmp(found->name, names[i].param->name) != 0)
            return true;
    }
    return false;
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

static bool has_shape(const Array *array, const Param *param, bool torch)
{
    int want[4] = {0};
    shape_in_file(param, torch, want);
    return array->rank == param->rank &&
           memcmp(array->shape, want, (size_t)param->rank * sizeof *want) == 0;
}

/* Lathe wrote it when it has a name that only lathe gives, not when it has one that only
 * PyTorch gives, and else when shapes say so. */
static bool is_ours(const FileNames *file, const ImportName *names, int n_names)
{
    bool fits_own = true, fits_torch = true;
    for (int i = 0; i < n_names; i++) {
        const Param *param = names[i].param;
        const FileName *own = find_own(file, "", &names[i]);
        if (!is_torch_name(names[i].torch, param->name)) {
            if (own)
                return true;
        } else if (own) {
            fits_own = fits_own && has_shape(own->array, param, false);
            fits_torch = fits_torch && has_shape(own->array, param, true);
        }
    }
    return fits_own && !fits_torch && !has_torch_only(file, names, n_names);
}

typedef struct {
    const ImportName *names;
    int count;
} Network;

static int count_matches(const FileNames *file, const void *context)
{
    const Network *network = context;
    int count = 0;
    for (int i = 0; i < network->count; i++)
        count += find_own(file, "", &network->names[i]) != NULL ||
                 find_torch(file, network->names[i].torch) != NULL;
    return count;
}

/* The nearest name that nothing else uses is likely the one that was meant. */
static bool missing(const File *file, const ImportName *name)
{
    const FileNames *has = &file->names;
    const char **unused = rt_alloc((size_t)has->count * sizeof *unused);
    int count = 0;
    for (int i = 0; i < has->count; i++)
        if (!has->items[i].used)
            unused[count++] = has->items[i].name;
    char *torch = NULL;
    if (name->torch && strcmp(name->torch, name->param->name) != 0)
        torch = rt_format("%.*s", (int)strcspn(name->torch, "|"), name->torch);
    const char *wanted = torch && !file->ours ? torch : name->param->name;
    const char *nearest = rt_nearest(wanted, unused, count);
    rt_fail("%s: no array %s%s%s%s%s", has->path, name->param->name,
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
    FileName *entry = NULL;
    bool take_own = file->ours || !is_torch_name(name->torch, name->param->name);
    for (int i = 0; i < 3 && take_own; i++) {
        FileName *found = find_own(&file->names, prefixes[i], name);
        if (found)
            found->used = true;
        if (i < 2 && entry == NULL)
            entry = found;
    }
    bool torch = entry == NULL;
    if (torch)
        entry = find_torch(&file->names, name->torch);
    if (entry) {
        entry->used = true;
        entry->param = name->param;
    }
    *source = (Source){entry ? entry->array : NULL, torch};
}

static bool is_surplus(const FileName *name)
{
    return !name->used && !file_name_is_counter(name->name);
}

/* An array that finds no place may mean that the file is of another network. */
static bool check_surplus(const FileNames *file)
{
    int surplus = 0;
    const Array *first = NULL;
    for (int i = 0; i < file->count; i++) {
        if (!is_surplus(&file->items[i]))
            continue;
        surplus++;
        if (first == NULL || file->items[i].array < first)
            first = file->items[i].array;
    }
    return surplus == 0 ||
           rt_fail("%s: has %d array%s this network does not have, the first is %s; "
                   "--ignore-extra leaves such arrays out",
                   file->path, surplus, surplus == 1 ? "" : "s", first->name);
}

static bool check_shape(const char *path, const Param *param, const Source *source)
{
    const Array *array = source->array;
    int want[4];
    if (has_shape(array, param, source->torch))
        return true;
    shape_in_file(param, source->torch, want);
    char has_text[SHAPE_TEXT], want_text[SHAPE_TEXT];
    return rt_fail("%s: %s is %s, want %s for %s", path, array->name,
                   shape_text(array->rank, array->shape, has_text),
                   shape_text(param->rank, want, want_text), param->name);
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

/* ---- A file beside a network ---- */

typedef struct {
    Array *arrays; /* the file's outline */
    int count;
    char *beside; /* what else is in it, or NULL */
    File file;
    Network network;
    Source *sources; /* of the network's arrays */
    ImportHow how;
} Match;

/* match_close() it in any case. */
static bool match_open(Match *match, const char *path, const Network *network,
                       const ImportHow *how)
{
    *match = (Match){.network = *network};
    if (how)
        match->how = *how;
    how = &match->how;
    if (!weights_outline(path, how->key, &match->arrays, &match->count, &match->beside) ||
        !file_names_open(&match->file.names, path, match->arrays, match->count,
                         how->renames, how->rename_count))
        return false;
    match->sources = rt_alloc((size_t)network->count * sizeof *match->sources);
    file_names_strip(&match->file.names, count_matches, network);
    match->file.ours = is_ours(&match->file.names, network->names, network->count);
    for (int i = 0; i < network->count; i++)
        find_source(&match->file, &network->names[i], &match->sources[i]);
    return true;
}

static void match_close(Match *match)
{
    free(match->sources);
    free(match->beside);
    file_names_free(&match->file.names);
    arrays_free(match->arrays, match->count);
}

/* Every array of the network is there with its shape, and nothing is left over. */
static bool check_sources(const Match *match)
{
    const File *file = &match->file;
    const Network *network = &match->network;
    const Source *sources = match->sources;
    for (int i = 0; i < network->count; i++)
        if (sources[i].array == NULL)
            return missing(file, &network->names[i]);
    if (!match->how.ignore_extra && !check_surplus(&file->names))
        return false;
    for (int i = 0; i < network->count; i++)
        if (!check_shape(file->names.path, network->names[i].param, &sources[i]))
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
static bool take_values(const char *path, const Network *network, const Source *sources,
                        const Array *arrays, int count, Checkpoint *out)
{
    for (int i = 0; i < network->count; i++) {
        const Param *param = network->names[i].param;
        const char *name = sources[i].array->name;
        const Array *found = NULL;
        for (int k = 0; k < count && found == NULL; k++)
            found = strcmp(arrays[k].name, name) == 0 ? &arrays[k] : NULL;
        Source source = {found, sources[i].torch};
        if (found == NULL)
            return rt_fail("%s: %s: gone while it was read", path, name);
        if (!check_shape(path, param, &source) || !check_values(path, param, found))
            return false;
        add(out, param, &source);
    }
    return true;
}

static bool read_sources(const Match *match, Checkpoint *out)
{
    const char *path = match->file.names.path;
    size_t count = (size_t)match->network.count;
    Wanted wanted = {rt_alloc(count * sizeof *wanted.names), match->network.count};
    for (size_t i = 0; i < count; i++)
        wanted.names[i] = match->sources[i].array->name;
    qsort(wanted.names, count, sizeof *wanted.names, compare_texts);
    Array *arrays;
    int found;
    bool ok =
        weights_read_some(path, match->how.key, is_wanted, &wanted, &arrays, &found);
    free(wanted.names);
    if (!ok)
        return false;
    ok = take_values(path, &match->network, match->sources, arrays, found, out);
    arrays_free(arrays, found);
    return ok;
}

bool import_weights(const char *path, const ImportName *names, int n_names,
                    const ImportHow *how, Checkpoint *out)
{
    Match match;
    *out = (Checkpoint){0};
    bool ok = match_open(&match, path, &(Network){names, n_names}, how) &&
              check_sources(&match) && read_sources(&match, out);
    if (!ok)
        checkpoint_free(out);
    match_close(&match);
    return ok;
}

/* ---- The match as a table ---- */

/* Where an array of the file goes; free() it. */
static char *place_of(const Match *match, const FileName *name, const char *shape)
{
    char want_text[SHAPE_TEXT];
    int want[4];
    for (int i = 0; i < match->network.count && name->param; i++) {
        const Param *param = match->network.names[i].param;
        if (param != name->param)
            continue;
        shape_in_file(param, match->sources[i].torch, want);
        const char *text = shape_text(param->rank, want, want_text);
        return strcmp(text, shape) == 0 ? rt_format("%s", param->name)
                                        : rt_format("%s, but want %s", param->name, text);
    }
    return rt_format("%s", is_surplus(name) ? "(left over)" : "(not needed)");
}

/* An array of the network that the file does not have. */
static void add_missing(const Match *match, int i, MatchTable *table)
{
    const ImportName *name = &match->network.names[i];
    bool other = name->torch && strcmp(name->torch, name->param->name) != 0;
    char shape[SHAPE_TEXT];
    int want[4];
    shape_in_file(name->param, name->torch && !match->file.ours, want);
    char *place = rt_format("%s%s%s", name->param->name, other ? ", in PyTorch " : "",
                            other ? name->torch : "");
    match_table_add(table, "(missing)", shape_text(name->param->rank, want, shape),
                    place);
    free(place);
}

static int compare_places(const void *a, const void *b)
{
    const Array *x = (*(const FileName *const *)a)->array,
                *y = (*(const FileName *const *)b)->array;
    return (x > y) - (x < y);
}

/* In the order of the file; then what is missing. */
static void add_rows(const Match *match, MatchTable *table)
{
    const FileNames *file = &match->file.names;
    const FileName **ordered = rt_alloc((size_t)file->count * sizeof *ordered);
    for (int i = 0; i < file->count; i++)
        ordered[i] = &file->items[i];
    qsort(ordered, (size_t)file->count, sizeof *ordered, compare_places);
    for (int i = 0; i < file->count; i++) {
        const Array *array = ordered[i]->array;
        char shape[SHAPE_TEXT];
        shape_text(array->rank, array->shape, shape);
        char *place = place_of(match, ordered[i], shape);
        match_table_add(table, array->name, shape, place);
        free(place);
    }
    free(ordered);
    for (int i = 0; i < match->network.count; i++)
        if (match->sources[i].array == NULL)
            add_missing(match, i, table);
}

bool import_explain(const char *path, const ImportName *names, int n_names,
                    const ImportHow *how, FILE *out)
{
    Match match;
    bool ok = match_open(&match, path, &(Network){names, n_names}, how);
    if (ok) {
        MatchTable table = {0};
        add_rows(&match, &table);
        match_table_print(&table, out);
        if (match.beside)
            fprintf(out, "beside the weights, left alone: %s\n", rt_shown(match.beside));
        ok = check_sources(&match);
    }
    match_close(&match);
    return ok;
}
