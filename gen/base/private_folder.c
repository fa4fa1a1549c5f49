/* Private folders: see private_folder.h. */
#include "gen/base/private_folder.h"

#include "runtime/base/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    remove(path);
    return 0; /* the rest goes all the same */
}

void remove_folder(const char *folder)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A descriptor that holds the folder's lock; -1 where another has it. Where
 * folders cannot be locked (NFS), its maker goes on without, and nobody takes it
 * for left over. */
static int lock_folder(const char *folder, bool maker)
{
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (lock >= 0 && (flock(lock, LOCK_EX | LOCK_NB) == 0 ||
                      (maker && errno != EWOULDBLOCK && errno != EINTR)))
        return lock;
    if (lock >= 0)
        close(lock);
    return -1;
}

/* Whether it is the prefix's base name, a dot and mkdtemp's six letters. */
static bool is_ours(const char *name, const char *base)
{
    size_t length = strlen(base);
    return strncmp(name, base, length) == 0 && name[length] == '.' &&
           strlen(name + length + 1) == 6;
}

void private_clean(const char *prefix)
{
    char *above = rt_format("%s", prefix), *copy = rt_format("%s", prefix);
    const char *base = basename(copy), *folder = dirname(above);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries)) != NULL;) {
        if (!is_ours(entry->d_name, base))
            continue;
        char *path = rt_format("%s/%s", folder, entry->d_name);
        int lock = lock_folder(path, false);
        if (lock >= 0) {
            remove_folder(path);
            close(lock);
        }
        free(path);
    }
    if (entries)
        closedir(entries);
    free(above);
    free(copy);
}

/* Between making and locking it, somebody may have taken it for a dead one's. */
static bool is_there(const char *folder, int lock)
{
    struct stat named, held;
    return lock >= 0 && stat(folder, &named) == 0 && fstat(lock, &held) == 0 &&
           named.st_ino == held.st_ino;
}

bool private_begin(PrivateFolder *folder, const char *prefix)
{
    enum { TRIES = 10 };
    char *above = rt_format("%s", prefix);
    bool ok = rt_make_directories(dirname(above));
    free(above);
    *folder = (PrivateFolder){.lock = -1};
    private_clean(prefix);
    for (int i = 0; ok && i < TRIES; i++) {
        char *path = rt_format("%s.XXXXXX", prefix);
        ok = mkdtemp(path) || rt_fail("%s: %s", path, strerror(errno));
        int lock = ok ? lock_folder(path, true) : -1;
        if (is_there(path, lock)) {
            *folder = (PrivateFolder){path, lock};
            return true;
        }
        if (lock >= 0)
            close(lock);
        free(path);
    }
    return rt_fail("%s: no folder to work in could be made and locked", prefix);
}

void private_end(PrivateFolder *folder)
{
    if (folder->path) {
        remove_folder(folder->path);
        close(folder->lock);
    }
    free(folder->path);
    *folder = (PrivateFolder){.lock = -1};
}
