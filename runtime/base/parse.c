/* Strict numbers: see parse.h. The strto functions alone accept leading space, signs on
 * unsigned numbers, "nan" and "inf". */
#include "runtime/base/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool starts_number(const char *text)
{
    text += *text == '-';
    return *text >= '0' && *text <= '9';
}

bool parse_long(const char *text, long least, long most, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return starts_number(text) && *end == 0 && errno == 0 && *value >= least &&
           *value <= most;
}

bool parse_u64(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text != '-' && starts_number(text) && *end == 0 && errno == 0;
}

bool parse_double(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return starts_number(text) && *end == 0 && isfinite(*value);
}
