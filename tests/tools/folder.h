/* A temporary folder for one test: checked fixtures, and files in it. */
#ifndef LATHE_TEST_FOLDER_H
#define LATHE_TEST_FOLDER_H

#include <stddef.h>

void folder_make(void);   /* fixtures; folder_make clears the error too */
void folder_remove(void); /* fails if a temporary file of the code under test is left */

/* The path of a name in the folder; good for the next 63 calls. */
const char *in_folder(const char *name);
void write_bytes(const char *path, const void *data, size_t bytes);
void write_text(const char *path, const char *text);

/* Two files hold the same. */
void check_same_bytes(const char *a, const char *b);

/* Check that the error is `format`, with the %s in it standing for a path. */
void check_error(const char *format, const char *path);

#endif
