/* lathe as a person runs it, in a process of its own. */
#ifndef LATHE_LATHE_RUN_H
#define LATHE_LATHE_RUN_H

#include <check.h>

extern char *out, *err; /* what the last command said */

/* A command line that begins with lathe's program, good until the next call. */
const char *const *lathe_command(const char *const *words);

/* Run it in `folder` (NULL: here); the exit status, or minus the signal that ended it. */
int lathe_run(const char *folder, const char *const *words);
void lathe_clean_up(void); /* fixture: with folder_remove in it */

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LATHE(...) lathe_run(NULL, WORDS(__VA_ARGS__))

/* It worked, without a word on stderr. */
#define LATHE_OK(...)                                                                    \
    do {                                                                                 \
        int status = LATHE(__VA_ARGS__);                                                 \
        ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);           \
    } while (0)

/* The path of a config of tests/nets; good for the next three calls. */
const char *net_config(const char *name);

#endif
