/* A picture of one row of points: see plot.h. */
#include "runtime/draw/plot.h"

#include "runtime/base/support.h"
#include "runtime/draw/axis.h"
#include "runtime/draw/canvas.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 620, HEIGHT = 420, LEFT = 96, RIGHT = 590, TOP = 78, BOTTOM = 340 };

static const Color paper = 0xffffff, ink = 0x30343a, faint = 0x6b7280, grid = 0xe5e7eb,
                   line = 0x2563eb;

static void set_axis(Axis *axis, const double *values, int count, int marks)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    axis_set_range(axis, low, high, marks);
}

static void draw_marks(Picture *picture, const Axis *axis, bool is_x)
{
    int count = (int)lround((axis->high - axis->low) / axis->step);
    for (int i = 0; i <= count; i++) {
        double value = axis->low + i * axis->step;
        int at = (int)lround(axis_place(axis, value));
        char text[32];
        axis_format_mark(axis, fabs(value) < 1e-9 * axis->step ? 0 : value, text);
        if (is_x) {
            canvas_rectangle(picture, at, BOTTOM, 1, 6, faint);
            canvas_text(picture, at - canvas_text_width(text) / 2, BOTTOM + 11, text,
                        faint);
        } else {
            canvas_rectangle(picture, LEFT, at, RIGHT - LEFT, 1, grid);
            canvas_text(picture, LEFT - 10 - canvas_text_width(text),
                        at - TEXT_HEIGHT / 2, text, faint);
        }
    }
}

bool plot_write(const char *path, const Plot *plot)
{
    Picture picture = {WIDTH, HEIGHT, rt_alloc((size_t)WIDTH * HEIGHT * 3)};
    Axis x = {.start = LEFT, .end = RIGHT}, y = {.start = BOTTOM, .end = TOP};
    Point *points = rt_alloc(plot->count * sizeof *points);
    set_axis(&x, plot->x, plot->count, 7);
    set_axis(&y, plot->y, plot->count, 5);
    for (int i = 0; i < plot->count; i++)
        points[i] = (Point){axis_place(&x, plot->x[i]), axis_place(&y, plot->y[i])};
    canvas_rectangle(&picture, 0, 0, WIDTH, HEIGHT, paper);
    canvas_text(&picture, 16, 18, plot->title, ink);
    canvas_text(&picture, LEFT, TOP - 28, plot->y_name, ink);
    draw_marks(&picture, &y, false);
    draw_marks(&picture, &x, true);
    canvas_rectangle(&picture, LEFT, BOTTOM, RIGHT - LEFT + 1, 1, faint);
    canvas_text(&picture, LEFT + (RIGHT - LEFT - canvas_text_width(plot->x_name)) / 2,
                BOTTOM + 38, plot->x_name, faint);
    canvas_line(&picture, points, plot->count, 2, line);
    for (int i = 0; i < plot->count; i++)
        canvas_line(&picture, &points[i], 1, 7, line);
    for (int i = 0; plot->labels && i < plot->count; i++)
        canvas_text(&picture, (int)points[i].x + 8, (int)points[i].y + 6, plot->labels[i],
                    faint);
    bool ok = picture_write(path, &picture);
    picture_free(&picture);
    free(points);
    return ok;
}
