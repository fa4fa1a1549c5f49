/* Folders that one process works in. They are locked while it does, so that one whose
 * maker was killed can be told from one in use. */
#ifndef LATHE_PRIVATE_FOLDER_H
#define LATHE_PRIVATE_FOLDER_H

#include <stdbool.h>

typedef struct {
    char *path; /* NULL: none */
    int lock;
} PrivateFolder;

/* Make PREFIX.XXXXXX, and the folders above it; those of that prefix that were left
 * behind go. False and rt_fail; end it in any case. */
bool private_begin(PrivateFolder *folder, const char *prefix);
/* Remove it and all in it. */
void private_end(PrivateFolder *folder);

/* Remove the folders of that prefix whose makers are gone. */
void private_clean(const char *prefix);

/* rm -r; what cannot be removed stays. */
void remove_folder(const char *folder);

#endif
