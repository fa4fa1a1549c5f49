/* Finds the weights in a checkpoint: scripts call the dictionary what they like, keep
 * several (averages, a second network), and have other tensors and objects beside
 * them. */
#include "gen/weights/state_dict.h"

#include <stdlib.h>
#include <string.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

#define MOST_SHOWN 12

typedef struct {
    const Value *dict;
    char *key; /* "ema.state_dict", "" for the whole object */
    int tensors;
} Set;

typedef struct {
    Set *items;
    int count;
} Sets;

bool state_is_tensor(const Value *value)
{
    return value->kind == VALUE_CALL &&
           strncmp(value->items[0]->text, "torch.", 6) == 0 &&
           strstr(value->items[0]->text, "._rebuild_") != NULL;
}

/* State dicts name tensors by module and parameter, "conv1.weight". Other dictionaries of
 * tensors, such as states of random numbers, count when there are none of those. */
static int count_tensors(const Value *dict, bool dotted)
{
    int count = 0;
    for (size_t i = 0; i < dict->count; i += 2)
        count += dict->items[i]->kind == VALUE_STRING &&
                 state_is_tensor(dict->items[i + 1]) &&
                 (!dotted || strchr(dict->items[i]->text, '.'));
    return count;
}

static bool may_hold_weights(const Value *name, const Value *inner)
{
    return inner->kind == VALUE_DICT && name->kind == VALUE_STRING &&
           weights_name_ok(name->text, name->count) &&
           strncmp(name->text, "optim", strlen("optim")) != 0;
}

/* Of dictionaries inside each other the innermost, each once. */
static void collect(Value *dict, const char *key, bool dotted, int depth, Sets *sets)
{
    enum { MOST_DEPTH = 8 };
    int visit = dotted ? 1 : 2, before = sets->count;
    if (dict->visit == visit || depth == MOST_DEPTH)
        return;
    dict->visit = visit;
    for (size_t i = 0; i < dict->count; i += 2) {
        const Value *name = dict->items[i];
        Value *inner = dict->items[i + 1];
        if (!may_hold_weights(name, inner))
            continue;
        char *full = rt_format("%s%s%s", key, *key ? "." : "", name->text);
        collect(inner, full, dotted, depth + 1, sets);
        free(full);
    }
    if (sets->count > before || count_tensors(dict, dotted) == 0)
        return;
    sets->items = rt_grow(sets->items, ((size_t)before + 1) * sizeof *sets->items);
    sets->items[sets->count++] =
        (Set){dict, rt_format("%s", key), count_tensors(dict, false)};
}

static void add_text(char **list, const char *text)
{
    char *longer = rt_format("%s%s%s", *list ? *list : "", *list ? ", " : "", text);
    free(*list);
    *list = longer;
}

/* "model (62 tensors), model_ema (62 tensors)". */
static char *show_sets(const Sets *sets)
{
    char *list = NULL;
    for (int i = 0; i < sets->count && i <= MOST_SHOWN; i++) {
        const Set *set = &sets->items[i];
        char *text = i == MOST_SHOWN
                         ? rt_format("%d more", sets->count - i)
                         : rt_format("%s (%d tensor%s)", set->key, set->tensors,
                                     set->tensors == 1 ? "" : "s");
        add_text(&list, text);
        free(text);
    }
    return list;
}

static const Value *choose(const char *path, const Sets *sets, const char *key)
{
    for (int i = 0; i < sets->count; i++)
        if (key ? strcmp(sets->items[i].key, key) == 0 : sets->count == 1)
            return sets->items[i].dict;
    if (sets->count == 1 && sets->items[0].key[0] == 0) {
        rt_fail("%s: no dictionary of tensors named %s: the tensors lie at the top, "
                "where no key is needed",
                path, key);
        return NULL;
    }
    char *list = show_sets(sets);
    if (key)
        rt_fail("%s: no dictionary of tensors named %s; it has %s", path, key, list);
    else
        rt_fail("%s: has several dictionaries of tensors: %s; choose one with --key",
                path, list);
    free(list);
    return NULL;
}

/* The class of the first object: torch.save(model) keeps code's names, not weights. */
static const Value *find_object(const Value *root)
{
    if (root->kind == VALUE_CALL)
        return root->items[0];
    for (size_t i = 1; root->kind == VALUE_DICT && i < root->count; i += 2)
        if (root->items[i]->kind == VALUE_CALL && !state_is_tensor(root->items[i]))
            return root->items[i]->items[0];
    return NULL;
}

const Value *state_find(const char *path, Value *root, const char *key)
{
    Sets sets = {0};
    if (root->kind == VALUE_DICT)
        collect(root, "", true, 0, &sets);
    if (root->kind == VALUE_DICT && sets.count == 0)
        collect(root, "", false, 0, &sets);
    const Value *object = find_object(root), *found = NULL;
    if (sets.count > 0)
        found = choose(path, &sets, key);
    else if (object)
        rt_fail("%s: no tensors by name, but an object of %s: want a state_dict, as "
                "torch.save(model.state_dict(), FILE) writes it",
                path, object->text);
    else
        rt_fail("%s: no tensors by name, want a state_dict", path);
    for (int i = 0; i < sets.count; i++)
        free(sets.items[i].key);
    free(sets.items);
    return found;
}

char *state_beside(const Value *root, const Value *state)
{
    char *list = NULL;
    size_t shown = 0;
    for (size_t i = 0; root != state && i < root->count; i += 2) {
        const Value *name = root->items[i], *value = root->items[i + 1];
        if (value == state || name->kind != VALUE_STRING ||
            !weights_name_ok(name->text, name->count))
            continue;
        const char *what = state_is_tensor(value)      ? "a tensor"
                           : value->kind == VALUE_CALL ? value->items[0]->text
                                                       : "";
        char *text = shown == MOST_SHOWN ? rt_format("more")
                     : *what             ? rt_format("%s (%s)", name->text, what)
                                         : rt_format("%s", name->text);
        add_text(&list, text);
        free(text);
        if (shown++ == MOST_SHOWN)
            break;
    }
    return list;
}
