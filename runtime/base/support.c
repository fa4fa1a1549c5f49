/* Errors, files replaced whole, memory, hashes: see support.h. */
#include "runtime/base/support.h"

#include "runtime/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char message[2048];

bool rt_fail(const char *format, ...)
{
    if (message[0] == 0) {
        va_list args;
        va_start(args, format);
        char text[sizeof message];
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        rt_show(text, message, sizeof message);
    }
    return false;
}

bool rt_fail_lines(const char *lines)
{
    if (message[0] == 0)
        rt_show_lines(lines, message, sizeof message);
    return false;
}

const char *rt_error(void)
{
    return message;
}

void rt_error_clear(void)
{
    message[0] = 0;
}

static void *must(void *memory, size_t bytes)
{
    if (memory == NULL) {
        fprintf(stderr, "out of memory (%zu bytes)\n", bytes);
        exit(1);
    }
    return memory;
}

void *rt_alloc(size_t bytes)
{
    return must(calloc(1, bytes ? bytes : 1), bytes);
}

void *rt_alloc_aligned(size_t bytes)
{
    size_t whole = (bytes + 64) & ~(size_t)63; /* never 0, a multiple of the alignment */
    return memset(must(aligned_alloc(64, whole), bytes), 0, whole);
}

void *rt_grow(void *old, size_t bytes)
{
    return must(realloc(old, bytes ? bytes : 1), bytes);
}

char *rt_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    return must(length < 0 ? NULL : text, 0);
}

/* What would never end is refused before it is read: a device, a pipe without a
 * writer. */
static FILE *open_regular(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        rt_fail("%s: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        rt_fail("%s: %s", path,
                S_ISDIR(status.st_mode) ? strerror(EISDIR) : "not a regular file");
    } else if (status.st_size > RT_FILE_MOST) {
        rt_fail("%s: %lld bytes, want at most %lld", path, (long long)status.st_size,
                RT_FILE_MOST);
    } else {
        *size = (size_t)status.st_size;
        return fdopen(fd, "rb");
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

char *rt_read_file(const char *path, size_t *bytes)
{
    size_t size = 0, room;
    FILE *file = open_regular(path, &room);
    if (file == NULL)
        return NULL;
    room += 1 << 12; /* it may grow meanwhile, and those of /proc say 0 */
    char *data = rt_grow(NULL, room);
    size_t got;
    while ((got = fread(data + size, 1, room - size - 1, file)) > 0) {
        size += got;
        if (size > RT_FILE_MOST)
            break;
        if (room - size < 2)
            data = rt_grow(data, room *= 2);
    }
    if (ferror(file) || size > RT_FILE_MOST) {
        rt_fail("%s: %s", path, ferror(file) ? strerror(errno) : "grows without an end");
        free(data);
        data = NULL;
    } else {
        data[size] = 0;
        if (bytes)
            *bytes = size;
    }
    fclose(file);
    return data;
}

/* The temporary file, locked while it is written: one without a lock is a dead one's.
 * NULL with errno. */
static FILE *open_locked(const char *path)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        struct stat status = {0};
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
            return NULL;
        flock(fd, LOCK_EX | LOCK_NB); /* where that cannot be, it is still ours */
        if (fstat(fd, &status) == 0 && status.st_nlink > 0)
            return fdopen(fd, "wb");
        close(fd); /* somebody took it for a dead one's just before */
    }
    return NULL;
}

bool rt_replace_begin(Replacement *r, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return rt_fail("%s: not a regular file", path);
    char *real = realpath(path, NULL); /* what a link stands for, not the link */
    r->path = rt_format("%s", real ? real : path);
    free(real);
    path = r->path;
    r->temporary = rt_format("%s.tmp.%ld", path, (long)getpid());
    r->file = open_locked(r->temporary);
    if (r->file)
        return true;
    rt_fail("%s: %s", path, strerror(errno));
    free(r->path);
    free(r->temporary);
    return false;
}

/* "NAME.tmp.PID" */
static bool is_temporary(const char *name)
{
    const char *end = name;
    for (const char *at = name; (at = strstr(at, ".tmp.")) != NULL; at++)
        end = at + strlen(".tmp.");
    return end != name && *end && end[strspn(end, "0123456789")] == 0;
}

void rt_remove_litter(const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries)) != NULL;) {
        if (!is_temporary(entry->d_name))
            continue;
        struct stat status;
        int fd = openat(dirfd(entries), entry->d_name,
                        O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (entries)
        closedir(entries);
}

static void replace_end(Replacement *r)
{
    free(r->path);
    free(r->temporary);
    *r = (Replacement){0};
}

/* A rename is durable only once its directory is. */
void rt_sync_folder(const char *path)
{
    char *copy = rt_format("%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

bool rt_replace_commit(Replacement *r)
{
    bool ok = fflush(r->file) == 0 && !ferror(r->file) && fsync(fileno(r->file)) == 0;
    ok = ok && rename(r->temporary, r->path) == 0; /* before its lock goes */
    ok = (fclose(r->file) == 0) && ok;
    if (ok) {
        rt_sync_folder(r->path);
    } else {
        rt_fail("%s: %s", r->path, strerror(errno));
        unlink(r->temporary);
    }
    replace_end(r);
    return ok;
}

void rt_replace_abandon(Replacement *r)
{
    fclose(r->file);
    unlink(r->temporary);
    replace_end(r);
}

bool rt_write_if_changed(const char *path, const char *text, size_t bytes)
{
    struct stat status;
    if (stat(path, &status) == 0 && (size_t)status.st_size == bytes) {
        size_t old_bytes = 0;
        char *old = rt_read_file(path, &old_bytes);
        bool same = old && old_bytes == bytes && memcmp(old, text, bytes) == 0;
        free(old);
        if (same)
            return true;
    }
    Replacement r;
    if (!rt_replace_begin(&r, path))
        return false;
    fwrite(text, 1, bytes, r.file);
    return rt_replace_commit(&r);
}

bool rt_make_directories(const char *path)
{
    char *partial = rt_format("%s", path);
    for (char *p = partial + 1;; p++) {
        if (*p != '/' && *p != 0)
            continue;
        char end = *p;
        *p = 0;
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            rt_fail("%s: %s", partial, strerror(errno));
            free(partial);
            return false;
        }
        *p = end;
        if (end == 0)
            break;
    }
    free(partial);
    return true;
}

void rt_sha256(const void *data, size_t bytes, char hex[65])
{
    SHA256Data(data, bytes, hex);
}

enum { LONGEST_WORD = 64 };

static int edit_distance(const char *a, const char *b)
{
    int row[LONGEST_WORD + 1];
    int n = (int)strlen(b);
    if (n > LONGEST_WORD)
        return LONGEST_WORD;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            int skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < skip ? change : skip;
        }
    }
    return row[n];
}

const char *rt_nearest(const char *word, const char *const *candidates, int count)
{
    const char *best = NULL;
    int best_distance = (int)strlen(word) / 2 + 1; /* farther is not a misspelling */
    if (strlen(word) > LONGEST_WORD)
        return NULL;
    for (int i = 0; i < count; i++) {
        int distance = edit_distance(word, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

/* ---- The clock ---- */

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
