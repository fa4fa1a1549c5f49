/* A config's network inside this process: libtcc compiles the generated source in memory,
 * at once; where there is a C compiler, it makes a faster object of the same network in
 * the background. Integer evaluation is the same to the bit in both; floats differ by
 * rounding. */
#ifndef LATHE_JIT_H
#define LATHE_JIT_H

#include "gen/passes/compile.h"

typedef enum {
    JIT_TIERED, /* libtcc's code first; the compiler's once it is ready */
    JIT_TCC,    /* libtcc's only */
    JIT_CC      /* the compiler's only: waits for it */
} JitTier;

/* The tier `--jit=WORD` means: auto, tcc or cc. False and rt_fail for another word. */
bool jit_tier(const char *word, JitTier *tier);

typedef struct Jit Jit;

/* Compile the config's training and evaluation for `tier`; nothing of the config is kept.
 * NULL and rt_fail when it does not compile: with the config's line where the generated
 * code is to blame. */
Jit *jit_open(const Config *config, const CompileOptions *options, JitTier tier);
/* Whether it has libtcc's code: JIT_TIERED goes on without, and says so, where libtcc
 * cannot make any. */
bool jit_has_memory(const Jit *jit);
void jit_close(Jit *jit); /* what came from jit_model is gone then */

/* The network: one address for good, whichever code its functions are; and its recipe. */
const Model *jit_model(const Jit *jit);
const Recipe *jit_recipe(const Jit *jit);

/* Between two batches: go over to the compiler's code if it is ready (`wait`: when it
 * is). True when this call did. False while it is not ready, or when there is nothing to
 * go over to. Where the compiler failed: false, and a note on stderr or, with `wait`,
 * rt_fail. */
bool jit_move(Jit *jit, bool wait);

#endif
