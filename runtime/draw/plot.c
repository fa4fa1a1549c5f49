/* Panels of series: see plot.h. */
#include "runtime/draw/plot.h"

#include "runtime/draw/legend.h"
#include "runtime/draw/scale.h"
#include "runtime/draw/sheet.h"

#include <math.h>

enum {
    LEFT = 84,
    RIGHT = SHEET_WIDTH - 24,
    USUAL_HEIGHT = 220,
    HEAD = 34,  /* of a panel: the name of its vertical axis */
    FOOT = 30,  /* marks of the horizontal axis */
    NAME = 22,  /* its name */
    MARKED = 40 /* so few points get a dot each */
};

static double panel_height(const PlotPanel *panel)
{
    return panel->height > 0 ? panel->height : USUAL_HEIGHT;
}

static double panel_space(const PlotPanel *panel)
{
    return HEAD + panel_height(panel) + FOOT + (panel->x.name ? NAME : 0);
}

/* ---- Axes ---- */

/* Beyond this no drawing is exact, and differences overflow. */
static double bounded(double value)
{
    return fmin(fmax(value, -SCALE_MOST), SCALE_MOST);
}

static bool drawn(const PlotSeries *series, int i)
{
    return isfinite(series->x[i]) && isfinite(series->y[i]);
}

typedef struct {
    double low, high;
} Range;

static void widen(Range *range, double value)
{
    range->low = fmin(range->low, bounded(value));
    range->high = fmax(range->high, bounded(value));
}

static void set_scale(Scale *scale, const PlotAxis *axis, Range range)
{
    if (range.low > range.high)
        range = (Range){0, 1};
    if (axis->scale == PLOT_FROM_ZERO)
        widen(&range, 0);
    bool log = axis->scale == PLOT_LOG ||
               (axis->scale == PLOT_FITTING && range.high > 20 * range.low);
    scale_set_range(scale, range.low, range.high, log);
}

static void set_scales(const PlotPanel *panel, Scale *x, Scale *y)
{
    Range across = {INFINITY, -INFINITY}, up = across;
    for (int s = 0; s < panel->series_count; s++)
        for (int i = 0; i < panel->series[s].count; i++)
            if (drawn(&panel->series[s], i)) {
                widen(&across, panel->series[s].x[i]);
                widen(&up, panel->series[s].y[i]);
            }
    for (int i = 0; i < panel->reference_count; i++)
        widen(&up, panel->references[i].y);
    set_scale(x, &panel->x, across);
    set_scale(y, &panel->y, up);
}

static void draw_line(cairo_t *sheet, double x0, double y0, double x1, double y1,
                      double width, unsigned color)
{
    sheet_color(sheet, color);
    cairo_set_line_width(sheet, width);
    cairo_move_to(sheet, x0, y0);
    cairo_line_to(sheet, x1, y1);
    cairo_stroke(sheet);
}

static void draw_axes(cairo_t *sheet, const PlotPanel *panel, const Scale *x,
                      const Scale *y)
{
    Tick ticks[MOST_TICKS];
    double bottom = y->start, top = y->end;
    sheet_font(sheet, 14, false);
    int count = scale_ticks(y, (int)(panel_height(panel) / 44), false, ticks);
    for (int i = 0; i < count; i++) {
        double at = scale_place(y, ticks[i].value);
        draw_line(sheet, LEFT, at, RIGHT, at, 1, SHEET_GRID);
        sheet_color(sheet, SHEET_FAINT);
        sheet_text(sheet, LEFT - 9, at + 5, 1, LEFT, ticks[i].text);
    }
    count = scale_ticks(x, 8, panel->x.scale == PLOT_WHOLE, ticks);
    for (int i = 0; i < count; i++) {
        double at = scale_place(x, ticks[i].value);
        draw_line(sheet, at, bottom, at, bottom + 5, 1, SHEET_FAINT);
        sheet_text(sheet, at, bottom + 21, 0.5, RIGHT - LEFT, ticks[i].text);
    }
    draw_line(sheet, LEFT, bottom, RIGHT, bottom, 1, SHEET_FAINT);
    sheet_font(sheet, 15, false);
    sheet_color(sheet, SHEET_INK);
    if (panel->x.name)
        sheet_text(sheet, (LEFT + RIGHT) / 2.0, bottom + FOOT + 12, 0.5, RIGHT - LEFT,
                   panel->x.name);
    if (panel->y.name)
        sheet_text(sheet, LEFT, top - 10, 0, RIGHT - LEFT, panel->y.name);
}

