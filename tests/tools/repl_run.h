/* A folder with a net in it, and scripts of lathe repl. */
#ifndef LATHE_TEST_REPL_RUN_H
#define LATHE_TEST_REPL_RUN_H

/* Fixture: a folder with picture.lua, small.lua, which quantises it, and f.ckpt, float
 * weights of both. lathe_clean_up removes it. */
void repl_set_up(void);

/* Run the text as a script with `net`, which is small.lua with weights and images. */
int repl_script(const char *text);

#endif
