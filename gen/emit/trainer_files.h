/* The texts of a trainer: what `gen` writes and what is built. */
#ifndef LATHE_TRAINER_FILES_H
#define LATHE_TRAINER_FILES_H

#include "gen/passes/compile.h"

typedef struct {
    char *network, *train, *report; /* network.c, train.c, report.txt */
    char *makefile;                 /* of a folder that holds lathe's own files, too */
    char *makefile_there;           /* of the folder they are written to, or NULL */
    bool mpi;                       /* it needs mpicc, and runtime/peers/mpi.c */
} TrainerFiles;

/* All of them; `command` is what the banners say made them. `folder`, which must be
 * there, is where they are to be written, or NULL. False and rt_fail where lathe's own
 * files cannot be read; free them in any case. */
bool trainer_files_make(const Config *config, const CompileOptions *options,
                        const char *command, const char *folder, TrainerFiles *files);
void trainer_files_free(TrainerFiles *files);

/* To the folder they were made for: train.c, network.c, Makefile and report.txt, changed
 * ones only. */
bool trainer_files_write(const TrainerFiles *files, const char *folder);

/* Make them for the folder, which is made, and write them. */
bool trainer_files_generate(const Config *config, const CompileOptions *options,
                            const char *command, const char *folder, TrainerFiles *files);

#endif
