/* The geometry of a pixel by pixel op. */
#ifndef LATHE_POINT_CALL_H
#define LATHE_POINT_CALL_H

#include <stdbool.h>

/* One image's tensors of h x w pixels. Float pixels have c channels, those of codes
 * `stored` ones, c in fours. Rows are given in elements, from one pixel to the one
 * below. */
typedef struct {
    int h, w, c, stored;
    int x_row, y_row, r_row, dy_row, dx_row, dr_row; /* r: the residual */
    int zero, r_zero; /* codes that mean 0: of the quantiser or x, of the residual */
    bool relu;
    float ceiling, slope;   /* of ReLU6, of leaky ReLU; else 0 */
    bool r_codes;           /* the residual's type: codes, or floats */
    bool add, add_residual; /* to dx, to dr, instead of overwriting them */
} PointCall;

#endif
