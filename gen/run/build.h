/* Writing a trainer's files, and building them once per content. */
#ifndef LATHE_BUILD_H
#define LATHE_BUILD_H

#include "gen/passes/compile.h"

/* Write train.c, network.c, Makefile and report.txt to `folder`, changed files only. */
bool build_write(const Config *config, const CompileOptions *options, const char *command,
                 const char *folder);

/* The text of network.c and of train.c, as build_write writes them; free() both. */
void build_texts(const Config *config, const CompileOptions *options, const char *command,
                 char **network, char **tables);

/* The trainer made of the files in `folder`: built in lathe's cache unless the same
 * content was built before. NULL and rt_fail when it cannot be built; free() the path. */
char *build_trainer(const char *folder);
/* The same network as a shared object for a program that holds the runtime (lathe
 * itself); it exports lathe_model and lathe_recipe. Built in the folder, which may become
 * the cache's. */
char *build_library(const char *folder);

/* The network.o that this trainer is linked with; free() the path. */
char *build_object(const char *folder);

#endif
