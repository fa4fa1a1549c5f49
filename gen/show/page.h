/* `lathe show CONFIG --html FILE`: everything on one page. */
#ifndef LATHE_PAGE_H
#define LATHE_PAGE_H

#include "gen/show/inspect.h"

/* Write the page, whole or not at all: no file beside it, the same bytes for the same
 * config. False and rt_fail when the file cannot be written. */
bool page_write(const Inspection *it, const char *path);

#endif
