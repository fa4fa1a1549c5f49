/* A scratch folder for a command that runs other programs: removed at the end, and on
 * Ctrl-C too, which only asks the command to stop while a scratch folder is open. */
#ifndef LATHE_SCRATCH_H
#define LATHE_SCRATCH_H

#include "gen/base/private_folder.h"

typedef struct {
    const char *folder; /* a new, empty one */
    PrivateFolder own;
} Scratch;

/* Make the folder beside `path`, and the folders above it; one at a time. */
bool scratch_begin(Scratch *scratch, const char *path);
void scratch_end(Scratch *scratch);

/* Fails once Ctrl-C, SIGTERM or a hang-up came; to be asked between steps. */
bool scratch_goes_on(void);

/* Run a program in the folder, reading the file `input` (NULL: nothing), its output
 * dropped but for stderr. `purpose` opens the message when it fails. */
bool scratch_run(const Scratch *scratch, const char *purpose, const char *input,
                 char *const argv[]);

#endif
