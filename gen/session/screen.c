/* Size, colours and a pager: see screen.h. */
#include "gen/session/screen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

bool screen_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

void screen_size(int *columns, int *rows)
{
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *columns = known && size.ws_col ? size.ws_col : 80;
    *rows = known && size.ws_row ? size.ws_row : 24;
}

bool screen_has_colours(void)
{
    const char *refused = getenv("NO_COLOR"), *name = getenv("TERM");
    return screen_is_terminal() && !(refused && *refused) && name && *name &&
           strcmp(name, "dumb") != 0;
}

/* The pager, with what it is to show as standard input; does not return. */
static void become_pager(const int *ends, const char *pager)
{
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    setenv("LESS", "FRX", 0); /* colours, and what is short is not paged */
    if (pager && *pager)
        execl("/bin/sh", "sh", "-c", pager, NULL);
    else
        execlp("less", "less", NULL);
    _exit(127);
}

static void write_all(int descriptor, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = write(descriptor, text, bytes);
        if (count <= 0)
            return; /* it was left before the end */
        text += count;
        bytes -= (size_t)count;
    }
}

bool screen_page(const char *text, size_t bytes)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, broken;
    int ends[2], status = 0;
    fflush(stdout);
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0)
        become_pager(ends, getenv("PAGER"));
    close(ends[0]);
    sigaction(SIGINT, &ignore, &interrupt); /* Ctrl-C is the pager's */
    sigaction(SIGPIPE, &ignore, &broken);
    if (child > 0)
        write_all(ends[1], text, bytes);
    close(ends[1]);
    bool ended = child > 0 && waitpid(child, &status, 0) == child;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGPIPE, &broken, NULL);
    return ended && !(WIFEXITED(status) && WEXITSTATUS(status) >= 126);
}
