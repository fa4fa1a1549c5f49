/* Other programs: compilers, make, objdump, diff. Each is run to its end, without a
 * shell, so that paths need no quotes; and signals that ask lathe itself to stop. */
#ifndef LATHE_PROCESS_H
#define LATHE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* From here on SIGINT, SIGTERM, SIGHUP and SIGPIPE only end the running program and are
 * kept in mind; until signals_restore. One that is ignored stays so. */
void signals_catch(void);
void signals_restore(void);
/* Fails once one of them came; to be asked between steps. */
bool signals_none(void);

/* Run the words (ended by NULL) and return what it writes to standard output, a 0 behind
 * it; its exit status in *status. NULL and rt_fail when it cannot be run; `package` says
 * in the message where it comes from. */
char *program_output(const char *const *words, const char *package, size_t *bytes,
                     int *status);

/* Run the words in `folder`, reading the file `input` (NULL: nothing), its output dropped
 * but for stderr. `purpose` opens the message when it fails. */
bool program_run(const char *folder, const char *purpose, const char *input,
                 const char *const *words);

/* Run the words, all they say going into the file `log`; whether that went well. Says
 * nothing when it did not, but for signals. */
bool program_logged(const char *const *words, const char *log);

#endif
