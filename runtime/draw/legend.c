/* The head of a picture: see legend.h. */
#include "runtime/draw/legend.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

enum { TITLE = 30, ROW = 24, SIDE = 20 };

void legend_add(Legend *legend, const char *name, int series)
{
    for (int i = 0; i < legend->count; i++)
        if (strcmp(legend->names[i], name) == 0 && legend->series[i] == series)
            return;
    size_t count = (size_t)legend->count + 1;
    legend->names = rt_grow(legend->names, count * sizeof *legend->names);
    legend->series = rt_grow(legend->series, count * sizeof *legend->series);
    legend->names[count - 1] = name;
    legend->series[count - 1] = series;
    legend->count++;
}

void legend_free(Legend *legend)
{
    free(legend->names);
    free(legend->series);
    *legend = (Legend){0};
}

/* As many beside each other as have room. */
static int columns_of(const Legend *legend)
{
    size_t longest = 0;
    for (int i = 0; i < legend->count; i++)
        if (strlen(legend->names[i]) > longest)
            longest = strlen(legend->names[i]);
    return longest <= 12 ? 4 : longest <= 28 ? 2 : 1;
}

double legend_height(const Legend *legend)
{
    int columns = columns_of(legend);
    return TITLE + 6 + ROW * ((legend->count + columns - 1) / columns);
}

void legend_draw(const Legend *legend, cairo_t *sheet, const char *title)
{
    double space = (SHEET_WIDTH - 2.0 * SIDE) / columns_of(legend);
    sheet_color(sheet, SHEET_INK);
    sheet_font(sheet, 17, true);
    sheet_text(sheet, SIDE, TITLE - 4, 0, SHEET_WIDTH - 2 * SIDE, title);
    sheet_font(sheet, 15, false);
    for (int i = 0; i < legend->count; i++) {
        double x = SIDE + space * (i % columns_of(legend));
        double y = TITLE + ROW * (i / columns_of(legend) + 0.5);
        sheet_series(sheet, legend->series[i]);
        cairo_set_line_width(sheet, 4);
        cairo_move_to(sheet, x + 2, y);
        cairo_line_to(sheet, x + 24, y);
        cairo_stroke(sheet);
        sheet_solid(sheet);
        sheet_color(sheet, SHEET_INK);
        sheet_text(sheet, x + 34, y + 5, 0, space - 44, legend->names[i]);
    }
}
