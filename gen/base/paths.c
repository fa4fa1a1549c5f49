/* Where lathe's own files are: see paths.h. */
#include "gen/base/paths.h"

#include "runtime/base/support.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *lathe_root(void)
{
    static char root[PATH_MAX];
    if (root[0])
        return root;
    char binary[PATH_MAX], mark[PATH_MAX + 16];
    ssize_t length = readlink("/proc/self/exe", binary, sizeof binary - 1);
    binary[length > 0 ? length : 0] = 0;
    const char *folder = dirname(binary);
    do { /* out, out/tests, out/sanitize: the tests have binaries, too */
        folder = dirname((char *)folder);
        snprintf(root, sizeof root, "%s", folder);
        snprintf(mark, sizeof mark, "%s/gen/config/words.lua", folder);
    } while (access(mark, R_OK) != 0 && folder[1]);
    return root;
}

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
