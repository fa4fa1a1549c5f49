/* Drawing: see canvas.h. The font is in the source as it looks. */
#include "runtime/draw/canvas.h"
#include "runtime/base/support.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows 0 to 6 stand on the base line, two more hang below it. */
enum { GLYPH_WIDTH = 5, GLYPH_HEIGHT = 9, SCALE = 2 };
/* clang-format off */
static const char *const glyph_names[] = {
    "abcdefghijklm", "nopqrstuvwxyz", "0123456789.-_"};
static const char *const glyphs[][GLYPH_HEIGHT] = {
    {"..... #.... ..... ....# ..... ..##. ..... #.... ..#.. ...#. #.... .##.. .....",
     "..... #.... ..... ....# ..... .#... ..... #.... ..... ..... #.... ..#.. .....",
     ".###. #.##. .###. .##.# .###. ####. .#### #.##. .##.. ..##. #..#. ..#.. ####.",
     "....# ##..# #...# #..## #...# .#... #...# ##..# ..#.. ...#. #.#.. ..#.. #.#.#",
     ".#### #...# #.... #...# ##### .#... #...# #...# ..#.. ...#. ##... ..#.. #.#.#",
     "#...# #...# #...# #...# #.... .#... #...# #...# ..#.. ...#. #.#.. ..#.. #.#.#",
     ".#### ####. .###. .#### .###. .#... .#### #...# .###. ...#. #..#. .###. #.#.#",
     "..... ..... ..... ..... ..... ..... ....# ..... ..... #..#. ..... ..... .....",
     "..... ..... ..... ..... ..... ..... .###. ..... ..... .##.. ..... ..... ....."},
    {"..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....",
     "..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....",
     "####. .###. ####. .#### #.##. .#### ####. #...# #...# #...# #...# #...# #####",
     "#...# #...# #...# #...# ##..# #.... .#... #...# #...# #.#.# .#.#. #...# ...#.",
     "#...# #...# #...# #...# #.... .###. .#... #...# #...# #.#.# ..#.. #...# ..#..",
     "#...# #...# #...# #...# #.... ....# .#... #...# .#.#. #.#.# .#.#. #...# .#...",
     "#...# .###. ####. .#### #.... ####. ..##. .#### ..#.. .#.#. #...# .#### #####",
     "..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... ....# .....",
     "..... ..... #.... ....# ..... ..... ..... ..... ..... ..... ..... .###. ....."},
    {".###. ..#.. .###. .###. ...#. ##### ..##. ##### .###. .###. ..... ..... .....",
     "#...# .##.. #...# #...# ..##. #.... .#... ....# #...# #...# ..... ..... .....",
     "#...# ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...# ..... ..... .....",
     "#...# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .#### ..... ####. .....",
     "#...# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....# ..... ..... .....",
     "#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. .##.. ..... .....",
     ".###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. .##.. ..... #####",
     "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
     "..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ....."},
};
/* clang-format on */
enum { GLYPH_ROWS = sizeof glyph_names / sizeof glyph_names[0] };

static void blend(Picture *picture, int x, int y, Color color, double share)
{
    if (x < 0 || y < 0 || x >= picture->width || y >= picture->height)
        return;
    uint8_t *pixel =
        picture->pixels + 3 * ((size_t)y * (size_t)picture->width + (size_t)x);
    for (int c = 0; c < 3; c++) {
        double wanted = color >> (16 - 8 * c) & 255;
        pixel[c] = (uint8_t)lround(pixel[c] + share * (wanted - pixel[c]));
    }
}

void canvas_rectangle(Picture *picture, int left, int top, int width, int height,
                      Color color)
{
    for (int y = top; y < top + height; y++)
        for (int x = left; x < left + width; x++)
            blend(picture, x, y, color, 1);
}

/* ---- Lines ---- */

static double distance(Point p, Point from, Point to)
{
    double along_x = to.x - from.x, along_y = to.y - from.y;
    double length = along_x * along_x + along_y * along_y, t = 0;
    if (length > 0)
        t = ((p.x - from.x) * along_x + (p.y - from.y) * along_y) / length;
    t = fmin(fmax(t, 0), 1);
    return hypot(p.x - from.x - t * along_x, p.y - from.y - t * along_y);
}

/* The pixels that something may touch, and how far it covers each. */
typedef struct {
    int left, top, right, bottom; /* right and bottom are within */
    float *covered;
} Cover;

static size_t cover_width(const Cover *cover)
{
    return (size_t)(cover->right - cover->left + 1);
}

static Cover cover_points(const Picture *picture, const Point *points, int count,
                          double width)
{
    Cover cover = {picture->width - 1, picture->height - 1, 0, 0, NULL};
    for (int i = 0; i < count; i++) {
        cover.left = (int)fmax(fmin(cover.left, points[i].x - width), 0);
        cover.top = (int)fmax(fmin(cover.top, points[i].y - width), 0);
        cover.right =
            (int)fmin(fmax(cover.right, points[i].x + width), picture->width - 1);
        cover.bottom =
            (int)fmin(fmax(cover.bottom, points[i].y + width), picture->height - 1);
    }
    return cover;
}

/* A segment covers a pixel as far as it did before, or farther. */
static void add_segment(const Picture *picture, Cover *cover, Point from, Point to,
                        double width)
{
    Cover part = cover_points(picture, (Point[]){from, to}, 2, width);
    for (int y = part.top; y <= part.bottom; y++)
        for (int x = part.left; x <= part.right; x++) {
            double inside = (width + 1) / 2 - distance((Point){x, y}, from, to);
            float *now = &cover->covered[(size_t)(y - cover->top) * cover_width(cover) +
                                         (size_t)(x - cover->left)];
            *now = fmaxf(*now, (float)fmin(inside, 1));
        }
}

/* All segments first, then one blend: corners do not get darker. */
void canvas_line(Picture *picture, const Point *points, int count, double width,
                 Color color)
{
    Cover cover = cover_points(picture, points, count, width);
    if (cover.left > cover.right || cover.top > cover.bottom)
        return;
    size_t pixels = cover_width(&cover) * (size_t)(cover.bottom - cover.top + 1);
    cover.covered = rt_alloc(pixels * sizeof *cover.covered);
    for (int i = 0; i < count; i++)
        add_segment(picture, &cover, points[i > 0 ? i - 1 : 0], points[i], width);
    const float *covered = cover.covered;
    for (int y = cover.top; y <= cover.bottom; y++)
        for (int x = cover.left; x <= cover.right; x++)
            blend(picture, x, y, color, *covered++);
    free(cover.covered);
}

/* ---- Text ---- */

static void draw_glyph(Picture *picture, int left, int top, char c, Color color)
{
    for (int group = 0; group < GLYPH_ROWS; group++) {
        const char *found = c ? strchr(glyph_names[group], c) : NULL;
        if (found == NULL)
            continue;
        size_t column = (size_t)(found - glyph_names[group]) * (GLYPH_WIDTH + 1);
        for (int y = 0; y < GLYPH_HEIGHT; y++)
            for (int x = 0; x < GLYPH_WIDTH; x++)
                if (glyphs[group][y][column + (size_t)x] == '#')
                    canvas_rectangle(picture, left + SCALE * x, top + SCALE * y, SCALE,
                                     SCALE, color);
    }
}

int canvas_text_width(const char *text)
{
    return (int)strlen(text) * TEXT_ADVANCE - SCALE;
}

void canvas_text(Picture *picture, int left, int top, const char *text, Color color)
{
    for (; *text; text++, left += TEXT_ADVANCE)
        draw_glyph(picture, left, top, (char)tolower((unsigned char)*text), color);
}
