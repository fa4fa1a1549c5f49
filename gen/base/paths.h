/* Where lathe's own files are, and how paths are shown. */
#ifndef LATHE_PATHS_H
#define LATHE_PATHS_H

#include <stdbool.h>

/* The folder that holds gen, templates, runtime and configs: the nearest above the
 * binary, or lib/lathe beside the folder that an installed one is in. */
const char *lathe_root(void);

/* False and rt_fail when that folder is nowhere: to be asked first. */
bool lathe_is_whole(void);

/* Where what is built is kept, and scratch folders are made; an absolute path, which need
 * not be there yet. What --cache said; of a checkout that one may write to out/cache;
 * else $XDG_CACHE_HOME/lathe or ~/.cache/lathe; without a home out/cache here. */
const char *cache_folder(void);
/* What --cache says. False and rt_fail when it is too long for a path. */
bool cache_choose(const char *folder);

/* `path` without the root's in front when it lies below the root, so that messages and
 * generated files do not depend on where lathe is installed. Valid until the next
 * call. */
const char *short_path(const char *path);

/* The relative path from folder `from` to `to` (both existing); free() it. */
char *relative_path(const char *from, const char *to);

#endif
