/* Training curves: see curve.h. Two panels side by side, each with its own scale. */
#include "runtime/train/curve.h"
#include "runtime/base/support.h"
#include "runtime/draw/axis.h"
#include "runtime/draw/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 900,
    HEIGHT = 420,
    PANEL_TOP = 78,
    PANEL_WIDTH = 350,
    PANEL_HEIGHT = 270,
    LEFT_PANEL = 76,
    RIGHT_PANEL = 526,
    MARKED = 40 /* so few epochs get a dot each */
};

static const Color paper = 0xffffff, ink = 0x30343a, faint = 0x6b7280, grid = 0xe5e7eb,
                   training = 0x2563eb, held_out = 0xea580c;

/* ---- One panel ---- */

typedef double Column(const EpochRow *row);

static double train_loss(const EpochRow *row)
{
    return row->train_loss;
}

static double train_accuracy(const EpochRow *row)
{
    return row->train_accuracy;
}

static double held_out_loss(const EpochRow *row)
{
    return row->held_out_loss;
}

static double held_out_accuracy(const EpochRow *row)
{
    return row->held_out_accuracy;
}

typedef struct {
    const char *name;
    int left;
    Column *columns[2]; /* training, held out */
    Axis x, y;
} Panel;

static void set_axes(Panel *panel, const History *history)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < history->count; i++)
        for (int c = 0; c < 2; c++) { /* fmin and fmax pass over NAN */
            low = fmin(low, panel->columns[c](&history->rows[i]));
            high = fmax(high, panel->columns[c](&history->rows[i]));
        }
    if (low > high)
        low = high = 0;
    axis_set_range(&panel->y, low, high, 5);
    panel->y.start = PANEL_TOP + PANEL_HEIGHT;
    panel->y.end = PANEL_TOP;
    int last = history->count > 1 ? history->count : 2;
    panel->x = (Axis){.low = 1,
                      .high = last,
                      .step = fmax(1, axis_round_step((last - 1) / 6.0)),
                      .start = panel->left,
                      .end = panel->left + PANEL_WIDTH};
}

static void draw_horizontal_marks(Picture *picture, const Panel *panel)
{
    const Axis *axis = &panel->y;
    int count = (int)lround((axis->high - axis->low) / axis->step);
    for (int i = 0; i <= count; i++) {
        double value = axis->low + i * axis->step;
        int y = (int)lround(axis_place(axis, value));
        char text[32];
        axis_format_mark(axis, fabs(value) < 1e-9 * axis->step ? 0 : value, text);
        canvas_rectangle(picture, panel->left, y, PANEL_WIDTH, 1, grid);
        canvas_text(picture, panel->left - 10 - canvas_text_width(text),
                    y - TEXT_HEIGHT / 2, text, faint);
    }
}

/* Marks at whole steps, and the first epoch. */
static void draw_vertical_marks(Picture *picture, const Panel *panel)
{
    const Axis *axis = &panel->x;
    int bottom = PANEL_TOP + PANEL_HEIGHT;
    for (double value = 0; value <= axis->high; value += axis->step) {
        double mark = fmax(value, 1);
        if (axis->step == 1 && value == 0)
            continue;
        int x = (int)lround(axis_place(axis, mark));
        char text[32];
        axis_format_mark(axis, mark, text);
        canvas_rectangle(picture, x, bottom, 1, 6, faint);
        canvas_text(picture, x - canvas_text_width(text) / 2, bottom + 11, text, faint);
    }
    canvas_rectangle(picture, panel->left, bottom, PANEL_WIDTH + 1, 1, faint);
    canvas_text(picture, panel->left + (PANEL_WIDTH - canvas_text_width("epoch")) / 2,
                bottom + 38, "epoch", faint);
}

static void draw_column(Picture *picture, const Panel *panel, Column *column,
                        const History *history, Color color)
{
    Point *points = rt_alloc((size_t)history->count * sizeof *points);
    int count = 0;
    for (int i = 0; i < history->count; i++) {
        double value = column(&history->rows[i]);
        if (isfinite(value))
            points[count++] = (Point){axis_place(&panel->x, history->rows[i].epoch),
                                      axis_place(&panel->y, value)};
    }
    canvas_line(picture, points, count, 2, color);
    for (int i = 0; i < count && count <= MARKED; i++)
        canvas_line(picture, &points[i], 1, 6, color);
    free(points);
}

static void draw_panel(Picture *picture, Panel *panel, const History *history)
{
    set_axes(panel, history);
    draw_horizontal_marks(picture, panel);
    draw_vertical_marks(picture, panel);
    canvas_text(picture, panel->left, PANEL_TOP - 28, panel->name, ink);
    draw_column(picture, panel, panel->columns[0], history, training);
    draw_column(picture, panel, panel->columns[1], history, held_out);
}

/* ---- The picture ---- */

/* Ends at pixel `right`; returns where it begins. */
static int draw_legend(Picture *picture, int right, const char *text, Color color)
{
    int left = right - canvas_text_width(text);
    canvas_text(picture, left, 18, text, ink);
    canvas_line(picture, (Point[]){{left - 34, 25}, {left - 12, 25}}, 2, 3, color);
    return left - 34;
}

static bool any_held_out(const History *history)
{
    for (int i = 0; i < history->count; i++)
        if (isfinite(history->rows[i].held_out_loss))
            return true;
    return false;
}

bool curve_write(const char *path, const char *title, const History *history)
{
    Picture picture = {WIDTH, HEIGHT, rt_alloc((size_t)WIDTH * HEIGHT * 3)};
    Panel loss = {
        .name = "loss", .left = LEFT_PANEL, .columns = {train_loss, held_out_loss}};
    Panel accuracy = {.name = "accuracy",
                      .left = RIGHT_PANEL,
                      .columns = {train_accuracy, held_out_accuracy}};
    int right = RIGHT_PANEL + PANEL_WIDTH;
    canvas_rectangle(&picture, 0, 0, WIDTH, HEIGHT, paper);
    canvas_text(&picture, LEFT_PANEL, 18, title, ink);
    if (any_held_out(history))
        right = draw_legend(&picture, right, "held out", held_out) - 24;
    draw_legend(&picture, right, "training", training);
    draw_panel(&picture, &loss, history);
    draw_panel(&picture, &accuracy, history);
    bool ok = picture_write(path, &picture);
    picture_free(&picture);
    return ok;
}
