/* A scratch folder and programs run in it: see scratch.h. Signals set a flag and end the
 * running program; whoever waits for it then cleans up in the ordinary way. */
#include "gen/base/scratch.h"

#include "runtime/base/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* SIGPIPE: the reader of our progress lines went away. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction before[CAUGHT];
static volatile sig_atomic_t interrupted;
static volatile pid_t child;

static void on_signal(int number)
{
    interrupted = number;
    if (child > 0)
        kill(child, SIGTERM);
}

static void restore_signals(void)
{
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &before[i], NULL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    interrupted = 0;
    for (int i = 0; i < CAUGHT; i++) {
        sigaction(caught[i], &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN) /* as nohup wants it */
            sigaction(caught[i], &before[i], NULL);
    }
}

bool scratch_begin(Scratch *scratch, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *prefix = rt_format("%.*s.tmp", (int)length, path);
    catch_signals();
    bool ok = private_begin(&scratch->own, prefix);
    scratch->folder = scratch->own.path;
    free(prefix);
    if (!ok)
        scratch_end(scratch);
    return ok;
}

void scratch_end(Scratch *scratch)
{
    private_end(&scratch->own);
    scratch->folder = NULL;
    restore_signals();
}

bool scratch_goes_on(void)
{
    return !interrupted || rt_fail("interrupted by signal %d", (int)interrupted);
}

static _Noreturn void become(const char *folder, int input, char *const argv[])
{
    restore_signals();
    if (interrupted) /* until then on_signal took it, here too */
        _exit(126);
    int nowhere = open("/dev/null", O_WRONLY);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 &&
        chdir(folder) == 0)
        execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126); /* as shells do */
}

static bool wait_for(const char *purpose, const char *program)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    if (!scratch_goes_on())
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return rt_fail("%s: needs %s, which is not installed: apt install %s", purpose,
                       program, program);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return rt_fail("%s: %s failed with status %d", purpose, program,
                       WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return rt_fail("%s: %s ended by signal %d", purpose, program, WTERMSIG(status));
    return true;
}

bool scratch_run(const Scratch *scratch, const char *purpose, const char *input,
                 char *const argv[])
{
    int file = open(input ? input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return rt_fail("%s: %s", input, strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        become(scratch->folder, file, argv);
    close(file);
    if (pid < 0)
        return rt_fail("%s: cannot start %s: %s", purpose, argv[0], strerror(errno));
    child = pid;
    if (interrupted) /* before on_signal knew the child */
        kill(pid, SIGTERM);
    return wait_for(purpose, argv[0]);
}
