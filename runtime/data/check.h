/* Looking through pictures before days are spent on them. */
#ifndef LATHE_CHECK_H
#define LATHE_CHECK_H

#include <stdbool.h>

/* Read every picture of a folder, archive or list once, and print how many there are of
 * each class and size, which are broken, and which are the same bytes. False and rt_fail
 * when some are broken, or there are none to look at. */
bool data_check(const char *path);

#endif
