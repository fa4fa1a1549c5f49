/* Compressed archives, written out once. */
#ifndef LATHE_UNPACKED_H
#define LATHE_UNPACKED_H

#include <stdbool.h>

/* Where the file at *fd, which errors call `path`, is compressed (gzip, bzip2, xz, zstd,
 * whatever its name): what is in it goes, piece by piece, into a file without a name in
 * $TMPDIR, or /var/tmp, which ends with its last descriptor or map; *fd is closed, and
 * becomes that file. Any other file stays as it is. False and rt_fail when it is broken
 * or there is no room; *fd is still to be closed. */
bool unpack_archive(const char *path, int *fd, bool *unpacked);

#endif
