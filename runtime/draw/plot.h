/* Plots as PNG: panels below each other, drawn by cairo. */
#ifndef LATHE_PLOT_H
#define LATHE_PLOT_H

#include <stdbool.h>

/* Points and the line through them; those that are not finite are left out. */
typedef struct {
    const char *name;          /* in the legend; NULL: not there */
    const double *x, *y;       /* [count], in the order the line goes */
    const char *const *labels; /* [count], beside the points, or NULL */
    int count;
    int color; /* 0, 1, ...: the same in each panel for what is the same */
} PlotSeries;

/* A horizontal line to compare with. */
typedef struct {
    const char *name;
    double y;
} PlotReference;

/* LOG only where all values are positive; FITTING: LOG, too, where the largest is more
 * than 20 times the smallest. */
typedef enum {
    PLOT_LINEAR,
    PLOT_FROM_ZERO, /* linear, 0 in sight */
    PLOT_WHOLE,     /* linear, ticks at integers */
    PLOT_LOG,
    PLOT_FITTING
} PlotScale;

typedef struct {
    const char *name; /* NULL: none is printed */
    PlotScale scale;
} PlotAxis;

typedef struct {
    PlotAxis x, y;
    const PlotSeries *series; /* [series_count] */
    int series_count;
    const PlotReference *references; /* [reference_count] */
    int reference_count;
    double height; /* of the axes, in points; 0: 220 */
} PlotPanel;

/* A PNG, 640 points wide at two pixels each; whole or not at all. */
bool plot_write(const char *path, const char *title, const PlotPanel *panels, int count);

#endif
