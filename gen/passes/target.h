/* What code is generated for: the rows of target.def. */
#ifndef LATHE_TARGET_H
#define LATHE_TARGET_H

#include "gen/ir/ir.h"

#include <stdbool.h>

/* Standalone files that carry a target's kernels: of float networks, of quantised
 * ones; and whether nothing else does. */
typedef enum { SHIP_NONE, SHIP_FLOATS, SHIP_CODES, SHIP_BOTH, SHIP_ONLY } Ships;

typedef struct {
    const char *name, *basis; /* the basis's name, or NULL */
    int lanes;                /* floats per vector */
    int integer_lanes;        /* sums per vector of integer kernels */
    const char *dots;         /* their arithmetic: runtime/kernels/dots_DOTS.h */
    Form form, deep;          /* of its integer convolutions, of depthwise ones */
    int registers;            /* vector registers */
    bool calls;               /* what has a runtime function calls it */
    Ships ships;
    const char *macros; /* of a compiler with cflags, as #if has them; "" for every one */
    const char *cflags; /* for gcc and clang */
    bool (*machine)(void); /* whether this one has what the basis does not ask for */
} Target;

enum {
#define TARGET(name, ...) TARGET_##name,
#include "gen/passes/target.def"
#undef TARGET
    TARGET_COUNT
};
extern const Target target_table[TARGET_COUNT];

/* The target of that name, or (NULL) the best this machine runs; NULL and rt_fail for an
 * unknown name. */
const Target *target_find(const char *name);
/* "vnni, avx512 or plain": all their names. */
const char *target_names(void);
/* Whether this machine runs the target's code. */
bool target_runs(const Target *target);
/* The target whose kernels a standalone file of that kind, FLOATS or CODES, has for a
 * compiler with this target's flags. */
const Target *target_shipped(const Target *target, Ships kind);

#endif
