/* A white sheet to draw on with cairo, and its text. */
#ifndef LATHE_SHEET_H
#define LATHE_SHEET_H

#include <cairo/cairo.h>
#include <stdbool.h>

/* Colours, 0xrrggbb. */
enum {
    SHEET_PAPER = 0xffffff,
    SHEET_INK = 0x1f2937,
    SHEET_FAINT = 0x6b7280,
    SHEET_GRID = 0xe5e7eb
};

/* Measures are in points; the picture has two pixels for each, for sharp text on any
 * screen. At most SHEET_MOST wide and high. */
enum { SHEET_WIDTH = 640, SHEET_MOST = 16000 };
cairo_t *sheet_begin(double width, double height);
/* Write it as a PNG, whole or not at all, and free it. */
bool sheet_end(cairo_t *sheet, const char *path);

void sheet_color(cairo_t *sheet, unsigned color);
/* Colour and dashes of the series 0, 1, ...; the colours are told apart by the
 * colour-blind, too. sheet_solid ends the dashes. */
void sheet_series(cairo_t *sheet, int series);
void sheet_solid(cairo_t *sheet);
void sheet_font(cairo_t *sheet, double size, bool bold);
double sheet_text_width(cairo_t *sheet, const char *text);
/* `anchor` says where x is in the text: 0 at its beginning, 0.5 in its middle, 1 at its
 * end. y is the base line. Text that is wider than `most` loses its beginning. What the
 * font or UTF-8 does not know is drawn as "?". */
void sheet_text(cairo_t *sheet, double x, double y, double anchor, double most,
                const char *text);

#endif
