/* Words of commands that people may copy. */
#ifndef LATHE_SHELL_WORD_H
#define LATHE_SHELL_WORD_H

/* The text as a word of a command, quoted where a shell would take it for more; free() it.
 */
char *rt_shell_word(const char *text);

#endif
