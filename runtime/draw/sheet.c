/* The sheet: see sheet.h. Fonts are looked up with the first text that is drawn, so that
 * a program which draws nothing pays nothing. Where there is no font at all cairo draws
 * letters of its own. */
#include "runtime/draw/sheet.h"

#include "runtime/base/support.h"
#include "runtime/draw/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the user's settings say about fonts is overruled: same input, same bytes. */
static void fix_text(cairo_t *sheet)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(sheet, options);
    cairo_font_options_destroy(options);
}

cairo_t *sheet_begin(double width, double height)
{
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)ceil(2 * width), (int)ceil(2 * height));
    cairo_t *sheet = cairo_create(surface);
    cairo_surface_destroy(surface);
    sheet_color(sheet, SHEET_PAPER);
    cairo_paint(sheet);
    cairo_scale(sheet, 2, 2);
    cairo_set_line_join(sheet, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(sheet, CAIRO_LINE_CAP_ROUND);
    fix_text(sheet);
    return sheet;
}

/* cairo's pixels are words, 0xrrggbb. */
static bool write_surface(cairo_surface_t *surface, const char *path)
{
    Picture picture = {cairo_image_surface_get_width(surface),
                       cairo_image_surface_get_height(surface), NULL};
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const unsigned char *words = cairo_image_surface_get_data(surface);
    picture.pixels = rt_alloc((size_t)picture.width * (size_t)picture.height * 3);
    uint8_t *to = picture.pixels;
    for (int y = 0; y < picture.height; y++)
        for (int x = 0; x < picture.width; x++) {
            uint32_t word;
            memcpy(&word, words + (size_t)y * stride + (size_t)x * 4, 4);
            for (int shift = 16; shift >= 0; shift -= 8)
                *to++ = (uint8_t)(word >> shift);
        }
    bool ok = picture_write_drawing(path, &picture);
    picture_free(&picture);
    return ok;
}

bool sheet_end(cairo_t *sheet, const char *path)
{
    cairo_surface_t *surface = cairo_get_target(sheet);
    cairo_surface_flush(surface);
    cairo_status_t status = cairo_status(sheet);
    bool ok = status == CAIRO_STATUS_SUCCESS
                  ? write_surface(surface, path)
                  : rt_fail("%s: cairo: %s", path, cairo_status_to_string(status));
    cairo_destroy(sheet);
    return ok;
}

void sheet_color(cairo_t *sheet, unsigned color)
{
    cairo_set_source_rgb(sheet, (color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0,
                         (color & 255) / 255.0);
}

void sheet_series(cairo_t *sheet, int series)
{
    static const unsigned colors[] = {0x2563eb, 0xea580c, 0x059669, 0xc026d3,
                                      0x0891b2, 0xca8a04, 0x7c3aed, 0x64748b};
    enum { COLORS = sizeof colors / sizeof *colors };
    sheet_color(sheet, colors[series % COLORS]);
    if (series / COLORS % 2)
        cairo_set_dash(sheet, (const double[]){7, 5}, 2, 0);
}

void sheet_solid(cairo_t *sheet)
{
    cairo_set_dash(sheet, NULL, 0, 0);
}

/* ---- Text ---- */

void sheet_font(cairo_t *sheet, double size, bool bold)
{
    cairo_select_font_face(sheet, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(sheet, size);
}

/* Whether the font has a letter for each of these bytes, which must be UTF-8. */
static bool can_draw(cairo_t *sheet, const char *text)
{
    cairo_glyph_t *glyphs = NULL;
    int count = 0;
    bool ok = cairo_scaled_font_text_to_glyphs(cairo_get_scaled_font(sheet), 0, 0, text,
                                               -1, &glyphs, &count, NULL, NULL,
                                               NULL) == CAIRO_STATUS_SUCCESS;
    for (int i = 0; i < count; i++)
        ok = ok && glyphs[i].index != 0;
    cairo_glyph_free(glyphs);
    return ok;
}

/* The text as it can be drawn, free() it. An error of cairo's would end the picture. */
static char *drawable(cairo_t *sheet, const char *text)
{
    char *copy = rt_format("%s", text);
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    if (!can_draw(sheet, copy))
        for (char *at = copy; *at; at++)
            if ((unsigned char)*at >= 127)
                *at = '?';
    return copy;
}

static double width_of(cairo_t *sheet, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(sheet, text, &extents);
    return extents.x_advance;
}

double sheet_text_width(cairo_t *sheet, const char *text)
{
    char *copy = drawable(sheet, text);
    double width = width_of(sheet, copy);
    free(copy);
    return width;
}

/* The next character begins there. */
static const char *whole(const char *text)
{
    while ((*text & 0xc0) == 0x80)
        text++;
    return text;
}

static bool fits(cairo_t *sheet, const char *text, double most)
{
    char *shorter = rt_format("...%s", text);
    bool does = width_of(sheet, shorter) <= most;
    free(shorter);
    return does;
}

/* The text, or "..." and as much of its end as fits; free() it. */
static char *shorten(cairo_t *sheet, const char *text, double most)
{
    if (width_of(sheet, text) <= most)
        return rt_format("%s", text);
    size_t too_wide = 0, narrow = strlen(text); /* from here on, by halves */
    while (narrow - too_wide > 1) {
        size_t middle = too_wide + (narrow - too_wide) / 2;
        if (fits(sheet, whole(text + middle), most))
            narrow = middle;
        else
            too_wide = middle;
    }
    return rt_format("...%s", whole(text + narrow));
}

void sheet_text(cairo_t *sheet, double x, double y, double anchor, double most,
                const char *text)
{
    char *copy = drawable(sheet, text), *shown = shorten(sheet, copy, most);
    cairo_move_to(sheet, x - anchor * width_of(sheet, shown), y);
    cairo_show_text(sheet, shown);
    cairo_new_path(sheet); /* it leaves a point that the next line would begin at */
    free(shown);
    free(copy);
}
