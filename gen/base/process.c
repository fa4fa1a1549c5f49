/* fork, exec and a pipe: see program.h. No shell, so that paths need no quotes. */
#include "gen/base/process.h"

#include "runtime/base/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_FOUND = 127 };

static char *read_all(int descriptor, size_t *bytes)
{
    size_t room = 1 << 16, count = 0;
    char *text = rt_grow(NULL, room);
    for (ssize_t got; (got = read(descriptor, text + count, room - count - 1)) > 0;) {
        count += got;
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
    if (pipe(ends) != 0) {
        rt_fail("%s: no pipe for its output", words[0]);
        return NULL;
    }
    fflush(NULL); /* or the child prints it once more */
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execvp(words[0], (char *const *)words);
        _exit(NOT_FOUND);
    }
    close(ends[1]);
    char *text = read_all(ends[0], bytes);
    close(ends[0]);
    int ended = 0;
    bool ran = child > 0 && waitpid(child, &ended, 0) == child && WIFEXITED(ended);
    *status = ran ? WEXITSTATUS(ended) : -1;
    if (ran && *status != NOT_FOUND)
        return text;
    rt_fail("%s cannot be run; it is in Debian's package %s", words[0], package);
    free(text);
    return NULL;
}
