/* Names of classes: see class_names.h. */
#include "runtime/data/class_names.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "made.class.";

void class_names_set(ClassNames *names, const char *const *items, int count)
{
    class_names_free(names);
    names->items = rt_alloc((size_t)count * sizeof *names->items);
    names->count = count;
    for (int i = 0; i < count; i++)
        names->items[i] = rt_format("%s", items[i]);
}

void class_names_free(ClassNames *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (ClassNames){0};
}

char *class_names_lines(const ClassNames *names)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int i = 0; i < names->count; i++)
        fprintf(file, "%s%d=%s\n", prefix, i, rt_shown(names->items[i]));
    fclose(file);
    return text;
}

bool class_names_is_line(const char *line)
{
    return strncmp(line, prefix, sizeof prefix - 1) == 0;
}

/* They are in order. */
ClassNames class_names_read(const char *lines, int count)
{
    ClassNames names = {.items = rt_alloc((size_t)count * sizeof *names.items)};
    for (const char *line = lines; *line && names.count < count;) {
        int length = (int)strcspn(line, "\n");
        char *key = rt_format("%s%d=", prefix, names.count);
        int before = (int)strlen(key);
        if (strncmp(line, key, (size_t)before) == 0)
            names.items[names.count++] =
                rt_format("%.*s", length - before, line + before);
        free(key);
        line += length + (line[length] == '\n');
    }
    if (names.count < count)
        class_names_free(&names);
    return names;
}

ClassNames class_names_choose(int count, const char *const *config,
                              const ClassNames *first, const ClassNames *second)
{
    ClassNames names = {0};
    if (config) {
        class_names_set(&names, config, count);
    } else if (first->count == count || second->count == count) {
        const ClassNames *known = first->count == count ? first : second;
        class_names_set(&names, (const char *const *)known->items, count);
    } else {
        names.items = rt_alloc((size_t)count * sizeof *names.items);
        while (names.count < count) {
            names.items[names.count] = rt_format("class %d", names.count);
            names.count++;
        }
    }
    return names;
}
