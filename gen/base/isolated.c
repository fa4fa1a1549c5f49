/* Work in a process of its own: see isolated.h. It writes into a file in memory, which
 * the parent reads when the process has ended. */
#include "gen/base/isolated.h"

#include "runtime/base/support.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DONE, FAILED }; /* exit statuses; FAILED: its error is what it wrote */

static void set_limit(int resource, rlim_t most)
{
    setrlimit(resource, &(struct rlimit){most, most});
}

static _Noreturn void work_alone(int file, int seconds, IsolatedWork *work,
                                 const void *context)
{
    set_limit(RLIMIT_CORE, 0);
    set_limit(RLIMIT_CPU, (rlim_t)seconds);
    FILE *out = fdopen(file, "wb");
    bool ok = out && work(context, out);
    if (out && !ok) {
        rewind(out);
        fputs(rt_error(), out);
        fflush(out);
        if (ftruncate(file, ftello(out)) != 0)
            _exit(FAILED);
    }
    _exit(out && fclose(out) == 0 && ok ? DONE : FAILED);
}

/* -1: it did not end by itself, or its output could not be read. */
static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *read_whole(int file, size_t *bytes)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return NULL;
    char *data = rt_alloc((size_t)status.st_size + 1);
    for (*bytes = 0; *bytes < (size_t)status.st_size;) {
        ssize_t got =
            pread(file, data + *bytes, (size_t)status.st_size - *bytes, (off_t)*bytes);
        if (got <= 0)
            break;
        *bytes += (size_t)got;
    }
    return data;
}

char *isolated_output(const char *what, int seconds, IsolatedWork *work,
                      const void *context, size_t *bytes)
{
    int file = memfd_create("isolated", MFD_CLOEXEC);
    fflush(NULL); /* or the child prints it once more */
    pid_t child = file >= 0 ? fork() : -1;
    if (child == 0)
        work_alone(file, seconds, work, context);
    int status = child > 0 ? wait_for(child) : -1;
    char *data = status == DONE || status == FAILED ? read_whole(file, bytes) : NULL;
    if (file >= 0)
        close(file);
    if (status == DONE && data)
        return data;
    if (child < 0)
        rt_fail("%s: no process for it: %s", what, strerror(errno));
    else if (data && *data)
        rt_fail("%s", data);
    else
        rt_fail("%s broke down on it", what);
    free(data);
    return NULL;
}
