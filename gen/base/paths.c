/* Where lathe's own files are: see paths.h. */
#include "gen/base/paths.h"

#include "runtime/base/support.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether lathe's own files are in the folder. */
static bool has_parts(const char *folder)
{
    char *mark = rt_format("%s/gen/config/words.lua", folder);
    bool found = access(mark, R_OK) == 0;
    free(mark);
    return found;
}

/* The binary's own path; "" without /proc. */
static const char *binary(void)
{
    static char path[PATH_MAX];
    ssize_t length = path[0] ? 0 : readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        path[0] = 0;
    return path;
}

static char root[PATH_MAX];
static bool installed; /* not a checkout: nothing is built into it */

const char *lathe_root(void)
{
    if (root[0])
        return root;
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", binary());
    for (char *slash; !root[0] && (slash = strrchr(above, '/'));) {
        *slash = 0; /* out, out/tests, out/sanitize: the tests have binaries, too */
        if (has_parts(above))
            memcpy(root, above, sizeof root);
    }
    if (root[0])
        return root;
    char *copy = rt_format("%s", binary());
    char *beside = rt_format("%s/../lib/lathe", dirname(copy));
    installed = has_parts(beside) && realpath(beside, root);
    free(copy);
    free(beside);
    return root;
}

bool lathe_is_whole(void)
{
    if (lathe_root()[0] == 0)
        return rt_fail(
            "%s: its own files are missing: want gen, templates and runtime in "
            "a folder above it, as in a checkout, or in ../lib/lathe, as make "
            "install puts them",
            binary()[0] ? binary() : "lathe");
    return strchr(root, '\n') == NULL ||
           rt_fail("%s: make cannot work with a folder that has a line break in its name",
                   root);
}

/* ---- The cache ---- */

static char cache[PATH_MAX];

static bool keep_cache(const char *folder)
{
    char here[PATH_MAX] = "";
    bool whole = *folder == '/' || getcwd(here, sizeof here);
    int length =
        snprintf(cache, sizeof cache, "%s%s%s", here, here[0] ? "/" : "", folder);
    if (whole && length > 0 && length < PATH_MAX - NAME_MAX)
        return true;
    cache[0] = 0;
    return rt_fail("--cache %s: no path that can be used", folder);
}

bool cache_choose(const char *folder)
{
    return *folder ? keep_cache(folder) : rt_fail("--cache: want a folder behind it");
}

const char *cache_folder(void)
{
    if (cache[0])
        return cache;
    const char *kept = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *out = rt_format("%s/out", lathe_root()), *folder;
    if (!installed && access(out, W_OK) == 0)
        folder = rt_format("%s/cache", out);
    else if (kept && *kept == '/') /* a relative one is to be ignored */
        folder = rt_format("%s/lathe", kept);
    else if (home && *home == '/')
        folder = rt_format("%s/.cache/lathe", home);
    else
        folder = rt_format("out/cache");
    keep_cache(folder);
    free(folder);
    free(out);
    return cache;
}

/* ---- Paths as they are shown ---- */

const char *short_path(const char *path)
{
    static char resolved[PATH_MAX];
    if (realpath(path, resolved) == NULL) /* a file that is not there */
        snprintf(resolved, sizeof resolved, "%s", path);
    size_t length = strlen(lathe_root());
    if (strncmp(resolved, lathe_root(), length) == 0 && resolved[length] == '/')
        return resolved + length + 1;
    return path;
}

char *relative_path(const char *from, const char *to)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (realpath(from, a) == NULL || realpath(to, b) == NULL)
        return rt_format("%s", to);
    size_t common = 0; /* length of the shared folders, without a slash at the end */
    for (size_t i = 0;; i++) {
        bool end_a = a[i] == 0 || a[i] == '/', end_b = b[i] == 0 || b[i] == '/';
        if (end_a && end_b)
            common = i;
        if (a[i] != b[i] || a[i] == 0)
            break;
    }
    int levels = 0;
    for (const char *p = a + common; *p; p++)
        levels += *p == '/' && p[1];
    char up[PATH_MAX] = "";
    for (int i = 0; i < levels; i++)
        strcat(up, "../");
    const char *rest = b + common + (b[common] == '/');
    if (*rest == 0 && levels)
        up[strlen(up) - 1] = 0;
    return rt_format("%s%s%s", up, rest, *rest == 0 && levels == 0 ? "." : "");
}
