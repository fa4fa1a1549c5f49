/* The arrays of a weight file by the names they are looked up under. */
#ifndef LATHE_FILE_NAMES_H
#define LATHE_FILE_NAMES_H

#include "runtime/checkpoint/checkpoint.h"

typedef struct {
    const char *name; /* renamed, without the prefix */
    char *renamed;    /* the whole name after the user's renames */
    const Array *array;
    const Param *param; /* what takes it, NULL while nothing does */
    bool used;          /* by param, or as what goes with it, such as momentum */
} FileName;

typedef struct {
    const char *path;
    FileName *items; /* sorted by name */
    int count;
} FileNames;

/* Take the arrays' names and rename them: each of "FROM=TO" replaces what the Lua pattern
 * FROM matches. False and rt_fail: a rename that is none or matches nothing, or two
 * arrays of one name. file_names_free() it in any case. */
bool file_names_open(FileNames *file, const char *path, const Array *arrays, int count,
                     const char *const *renames, int rename_count);
void file_names_free(FileNames *file);

/* Drop the first parts, up to a '.', that all names have in common: as many as make
 * `matches` greatest, none where that is as good. */
void file_names_strip(FileNames *file, int (*matches)(const FileNames *, const void *),
                      const void *context);

/* The array named prefix + the first `length` bytes of `name`, or NULL. */
FileName *file_names_find(const FileNames *file, const char *prefix, const char *name,
                          size_t length);

/* Whether PyTorch keeps it for itself, such as the number of batches seen: no weight. */
bool file_name_is_counter(const char *name);

#endif
