/* What every part leans on: errors, files replaced whole, memory that must not
 * fail, a clock. */
#ifndef LATHE_SUPPORT_H
#define LATHE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Record why something failed and return false. The first message wins until
 * rt_error_clear; it names the file, line or field and what was expected. Whatever words
 * from outside are in it, it is one line, fit for a terminal (text.h). */
bool rt_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a text of several lines. */
bool rt_fail_lines(const char *lines);
const char *rt_error(void); /* "" when nothing failed */
void rt_error_clear(void);

/* malloc and friends that end the process with a message when memory is out. */
void *rt_alloc(size_t bytes);         /* zeroed */
void *rt_alloc_aligned(size_t bytes); /* zeroed, 64-byte aligned; free() it */
void *rt_grow(void *old, size_t bytes);
char *rt_format(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* free() */

/* A whole regular file into memory, with a 0 byte behind it; NULL and rt_fail on error,
 * one of more than RT_FILE_MOST bytes included. */
#define RT_FILE_MOST (16LL << 30)
char *rt_read_file(const char *path, size_t *bytes);

/* A file that appears whole or not at all: write to `file`, then commit (flush, fsync,
 * rename) or abandon. Refuses what is there and no ordinary file, such as a device. */
typedef struct {
    FILE *file;
    char *path, *temporary;
} Replacement;
bool rt_replace_begin(Replacement *r, const char *path);
bool rt_replace_commit(Replacement *r);
void rt_replace_abandon(Replacement *r);
/* To the disk, as far as it can be: the folder of `path`, with what was renamed there. */
void rt_sync_folder(const char *path);
/* Remove what replacements that were killed left in the folder, NAME.tmp.PID. */
void rt_remove_litter(const char *folder);

/* Write the file only if its content differs, whole or not at all. */
bool rt_write_if_changed(const char *path, const char *text, size_t bytes);

/* mkdir -p. */
bool rt_make_directories(const char *path);

/* SHA-256 as 64 hex digits. */
void rt_sha256(const void *data, size_t bytes, char hex[65]);

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

/* The candidate nearest to `word` by edit distance, or NULL when none is near. */
const char *rt_nearest(const char *word, const char *const *candidates, int count);

#endif
