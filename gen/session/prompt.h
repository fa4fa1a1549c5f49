/* A line editor on the terminal, by libedit: history, completion, Ctrl-C. */
#ifndef LATHE_PROMPT_H
#define LATHE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* What Tab does: the words that may stand where the line ends now, at `*start` of it. A
 * list ended by NULL, to be freed with its words; NULL: none. */
typedef char **Completer(void *context, const char *line, size_t *start);

typedef struct Prompt Prompt;

/* The history in `file` is read now and written after each line; NULL: none is kept. */
Prompt *prompt_open(const char *file, Completer *complete, void *context);
void prompt_close(Prompt *prompt);

/* A line without its end; free() it. NULL at the end of input; *cancelled instead (and an
 * empty line) when Ctrl-C was typed. What stands between two \1 in `text` takes no room,
 * such as colours. */
char *prompt_read(Prompt *prompt, const char *text, bool *cancelled);

#endif
