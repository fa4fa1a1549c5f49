/* Command lines: see flags.h. */
#include "runtime/base/flags.h"

#include "runtime/base/parse.h"
#include "runtime/base/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which verb has which flag ---- */

/* The verb's word in "train eval!", or NULL; *needed says whether "!" is behind it. */
static const char *find_verb(const char *verbs, const char *verb, bool *needed)
{
    size_t length = strlen(verb);
    for (const char *at = verbs; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " !");
        *needed = at[word] == '!';
        if (word == length && memcmp(at, verb, length) == 0)
            return at;
        at += word + *needed;
    }
    return NULL;
}

static bool has_flag(const FlagTable *table, const Flag *flag)
{
    bool needed;
    return table->verb && find_verb(flag->verbs, table->verb, &needed);
}

static bool is_named(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 &&
           (argument[length] == 0 || argument[length] == '=');
}

/* Append to a list with ", " between its words what is not in it yet; frees `list`. */
static char *append_new(char *list, const char *word, int length)
{
    char *longer = rt_format("%s%s%.*s", list, *list ? ", " : "", length, word);
    const char *last = longer + strlen(longer) - length;
    bool new = strstr(longer, last) == last;
    free(new ? list : longer);
    return new ? longer : list;
}

/* The other verbs that have a flag of this name; free() it. */
static char *verbs_with(const FlagTable *tables, int table_count, const char *verb,
                        const char *argument)
{
    char *list = rt_format("%s", "");
    for (int t = 0; t < table_count; t++)
        for (int i = 0; i < tables[t].count; i++) {
            if (!is_named(argument, tables[t].flags[i].name))
                continue;
            for (const char *at = tables[t].flags[i].verbs; *at; at += strspn(at, " !")) {
                int length = (int)strcspn(at, " !");
                if (length != (int)strlen(verb) || memcmp(at, verb, length) != 0)
                    list = append_new(list, at, length);
                at += length;
            }
        }
    return list;
}

static bool fail_unknown(const FlagTable *tables, int table_count, const char *verb,
                         const char *argument)
{
    char *others = verbs_with(tables, table_count, verb, argument);
    char *word = rt_format("%.*s", (int)strcspn(argument, "="), argument);
    const char **names = NULL;
    int count = 0;
    for (int t = 0; t < table_count; t++) {
        names = rt_grow(names, (size_t)(count + tables[t].count + 1) * sizeof *names);
        for (int i = 0; i < tables[t].count; i++)
            if (has_flag(&tables[t], &tables[t].flags[i]))
                names[count++] = tables[t].flags[i].name;
    }
    names[count++] = "--help";
    const char *nearest = rt_nearest(word, names, count);
    if (*others)
        rt_fail("%s: %s is a flag of %s; see --help", verb, word, others);
    else if (nearest)
        rt_fail("%s: unknown flag %s; did you mean %s?", verb, word, nearest);
    else
        rt_fail("%s: unknown flag %s; see --help", verb, word);
    free(others);
    free(word);
    free(names);
    return false;
}

/* ---- Reading ---- */

void flags_add_word(FlagWords *words, const char *word)
{
    words->items =
        rt_grow(words->items, (size_t)(words->count + 1) * sizeof *words->items);
    words->items[words->count++] = word;
}

static bool set_field(const Flag *flag, const char *value, void *field)
{
    switch (flag->kind) {
    case FLAG_SWITCH:
        *(bool *)field = true;
        return true;
    case FLAG_TEXT:
    case FLAG_OPTIONAL:
        *(const char **)field = value;
        return true;
    case FLAG_LIST:
        flags_add_word(field, value);
        return true;
    case FLAG_SEED:
        ((FlagSeed *)field)->given = true;
        return parse_u64(value, &((FlagSeed *)field)->value) ||
               rt_fail("%s: \"%s\", want a whole number below 2^64", flag->name, value);
    case FLAG_NUMBER:
        return parse_long(value, flag->least, flag->most, field) ||
               rt_fail("%s: \"%s\", want a whole number from %ld to %ld", flag->name,
                       value, flag->least, flag->most);
    }
    return false;
}

/* Whether a word can be the value of "--resume [FILE]": a config is none. */
static bool is_optional_value(const char *word)
{
    size_t length = strlen(word);
    return word[0] != '-' && (length < 4 || strcmp(word + length - 4, ".lua") != 0);
}

/* The value of the flag at argv[*index], there or in the next word; "" where it may be
 * left out and is. */
static bool take_value(const Flag *flag, int argc, char *const *argv, int *index,
                       const char **value)
{
    const char *equals = strchr(argv[*index], '=');
    const char *next = *index + 1 < argc ? argv[*index + 1] : NULL;
    *value = "";
    if (flag->kind == FLAG_SWITCH)
        return equals == NULL || rt_fail("%s: takes no value", flag->name);
    if (flag->kind == FLAG_OPTIONAL && equals == NULL) {
        if (flag->value[1] != '=' && next && is_optional_value(next)) {
            *value = next;
            ++*index;
        }
        return true;
    }
    if (equals)
        *value = equals + 1;
    else if (next)
        *value = argv[++*index];
    const char *wanted = flag->value + strspn(flag->value, "[=");
    return **value || rt_fail("%s: want %.*s behind it", flag->name,
                              (int)strcspn(wanted, "]"), wanted);
}

