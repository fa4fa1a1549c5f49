/* Files kept by the hash of what they were made of. An entry is a folder that appears whole
 * or not at all, with the hash of its one file, which is compared each time it is used: one
 * that is damaged is made anew. */
#ifndef LATHE_CACHE_H
#define LATHE_CACHE_H

#include <stdbool.h>

/* A private folder in the cache to make an entry in. It is locked, so that one whose maker
 * was killed can be told, and is removed by whoever works here next. */
typedef struct {
    char *folder;
    int lock;
} CacheWork;
bool cache_begin(CacheWork *work);
void cache_end(CacheWork *work);

/* The path of the entry's file, free() it, or NULL where there is none that is whole. */
char *cache_find(const char *hash, const char *file);
/* Keep work->folder/`file` as the entry; its path, which may be that of another process
 * that was faster. NULL and rt_fail when it cannot be kept. */
char *cache_keep(const CacheWork *work, const char *hash, const char *file);

/* Remove private folders whose makers are gone. */
void cache_clean(void);

#endif
