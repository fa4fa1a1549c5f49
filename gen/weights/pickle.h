/* A restricted reader of Python pickles (protocols 2 to 5): builds a tree of plain values
 * and never executes anything. What a pickle may name is the caller's list; a permitted
 * call becomes a VALUE_CALL for the caller to interpret. */
#ifndef LATHE_PICKLE_H
#define LATHE_PICKLE_H

#include "gen/weights/value.h"

/* May a pickle name this global, and, if `call`, call it? */
typedef bool PickleAllows(const char *global, bool call);

typedef struct {
    const Value *value; /* what the pickle describes */
    Value *persistent;  /* list of every VALUE_PERSISTENT in it */
    size_t bytes;       /* its length: the next one starts there */
    ValueMemory memory;
} Pickle;

/* false and rt_fail on anything that is damaged, unknown or not allowed. pickle_free() it
 * in any case. */
bool pickle_read(Pickle *pickle, const char *path, const uint8_t *data, size_t bytes,
                 PickleAllows *allows);
void pickle_free(Pickle *pickle);

#endif
