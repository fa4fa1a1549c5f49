/* Building trainers once per content: what is compiled is kept in lathe's cache by the
 * hash of all that went into it, and checked by its own hash each time it is used. */
#ifndef LATHE_BUILD_H
#define LATHE_BUILD_H

#include "gen/emit/trainer_files.h"

/* The trainer made of these texts, which are the very bytes that are compiled. NULL and
 * rt_fail when it cannot be built; free() the path. */
char *build_trainer(const TrainerFiles *files);
/* The same network as a shared object for a program that holds the runtime (lathe
 * itself); it exports lathe_model and lathe_recipe. */
char *build_library(const TrainerFiles *files);
/* The network.o that both are linked with. */
char *build_object(const TrainerFiles *files);

/* The program that was built, to where people start it themselves. */
bool build_put(const char *program, const char *path);

/* The trainer of a config, whose files are written nowhere. */
char *build_trainer_of(const Config *config, const CompileOptions *options,
                       const char *command);

/* Remove what builds that were killed left in the cache. */
void build_clean(void);

#endif
