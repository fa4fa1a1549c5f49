/* Rows of bars: see bars.h. */
#include "runtime/draw/bars.h"

#include "runtime/draw/legend.h"

#include <math.h>
#include <stdio.h>

enum { SIDE = 20, FOOT = 16, ROW = 21, LEAST_NAMED = 9, MOST_NAME = 280 };

static double longest_name(cairo_t *sheet, const Bar *bars, int count)
{
    double longest = 0;
    for (int i = 0; i < count; i++)
        longest = fmax(longest, sheet_text_width(sheet, bars[i].name));
    return fmin(longest, MOST_NAME);
}

static void draw_bars(cairo_t *sheet, const Bar *bars, int count, double top, double row)
{
    sheet_font(sheet, fmin(14, row * 0.7), false);
    bool named = row >= LEAST_NAMED;
    double left = SIDE + (named ? longest_name(sheet, bars, count) + 10 : 0), most = 1;
    for (int i = 0; i < count; i++)
        most = fmax(most, bars[i].value);
    for (int i = 0; i < count; i++) {
        double y = top + i * row, width = SHEET_WIDTH - SIDE - 30 - left;
        char text[16];
        snprintf(text, sizeof text, "%d", bars[i].value);
        sheet_series(sheet, bars[i].kind);
        cairo_rectangle(sheet, left, y + row * 0.12, width * bars[i].value / most,
                        row * 0.76);
        cairo_fill(sheet);
        sheet_solid(sheet);
        sheet_color(sheet, SHEET_INK);
        if (named) {
            sheet_text(sheet, left - 8, y + row * 0.72, 1, MOST_NAME, bars[i].name);
            sheet_text(sheet, left + width * bars[i].value / most + 6, y + row * 0.72, 0,
                       SHEET_WIDTH, text);
        }
    }
}

bool bars_write(const char *path, const char *title, const char *const *kinds,
                int kind_count, const Bar *bars, int count)
{
    Legend legend = {0};
    for (int i = 0; i < kind_count; i++)
        legend_add(&legend, kinds[i], i);
    double head = legend_height(&legend) + 8;
    double row = fmin(ROW, (SHEET_MOST - head - FOOT) / (count > 0 ? count : 1));
    cairo_t *sheet = sheet_begin(SHEET_WIDTH, head + row * count + FOOT);
    legend_draw(&legend, sheet, title);
    legend_free(&legend);
    draw_bars(sheet, bars, count, head, row);
    return sheet_end(sheet, path);
}
