/* forkpty and poll: see terminal.h. */
#include "tests/tools/terminal.h"

#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <check.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MS = 60000 };

/* libedit keeps a copy of each key function's name for good. */
static void suppress_leaks(const char *folder)
{
    char path[256], options[300];
    snprintf(path, sizeof path, "%s/leaks", folder);
    snprintf(options, sizeof options, "suppressions=%s:print_suppressions=0", path);
    write_text(path, "leak:wcsdup\n");
    setenv("LSAN_OPTIONS", options, 1);
}

void terminal_start(Terminal *terminal, const char *folder, const char *const *words)
{
    suppress_leaks(folder);
    *terminal = (Terminal){0};
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    terminal->child = forkpty(&terminal->descriptor, NULL, NULL, &size);
    ck_assert_int_ge(terminal->child, 0);
    if (terminal->child > 0)
        return;
    signal(SIGINT, SIG_DFL); /* whatever runs the tests in the background may ignore it */
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 0); /* a test with colours sets it to "" */
    setenv("HOME", folder, 1);
    unsetenv("XDG_STATE_HOME");
    if (chdir(folder) == 0)
        execv(words[0], (char *const *)words);
    _exit(127);
}

void terminal_type(Terminal *terminal, const char *keys)
{
    terminal->length = 0;
    terminal->shown[0] = 0;
    ck_assert_int_eq(write(terminal->descriptor, keys, strlen(keys)), strlen(keys));
}

/* The terminal shows a Ctrl-C that is typed as ^C, wherever the program is then. */
static void drop_echo(Terminal *terminal)
{
    for (char *at; (at = strstr(terminal->shown, "^C")) != NULL; terminal->length -= 2)
        memmove(at, at + 2, strlen(at + 2) + 1);
}

/* False at the end of what it shows. */
static bool read_more(Terminal *terminal, const char *text)
{
    struct pollfd more = {.fd = terminal->descriptor, .events = POLLIN};
    int ready = poll(&more, 1, MOST_MS);
    ck_assert_msg(ready > 0, "no \"%s\" after: %s", text, terminal->shown);
    ssize_t count = read(terminal->descriptor, terminal->shown + terminal->length,
                         sizeof terminal->shown - 1 - terminal->length);
    if (count <= 0)
        return false;
    terminal->length += (size_t)count;
    terminal->shown[terminal->length] = 0;
    drop_echo(terminal);
    return true;
}

void terminal_wait(Terminal *terminal, const char *text)
{
    while (strstr(terminal->shown, text) == NULL)
        ck_assert_msg(read_more(terminal, text), "it ended with: %s", terminal->shown);
}

int terminal_end(Terminal *terminal, const char *keys)
{
    terminal_type(terminal, keys);
    while (read_more(terminal, "its end"))
        ;
    close(terminal->descriptor);
    return process_wait(terminal->child);
}
