/* Which number a class has: by the network's names, by classes.txt, or by the order of
 * the names there are. */
#ifndef LATHE_CLASSES_H
#define LATHE_CLASSES_H

#include "runtime/data/want.h"

typedef struct {
    char **names;  /* [count] by number */
    char **titles; /* [count] what people call them: the same, or what classes.txt says */
    int *sorted;   /* [count] numbers by name */
    int count;
} Classes;

/* Classes for the `count` names found (repeats allowed) in what is at `path`: numbered by
 * want->class_names, where every name is one of these; or by `text`, of a classes.txt
 * with a name in front of each line and perhaps what it means behind it, unless it is
 * NULL; or in sorted order, where there must be as many as the network has. Of the last
 * two, what people call the classes goes to want->found. */
bool classes_make(Classes *classes, const char *path, const DataWant *want,
                  const char *const *found, int count, const char *text);
void classes_free(Classes *classes);

/* The number of a class; -1: unknown. */
int classes_find(const Classes *classes, const char *name);

#endif
