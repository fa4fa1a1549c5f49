/* A picture of one row of points. */
#ifndef LATHE_PLOT_H
#define LATHE_PLOT_H

#include <stdbool.h>

typedef struct {
    const char *title, *x_name, *y_name;
    const double *x, *y;       /* [count], in the order the line goes */
    const char *const *labels; /* [count], beside the points, or NULL */
    int count;                 /* at least 1 */
} Plot;

/* A PNG of the points and the line through them; whole or not at all. */
bool plot_write(const char *path, const Plot *plot);

#endif
