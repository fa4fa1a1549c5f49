/* Writing a trainer's files, and building them once per content. */
#ifndef LATHE_BUILD_H
#define LATHE_BUILD_H

#include "compile.h"

/* Write train.c, network.c, Makefile and report.txt to `folder`, changed files only. */
bool build_write(const Config *config, const CompileOptions *options, const char *command,
                 const char *folder);

/* The trainer made of the files in `folder`: built in lathe's cache unless the same content
 * was built before. NULL and rt_fail when it cannot be built; free() the path. */
char *build_trainer(const char *folder);

#endif
