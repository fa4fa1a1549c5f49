/* fork, exec, wait: see process.h. A signal sets a flag and ends the running program;
 * whoever waits for it then cleans up in the ordinary way. */
#include "gen/base/process.h"

#include "runtime/base/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_RUN = 126, NOT_FOUND = 127 }; /* as shells say it */

/* ---- Signals ---- */

/* SIGPIPE: the reader of our progress lines went away. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction before[CAUGHT];
static bool catching;
static volatile sig_atomic_t interrupted;
static volatile pid_t child;

static void on_signal(int number)
{
    interrupted = number;
    if (child > 0)
        kill(child, SIGTERM);
}

static void restore_handlers(void)
{
    for (int i = 0; catching && i < CAUGHT; i++)
        sigaction(caught[i], &before[i], NULL);
    catching = false;
}

void signals_restore(void)
{
    restore_handlers();
    interrupted = 0;
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    interrupted = 0;
    catching = true;
    for (int i = 0; i < CAUGHT; i++) {
        sigaction(caught[i], &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN) /* as nohup wants it */
            sigaction(caught[i], &before[i], NULL);
    }
}

bool signals_none(void)
{
    return !interrupted || rt_fail("interrupted by signal %d", (int)interrupted);
}

/* ---- Programs ---- */

/* Descriptors that the program has as its own; -1: lathe's. They close on exec. */
typedef struct {
    int input, output, error;
} Streams;

static _Noreturn void become(const char *folder, Streams streams,
                             const char *const *words)
{
    restore_handlers();
    if (interrupted) /* until then on_signal took it, here too */
        _exit(NOT_RUN);
    const int given[] = {streams.input, streams.output, streams.error};
    bool ok = true;
    for (int i = 0; i < 3; i++)
        ok = ok && (given[i] < 0 || dup2(given[i], i) >= 0);
    if (ok && (folder == NULL || chdir(folder) == 0))
        execvp(words[0], (char *const *)words);
    _exit(errno == ENOENT ? NOT_FOUND : NOT_RUN);
}

static bool start(const char *folder, Streams streams, const char *const *words)
{
    fflush(NULL); /* or the child prints it once more */
    pid_t pid = fork();
    if (pid == 0)
        become(folder, streams, words);
    child = pid > 0 ? pid : 0;
    if (pid > 0 && interrupted) /* before on_signal knew the child */
        kill(pid, SIGTERM);
    return pid > 0;
}

/* Its status as wait gives it. */
static int finish(void)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    return status;
}

static char *read_all(int descriptor, size_t *bytes)
{
    size_t room = 1 << 16, count = 0;
    char *text = rt_grow(NULL, room);
    for (ssize_t got; (got = read(descriptor, text + count, room - count - 1)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        count += (size_t)got;
        if (room - count < room / 4)
            text = rt_grow(text, room *= 2);
    }
    text[count] = 0;
    *bytes = count;
    return text;
}

char *program_output(const char *const *words, const char *package, size_t *bytes,
                     int *status)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        rt_fail("%s: no pipe for its output", words[0]);
        return NULL;
    }
    bool started = start(NULL, (Streams){-1, ends[1], -1}, words);
    close(ends[1]);
    char *text = read_all(ends[0], bytes);
    close(ends[0]);
    int ended = started ? finish() : 0;
    bool ran = started && WIFEXITED(ended) && WEXITSTATUS(ended) != NOT_FOUND;
    *status = ran ? WEXITSTATUS(ended) : -1;
    if (ran)
        return text;
    rt_fail("%s cannot be run; it is in Debian's package %s", words[0], package);
    free(text);
    return NULL;
}

static bool went_well(int status, const char *purpose, const char *program)
{
    if (!signals_none())
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        return rt_fail("%s: needs %s, which is not installed: apt install %s", purpose,
                       program, program);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return rt_fail("%s: %s failed with status %d", purpose, program,
                       WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return rt_fail("%s: %s ended by signal %d", purpose, program, WTERMSIG(status));
    return true;
}

bool program_run(const char *folder, const char *purpose, const char *input,
                 const char *const *words)
{
    int from = open(input ? input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return rt_fail("%s: %s", input, strerror(errno));
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    bool started = start(folder, (Streams){from, nowhere, -1}, words);
    int problem = errno;
    close(from);
    close(nowhere);
    if (!started)
        return rt_fail("%s: cannot start %s: %s", purpose, words[0], strerror(problem));
    return went_well(finish(), purpose, words[0]);
}

bool program_logged(const char *const *words, const char *log)
{
    int file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    bool ok = start(NULL, (Streams){-1, file, file}, words) && finish() == 0;
    close(file);
    return signals_none() && ok;
}
