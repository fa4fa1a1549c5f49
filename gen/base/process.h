/* Other programs: compilers, objdump, diff. */
#ifndef LATHE_PROCESS_H
#define LATHE_PROCESS_H

#include <stddef.h>

/* Run the words (ended by NULL) and return what it writes to standard output, a 0 behind
 * it; its exit status in *status. NULL and rt_fail when it cannot be run; `package` says
 * in the message where it comes from. */
char *program_output(const char *const *words, const char *package, size_t *bytes,
                     int *status);

#endif
