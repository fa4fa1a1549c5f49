/* Where lathe's own files are, and how paths are shown. */
#ifndef LATHE_PATHS_H
#define LATHE_PATHS_H

/* The folder that holds gen, templates, runtime: the nearest above the binary. */
const char *lathe_root(void);

/* `path` without the root's in front when it lies below the root, so that messages and
 * generated files do not depend on where lathe is installed. Valid until the next
 * call. */
const char *short_path(const char *path);

/* The relative path from folder `from` to `to` (both existing); free() it. */
char *relative_path(const char *from, const char *to);

#endif
