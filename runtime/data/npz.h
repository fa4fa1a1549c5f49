/* A member of an .npz file. */
#ifndef LATHE_NPZ_H
#define LATHE_NPZ_H

#include <stddef.h>

/* The bytes of the member NAME.npy, free() them; NULL, without an error, when there is
 * none, and NULL and rt_fail when the file cannot be read. */
char *npz_member(const char *path, const char *name, size_t *bytes);

#endif
