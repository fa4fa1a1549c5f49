/* A program on a pseudo-terminal: what it shows is waited for, keys are typed. */
#ifndef LATHE_TEST_TERMINAL_H
#define LATHE_TEST_TERMINAL_H

#include <sys/types.h>

typedef struct {
    pid_t child;
    int descriptor;
    char shown[1 << 16]; /* since the last key */
    size_t length;
} Terminal;

/* Start the words (ended by NULL) in the folder, which is its home, too. */
void terminal_start(Terminal *terminal, const char *folder, const char *const *words);
/* Type keys; what was shown before is forgotten. */
void terminal_type(Terminal *terminal, const char *keys);
/* Wait until the text is shown; the test fails after a while. */
void terminal_wait(Terminal *terminal, const char *text);
/* Type keys that end it; the exit status, or minus the signal. */
int terminal_end(Terminal *terminal, const char *keys);

#endif
