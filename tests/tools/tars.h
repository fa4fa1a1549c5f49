/* Tar archives for tests. */
#ifndef LATHE_TESTS_TARS_H
#define LATHE_TESTS_TARS_H

#include <archive.h>
#include <stdbool.h>

/* A new one, by libarchive, through its filter of that name, or plain. */
struct archive *tar_begin(const char *path, const char *filter);
/* The bytes of a file under that name. */
void tar_put(struct archive *tar, const char *name, const char *file);
void tar_end(struct archive *tar);
/* A plain one of the files below a folder, named from there on. */
void tar_folder(const char *folder, const char *path);

#endif
