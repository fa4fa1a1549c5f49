/* Numbers of classes: see classes.h. */
#include "runtime/data/classes.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_numbers(const void *a, const void *b, void *context)
{
    const Classes *classes = context;
    return strcmp(classes->names[*(const int *)a], classes->names[*(const int *)b]);
}

/* `title` may be as long as 0: then the name is all there is. */
static void add_titled(Classes *classes, const char *name, size_t length,
                       const char *title, size_t title_length)
{
    size_t count = (size_t)classes->count + 1;
    classes->names = rt_grow(classes->names, count * sizeof *classes->names);
    classes->titles = rt_grow(classes->titles, count * sizeof *classes->titles);
    classes->names[classes->count] = rt_format("%.*s", (int)length, name);
    classes->titles[classes->count++] = title_length
                                            ? rt_format("%.*s", (int)title_length, title)
                                            : rt_format("%.*s", (int)length, name);
}

static void add(Classes *classes, const char *name, size_t length)
{
    add_titled(classes, name, length, NULL, 0);
}

static void sort(Classes *classes)
{
    classes->sorted = rt_alloc((size_t)classes->count * sizeof *classes->sorted);
    for (int i = 0; i < classes->count; i++)
        classes->sorted[i] = i;
    qsort_r(classes->sorted, (size_t)classes->count, sizeof *classes->sorted,
            compare_numbers, classes);
}

int classes_find(const Classes *classes, const char *name)
{
    int low = 0, high = classes->count;
    while (low < high) {
        int middle = (low + high) / 2, number = classes->sorted[middle];
        int order = strcmp(name, classes->names[number]);
        if (order == 0)
            return number;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

/* The network's own names, if they name all that is there. */
static bool by_network(Classes *classes, const DataWant *want, const char *const *found,
                       int count)
{
    for (int i = 0; i < want->classes; i++)
        add(classes, want->class_names[i], strlen(want->class_names[i]));
    sort(classes);
    for (int i = 0; i < count; i++)
        if (classes_find(classes, found[i]) < 0) {
            classes_free(classes);
            return false;
        }
    return true;
}

static bool by_text(Classes *classes, const char *path, const char *text)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\r\n");
        size_t name = strcspn(line, " \t\r\n");
        size_t title = name + strspn(line + name, " \t");
        if (name > 0)
            add_titled(classes, line, name, line + title, length - title);
        line += length + strspn(line + length, "\r\n");
    }
    sort(classes);
    for (int i = 1; i < classes->count; i++) {
        const char *name = classes->names[classes->sorted[i]];
        if (strcmp(name, classes->names[classes->sorted[i - 1]]) == 0)
            return rt_fail("%s: classes.txt: %s is there twice", path, name);
    }
    return true;
}

static void by_order(Classes *classes, const char *const *found, int count)
{
    const char **names = rt_alloc((size_t)(count + 1) * sizeof *names);
    for (int i = 0; i < count; i++)
        names[i] = found[i];
    qsort(names, (size_t)count, sizeof *names, compare_names);
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            add(classes, names[i], strlen(names[i]));
    free(names);
    sort(classes);
}

static bool check(const Classes *classes, const char *path, const DataWant *want,
                  const char *const *found, int count)
{
    for (int i = 0; i < count; i++)
        if (classes_find(classes, found[i]) < 0)
            return rt_fail("%s: class %s is not in classes.txt", path, found[i]);
    return want->classes == 0 || classes->count == want->classes ||
           rt_fail("%s: %d classes, from %s to %s, the network has %d", path,
                   classes->count, classes->count ? classes->names[0] : "none",
                   classes->count ? classes->names[classes->count - 1] : "none",
                   want->classes);
}

bool classes_make(Classes *classes, const char *path, const DataWant *want,
                  const char *const *found, int count, const char *text)
{
    *classes = (Classes){0};
    if (want->class_names && by_network(classes, want, found, count))
        return true;
    bool ok = true;
    if (text)
        ok = by_text(classes, path, text);
    else
        by_order(classes, found, count);
    ok = ok && check(classes, path, want, found, count);
    if (ok && want->found)
        class_names_set(want->found, (const char *const *)classes->titles,
                        classes->count);
    if (!ok)
        classes_free(classes);
    return ok;
}

void classes_free(Classes *classes)
{
    for (int i = 0; i < classes->count; i++) {
        free(classes->names[i]);
        free(classes->titles[i]);
    }
    free(classes->names);
    free(classes->titles);
    free(classes->sorted);
    *classes = (Classes){0};
}
