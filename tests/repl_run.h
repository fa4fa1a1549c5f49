/* lathe, and scripts of lathe repl, run in the test's folder. */
#ifndef LATHE_TEST_REPL_RUN_H
#define LATHE_TEST_REPL_RUN_H

/* Fixtures. In the folder are picture.lua, small.lua, which quantises it, and f.ckpt,
 * float weights of both. */
void repl_set_up(void);
void repl_clean_up(void);

/* The lathe this test program was built beside. */
const char *lathe_program(void);

/* What the last command said. */
extern char *repl_out, *repl_err;

/* Run lathe with the words (ended by NULL); the exit status. */
int repl_run(const char *const *words);
/* Run the text as a script with `net`, which is small.lua with weights and images. */
int repl_script(const char *text);

#endif
