/* A reader of Python pickles (protocols 2 to 5): builds a tree of plain values and never
 * executes anything. Objects and calls, whatever they name, become a VALUE_CALL, which
 * the caller may interpret or leave alone. */
#ifndef LATHE_PICKLE_H
#define LATHE_PICKLE_H

#include "gen/weights/value.h"

typedef struct {
    Value *value;      /* what the pickle describes */
    Value *persistent; /* list of every VALUE_PERSISTENT in it */
    size_t bytes;      /* its length: the next one starts there */
    ValueMemory memory;
} Pickle;

/* false and rt_fail on anything that is damaged or unknown. pickle_free() it in any case.
 */
bool pickle_read(Pickle *pickle, const char *path, const uint8_t *data, size_t bytes);
void pickle_free(Pickle *pickle);

#endif
