/* The terminal that standard output goes to. */
#ifndef LATHE_SCREEN_H
#define LATHE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

bool screen_is_terminal(void);
/* Its size in characters; 80 x 24 where nobody says. */
void screen_size(int *columns, int *rows);
/* Whether colours are welcome: a terminal, no NO_COLOR, and TERM is no "dumb". */
bool screen_has_colours(void);
/* Show the text in $PAGER, or in less; false when there is neither, or it fails. */
bool screen_page(const char *text, size_t bytes);

#endif
