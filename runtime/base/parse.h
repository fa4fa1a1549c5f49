/* Numbers in text, strictly: all of the text is the number, within the bounds. These do
 * not call rt_fail: the caller knows what the text was for. */
#ifndef LATHE_PARSE_H
#define LATHE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

bool parse_long(const char *text, long least, long most, long *value);
bool parse_u64(const char *text, uint64_t *value);
bool parse_double(const char *text, double *value); /* finite */

#endif
