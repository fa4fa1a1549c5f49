/* The head of a picture: its title, and what the colours mean. */
#ifndef LATHE_LEGEND_H
#define LATHE_LEGEND_H

#include "runtime/draw/sheet.h"

typedef struct {
    const char **names; /* the caller's */
    int *series;        /* see sheet_series */
    int count;
} Legend;

/* A name that is there already is not added again. */
void legend_add(Legend *legend, const char *name, int series);
/* Points from the top that title and names take. */
double legend_height(const Legend *legend);
void legend_draw(const Legend *legend, cairo_t *sheet, const char *title);
void legend_free(Legend *legend);

#endif
