/* tcc_relocate takes the memory as a second argument in Debian's libtcc, and not in newer
 * ones; the header's own declaration decides. */
#ifndef LATHE_RELOCATE_H
#define LATHE_RELOCATE_H

#include <libtcc.h>

typedef int RelocateInto(TCCState *state, void *memory);
typedef int Relocate(TCCState *state);

static inline int relocate_into(RelocateInto *function, TCCState *state)
{
    return function(state, (void *)1); /* TCC_RELOCATE_AUTO: memory of its own */
}

static inline int relocate_alone(Relocate *function, TCCState *state)
{
    return function(state);
}

#define RELOCATE(function, state)                                                        \
    _Generic(&(function), RelocateInto *                                                 \
             : relocate_into, Relocate *                                                 \
             : relocate_alone)(function, state)

#endif
