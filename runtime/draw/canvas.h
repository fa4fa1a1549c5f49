/* Drawing into a Picture: filled rectangles, smooth lines, small text. */
#ifndef LATHE_CANVAS_H
#define LATHE_CANVAS_H

#include "runtime/draw/picture.h"

typedef uint32_t Color; /* 0xrrggbb */

typedef struct {
    double x, y; /* pixels; the top left one's centre is 0, 0 */
} Point;

void canvas_rectangle(Picture *picture, int left, int top, int width, int height,
                      Color color);

/* A line through the points, `width` pixels wide with round corners and ends; one point
 * alone is a dot. */
void canvas_line(Picture *picture, const Point *points, int count, double width,
                 Color color);

/* Text in capitals of 14 pixels; letters have one case, and what the font lacks is blank.
 */
enum { TEXT_ADVANCE = 12, TEXT_HEIGHT = 14 };
int canvas_text_width(const char *text);
void canvas_text(Picture *picture, int left, int top, const char *text, Color color);

#endif
