/* Other programs, run by tests. */
#ifndef LATHE_TEST_PROCESS_H
#define LATHE_TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* The lathe that the test program was built beside. */
const char *lathe_program(void);

/* Run the words (ended by NULL) in `folder` (NULL: here), its output in the files `out`
 * and `err` (NULL: dropped); the exit status, or minus the signal that ended it. */
int process_run(const char *folder, const char *out, const char *err,
                const char *const *words);
/* The same in two steps, for a test with something to do meanwhile. */
pid_t process_start(const char *folder, const char *out, const char *err,
                    const char *const *words);
int process_wait(pid_t child);

/* Run a compiler; the test fails, with all it said, when it fails or says anything. */
void compile_quietly(const char *const *words);
/* Compile each source by the command's words, in its own folder, and link them:
 * steps that ccache, where it is in PATH, need not repeat for the same text. All
 * ended by NULL. */
void compile_shared(const char *const *command, const char *const *sources,
                    const char *object);
/* The same for an emitted file, as C99, with all warnings. */
void compile_shipped(const char *const *command, const char *const *sources,
                     const char *object);

bool program_installed(const char *name);

#endif