/* ---- Series ---- */

static void draw_label(cairo_t *sheet, const char *text, double x, double y)
{
    double width = sheet_text_width(sheet, text);
    bool before = x + 9 + width > RIGHT;
    sheet_text(sheet, before ? x - 9 : x + 9, y + 17, before, RIGHT - LEFT, text);
}

static void draw_series(cairo_t *sheet, const PlotSeries *series, const Scale *x,
                        const Scale *y)
{
    sheet_series(sheet, series->color);
    cairo_set_line_width(sheet, 2);
    for (int i = 0; i < series->count; i++)
        if (drawn(series, i))
            cairo_line_to(sheet, scale_place(x, bounded(series->x[i])),
                          scale_place(y, bounded(series->y[i])));
    cairo_stroke(sheet);
    sheet_solid(sheet);
    for (int i = 0; i < series->count; i++) {
        if (!drawn(series, i))
            continue;
        double across = scale_place(x, bounded(series->x[i]));
        double up = scale_place(y, bounded(series->y[i]));
        if (series->count <= MARKED) {
            cairo_arc(sheet, across, up, 3.5, 0, 2 * acos(-1));
            cairo_fill(sheet);
        }
        if (series->labels)
            draw_label(sheet, series->labels[i], across, up);
    }
}

static void draw_panel(cairo_t *sheet, const PlotPanel *panel, double top)
{
    Scale x = {.start = LEFT, .end = RIGHT};
    Scale y = {.start = top + HEAD + panel_height(panel), .end = top + HEAD};
    set_scales(panel, &x, &y);
    draw_axes(sheet, panel, &x, &y);
    sheet_font(sheet, 13, false);
    for (int i = 0; i < panel->reference_count; i++) {
        double at = scale_place(&y, bounded(panel->references[i].y));
        cairo_set_dash(sheet, (const double[]){6, 5}, 2, 0);
        draw_line(sheet, LEFT, at, RIGHT, at, 1.5, SHEET_INK);
        sheet_solid(sheet);
        sheet_text(sheet, LEFT + 6, at - 6, 0, RIGHT - LEFT, panel->references[i].name);
    }
    for (int i = 0; i < panel->series_count; i++)
        draw_series(sheet, &panel->series[i], &x, &y);
}

/* ---- The picture ---- */

/* Names that panels share stand there once. */
static void add_to_legend(Legend *legend, const PlotPanel *panel)
{
    for (int i = 0; i < panel->series_count; i++)
        if (panel->series[i].name)
            legend_add(legend, panel->series[i].name, panel->series[i].color);
}

bool plot_write(const char *path, const char *title, const PlotPanel *panels, int count)
{
    Legend legend = {0};
    double space = 0;
    for (int i = 0; i < count; i++) {
        add_to_legend(&legend, &panels[i]);
        space += panel_space(&panels[i]);
    }
    double head = legend_height(&legend);
    cairo_t *sheet = sheet_begin(SHEET_WIDTH, head + space + 12);
    legend_draw(&legend, sheet, title);
    legend_free(&legend);
    for (int i = 0; i < count; i++) {
        draw_panel(sheet, &panels[i], head);
        head += panel_space(&panels[i]);
    }
    return sheet_end(sheet, path);
}
