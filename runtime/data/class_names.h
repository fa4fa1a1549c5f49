/* What people call a network's classes where its config does not say: data knows, and
 * weights that were trained on it keep it. */
#ifndef LATHE_CLASS_NAMES_H
#define LATHE_CLASS_NAMES_H

#include <stdbool.h>

typedef struct {
    char **items; /* [count] by number */
    int count;    /* 0: they are not known */
} ClassNames;

/* Copy these names over those it had. */
void class_names_set(ClassNames *names, const char *const *items, int count);
void class_names_free(ClassNames *names);

/* "made.class.0=tench" and so on, a line each, fit to be shown; "" where none are known;
 * free() it. */
char *class_names_lines(const ClassNames *names);
/* Those of `count` classes among such lines; none where one is missing. */
ClassNames class_names_read(const char *lines, int count);
/* Whether the line is one of these. */
bool class_names_is_line(const char *line);

/* The names for `count` classes that are known, of the config, then of `first`, then of
 * `second`; else "class 0" and so on. `config` may be NULL. */
ClassNames class_names_choose(int count, const char *const *config,
                              const ClassNames *first, const ClassNames *second);

#endif
