/* C compiled in memory by libtcc, against what this process exports. */
#ifndef LATHE_MEMORY_CODE_H
#define LATHE_MEMORY_CODE_H

typedef struct MemoryCode MemoryCode;

/* Compile `count` texts, called `names` in messages; they include headers of the runtime.
 * NULL and rt_fail with the first message; an error inside a layer's code names the
 * config's line and the layer. */
MemoryCode *memory_code_compile(const char *const *names, const char *const *texts,
                                int count);

/* What a symbol of the texts stands for; NULL when there is none. */
void *memory_code_symbol(MemoryCode *code, const char *name);
void memory_code_free(MemoryCode *code); /* NULL is fine */

#endif
