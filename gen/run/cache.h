/* Files kept by the hash of what they were made of. An entry is a folder that appears
 * whole or not at all, with the hash of its one file, which is compared each time it is
 * used: one that is damaged is made anew. */
#ifndef LATHE_CACHE_H
#define LATHE_CACHE_H

#include "gen/base/private_folder.h"

/* A private folder in the cache to make an entry in; private_end() it. */
bool cache_begin(PrivateFolder *work);
/* Remove those that makers who were killed left behind. */
void cache_clean(void);

/* The path of the entry's file, free() it, or NULL where there is none that is whole. */
char *cache_find(const char *hash, const char *file);
/* Keep work->path/`file` as the entry; its path, which may be that of another process
 * that was faster. NULL and rt_fail when it cannot be kept. */
char *cache_keep(const PrivateFolder *work, const char *hash, const char *file);

#endif
