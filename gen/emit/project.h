/* The small build around an emitted file: emit --project. Its files are templates of
 * templates/project. */
#ifndef LATHE_PROJECT_H
#define LATHE_PROJECT_H

#include "gen/emit/emit.h"

typedef struct {
    const char *kind;   /* cmake, arduino, zephyr, cmsis or mlperf */
    const char *source; /* the folder of NAME.c and NAME.h in it, ending in a slash */
} Project;

/* The project of that kind; NULL and rt_fail naming those there are. */
const Project *project_find(const char *kind);
/* Make its folders in `folder`; the path of NAME.c there, free() it. NULL and rt_fail. */
char *project_make(const Project *project, const char *folder, const char *name);
/* Write its files beside NAME.c and NAME.h. */
bool project_write(const Project *project, const char *folder, const EmitInput *input);

#endif
