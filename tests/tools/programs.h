/* Programs to look at: several nets compiled for every target and lowering. */
#ifndef LATHE_PROGRAMS_H
#define LATHE_PROGRAMS_H

#include "gen/passes/compile.h"

/* The targets of trainers; boards have none. */
enum {
#define BOARD(...)
#define TARGET(name, ...) TRAINED_##name,
#include "gen/passes/target.def"
#undef TARGET
    TARGETS
};
enum { NETS = 5 };
/* The first half are training programs, the others evaluation. */
enum { PROGRAMS = NETS * TARGETS * LOWERING_COUNT * 2 };

/* The config of a net, and of a program. */
void program_config(int net, Config *config);
const Target *program_target(int number);
Lowering program_lowering(int number); /* of its convolutions */

void compile_program(int number, Net *net);

#endif
