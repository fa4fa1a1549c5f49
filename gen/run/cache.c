/* Files kept by hash: see cache.h. An entry is cache_folder()/HASH.FILE/ with FILE and
 * FILE.sha256; a private folder is build.XXXXXX there. */
#include "gen/run/cache.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *entry_path(const char *hash, const char *file)
{
    return rt_format("%s/%.32s.%s", cache_folder(), hash, file);
}

/* ---- Private folders ---- */

bool cache_begin(PrivateFolder *work)
{
    char *prefix = rt_format("%s/build", cache_folder());
    bool ok = private_begin(work, prefix);
    free(prefix);
    return ok;
}

void cache_clean(void)
{
    char *prefix = rt_format("%s/build", cache_folder());
    private_clean(prefix);
    free(prefix);
}

/* ---- Entries ---- */

/* SHA-256 of a file, without a complaint where it cannot be read. */
static bool hash_file(const char *path, char hex[65])
{
    size_t bytes = 0;
    char *data = access(path, R_OK) == 0 ? rt_read_file(path, &bytes) : NULL;
    bool ok = data != NULL;
    if (ok)
        rt_sha256(data, bytes, hex);
    else
        rt_error_clear();
    free(data);
    return ok;
}

/* The entry's file, if it is what was kept. */
static char *intact(const char *entry, const char *file)
{
    char found[65] = "", *path = rt_format("%s/%s", entry, file);
    char *sum_path = rt_format("%s.sha256", path);
    size_t bytes = 0;
    char *sum = access(sum_path, R_OK) == 0 ? rt_read_file(sum_path, &bytes) : NULL;
    bool ok = hash_file(path, found) && sum && bytes == 65 && memcmp(sum, found, 64) == 0;
    if (sum == NULL)
        rt_error_clear();
    free(sum);
    free(sum_path);
    if (ok)
        return path;
    free(path);
    return NULL;
}

char *cache_find(const char *hash, const char *file)
{
    char *entry = entry_path(hash, file);
    char *path = intact(entry, file);
    free(entry);
    return path;
}

static bool sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok || rt_fail("%s: %s", path, strerror(errno));
}

/* Move the file into a folder of its own, with its hash. */
static bool seal(const char *made, const char *folder, const char *file)
{
    char hex[66], *to = rt_format("%s/%s", folder, file);
    char *sum = rt_format("%s.sha256", to);
    bool ok = (mkdir(folder, 0777) == 0 && rename(made, to) == 0) ||
              rt_fail("%s: %s", to, strerror(errno));
    ok = ok && sync_file(to) && (hash_file(to, hex) || rt_fail("%s: unreadable", to));
    hex[64] = '\n';
    ok = ok && rt_write_if_changed(sum, hex, 65) && sync_file(folder);
    free(to);
    free(sum);
    return ok;
}

/* Where an entry is there already, it is used if it is whole, else makes way. */
static char *place(const char *sealed, const char *entry, const char *file)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        char *path = rename(sealed, entry) == 0 ? rt_format("%s/%s", entry, file)
                                                : intact(entry, file);
        if (path)
            return path;
        remove_folder(entry);
    }
    rt_fail("%s: %s", entry, strerror(errno));
    return NULL;
}

char *cache_keep(const PrivateFolder *work, const char *hash, const char *file)
{
    char *entry = entry_path(hash, file);
    char *made = rt_format("%s/%s", work->path, file);
    char *sealed = rt_format("%s/entry", work->path);
    char *path = seal(made, sealed, file) ? place(sealed, entry, file) : NULL;
    if (path)
        sync_file(cache_folder());
    free(entry);
    free(made);
    free(sealed);
    return path;
}
