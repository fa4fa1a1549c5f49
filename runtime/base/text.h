/* Text that comes from outside: paths, words of the command line, of configs and of
 * files. What a terminal or a reader could take for more than text does not pass. */
#ifndef LATHE_TEXT_H
#define LATHE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The text as it may be shown: UTF-8 without control characters, line breaks and marks
 * that turn the direction of writing; every byte of those, and every one that is no
 * UTF-8, as \xNN. Valid until eight more calls in this thread. */
const char *rt_shown(const char *text);

/* Whether rt_shown would leave it as it is. */
bool rt_is_shown(const char *text);

/* The same into `to`, cut at its end, between characters, when it has no room. */
void rt_show(const char *text, char *to, size_t room);

/* Text of several lines: line breaks and tabs stay. */
void rt_show_lines(const char *text, char *to, size_t room);
void rt_put_lines(const char *text, FILE *file);

#endif