static const Flag *find_flag(const FlagTable *tables, int table_count,
                             const char *argument, const FlagTable **table)
{
    for (int t = 0; t < table_count; t++)
        for (int i = 0; i < tables[t].count; i++)
            if (is_named(argument, tables[t].flags[i].name) &&
                has_flag(&tables[t], &tables[t].flags[i])) {
                *table = &tables[t];
                return &tables[t].flags[i];
            }
    return NULL;
}

static bool given_before(const Flag *flag, const Flag **given, int count)
{
    for (int i = 0; i < count; i++)
        if (given[i] == flag)
            return true;
    return false;
}

bool flags_read(const FlagTable *tables, int table_count, const char *verb, int argc,
                char *const *argv, FlagWords *words)
{
    const Flag **given = rt_alloc((size_t)(argc + 1) * sizeof *given);
    bool ok = true;
    for (int i = 0, count = 0; i < argc && ok; i++) {
        if (argv[i][0] != '-' || argv[i][1] == 0) {
            flags_add_word(words, argv[i]);
            continue;
        }
        const FlagTable *table;
        const Flag *flag = find_flag(tables, table_count, argv[i], &table);
        const char *value;
        if (flag == NULL)
            ok = fail_unknown(tables, table_count, verb, argv[i]);
        else if (flag->kind != FLAG_LIST && given_before(flag, given, count))
            ok = rt_fail("%s: %s is given twice", verb, flag->name);
        else
            ok = take_value(flag, argc, argv, &i, &value) &&
                 set_field(flag, value, (char *)table->values + flag->field);
        given[count++] = flag;
    }
    free(given);
    return ok;
}

/* Whether the flag's field holds what it says when the flag is given. */
static bool is_set(const FlagTable *table, const Flag *flag)
{
    const void *field = (const char *)table->values + flag->field;
    switch (flag->kind) {
    case FLAG_SWITCH:
        return *(const bool *)field;
    case FLAG_TEXT:
    case FLAG_OPTIONAL:
        return *(const char *const *)field != NULL;
    case FLAG_NUMBER:
        return *(const long *)field != 0;
    case FLAG_SEED:
        return ((const FlagSeed *)field)->given;
    case FLAG_LIST:
        return ((const FlagWords *)field)->count > 0;
    }
    return false;
}

bool flags_complete(const FlagTable *tables, int table_count, const char *verb)
{
    for (int t = 0; t < table_count; t++)
        for (int i = 0; i < tables[t].count; i++) {
            const Flag *flag = &tables[t].flags[i];
            bool needed;
            if (tables[t].verb && find_verb(flag->verbs, tables[t].verb, &needed) &&
                needed && !is_set(&tables[t], flag))
                return rt_fail("%s: %s %s is missing", verb, flag->name, flag->value);
        }
    return true;
}

/* ---- Help, and words again ---- */

bool flags_ask_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

void flags_print(const FlagTable *tables, int table_count)
{
    for (int t = 0; t < table_count; t++)
        for (int i = 0; i < tables[t].count; i++) {
            const Flag *flag = &tables[t].flags[i];
            if (!has_flag(&tables[t], flag))
                continue;
            const char *value = flag->value ? flag->value : "";
            const char *gap = flag->value && strncmp(value, "[=", 2) != 0 ? " " : "";
            int width = 20 - (int)(strlen(flag->name) + strlen(gap));
            printf("  %s%s%-*s %s\n", flag->name, gap, width > 0 ? width : 0, value,
                   flag->help);
        }
    printf("  %-20s %s\n", "--help", "this text");
}

/* A flag that is set as one word, "--name=value"; free() it. */
static char *written(const Flag *flag, const void *field)
{
    const char *text = "";
    switch (flag->kind) {
    case FLAG_NUMBER:
        return rt_format("%s=%ld", flag->name, *(const long *)field);
    case FLAG_SEED:
        return rt_format("%s=%" PRIu64, flag->name, ((const FlagSeed *)field)->value);
    case FLAG_TEXT:
    case FLAG_OPTIONAL:
        text = *(const char *const *)field;
        break;
    case FLAG_SWITCH:
    case FLAG_LIST:
        break;
    }
    return rt_format("%s%s%s", flag->name, *text ? "=" : "", text);
}

void flags_write(const FlagTable *table, FlagWords *words)
{
    for (int i = 0; i < table->count; i++) {
        const Flag *flag = &table->flags[i];
        const void *field = (const char *)table->values + flag->field;
        if (!has_flag(table, flag) || !is_set(table, flag))
            continue;
        const FlagWords *list = field;
        for (int k = 0; flag->kind == FLAG_LIST && k < list->count; k++)
            flags_add_word(words, rt_format("%s=%s", flag->name, list->items[k]));
        if (flag->kind != FLAG_LIST)
            flags_add_word(words, written(flag, field));
    }
}
